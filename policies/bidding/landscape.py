"""What winning costs: a log-normal belief over the highest rival bid, from prices seen and prices only bounded."""

from math import erf, exp, log, pi, sqrt
from typing import Final, Literal

import msgspec

from policies.version import Priors

ENOUGH: Final = 20.0  # auctions before the belief is acted on
MIN_WEIGHT: Final = 5.0
GAIN_POWER: Final = 0.7  # below 1: what is only bounded is learned over many passes (Cappé & Moulines 2009)
MAX_WEIGHT: Final = 2_000.0  # so that it follows a market that moves
_RATIOS: Final = tuple(i / 50 for i in range(5, 51))

Bound = Literal["exact", "above", "below"]


class Landscape(msgspec.Struct, array_like=True):
    """ln price ~ N(mean, deviation²); `weight` is the number of auctions behind it."""

    mean: float
    deviation: float
    weight: float

    @classmethod
    def open(cls, prior: Priors) -> "Landscape":
        mean, deviation, strength = prior["price"]
        return cls(float(mean), float(deviation), float(strength))

    @property
    def known(self) -> bool:
        return self.weight >= ENOUGH

    @property
    def least(self) -> float:
        """The price under which nothing is ever won; 0 while not known."""
        return exp(self.mean - 3.0 * self.deviation) if self.known else 0.0

    @property
    def cheap(self) -> float:
        """A price at which one auction in six is won; 0 while none was ever seen."""
        return exp(self.mean - self.deviation) if self.weight > 0.0 else 0.0

    def observe(self, price: float, bound: Bound) -> None:
        """One price: seen exactly, or known to lie above or below `price` (online EM for a censored normal)."""
        if price <= 0.0:
            return
        x = log(price)
        if self.weight == 0.0:
            self.mean = x
        first, second = self._expect(x, bound)
        self.weight = min(MAX_WEIGHT, self.weight + 1.0)
        gain = (self.weight + MIN_WEIGHT) ** -GAIN_POWER
        variance = self.deviation**2
        variance += gain * (second - variance)
        self.mean += gain * first
        self.deviation = sqrt(max(1e-4, variance))

    def _expect(self, x: float, bound: Bound) -> tuple[float, float]:
        """E[ln p − mean] and E[(ln p − mean)²] given what is known of p."""
        if bound == "exact":
            return x - self.mean, (x - self.mean) ** 2
        s = self.deviation
        a = max(-4.0, min(4.0, (x - self.mean) / s))
        hazard = _density(a) / (below(-a) if bound == "above" else -below(a))
        return s * hazard, s * s * (1.0 + a * hazard)

    def win_rate(self, bid: float) -> float:
        return below((log(bid) - self.mean) / self.deviation) if bid > 0.0 else 0.0

    def shade(self, worth: float) -> float:
        """The share of `worth` to bid where the winner pays its bid: maximises (worth − bid)·P(win)."""
        if not self.known or worth <= 0.0:
            return 1.0
        return max(_RATIOS, key=lambda ratio: (1.0 - ratio) * self.win_rate(ratio * worth))


def below(x: float) -> float:
    """Φ, the normal distribution function."""
    return 0.5 * (1.0 + erf(x / sqrt(2.0)))


def _density(x: float) -> float:
    return exp(-0.5 * x * x) / sqrt(2.0 * pi)
