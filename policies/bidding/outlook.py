"""Where log μ probably lies, by a campaign's own money, values and the prices it met. Counts only; any currency.

At first only money and values are known: log μ lies around log(v̄/ρ) + x₀, with v̄ the mean value of an impression, ρ
the money left for each auction to come, and x₀ what campaigns of all kinds have in common. With prices it can be
solved: for log-normal values (variance σ²) and highest rival bids, ln p ~ N(m, s²), a second price costs

    E[p·1(p ≤ v/μ)] = p̄·Φ((E ln v − m − s² − ln μ)/√(s² + σ²)) an auction, p̄ = exp(m + s²/2),

and where the winner pays its bid, bids of b for the mean value, in proportion for any other, cost

    b·Φ((ln b + σ²/2 − m)/√(s² + σ²)).

Either must come to ρ; b is what the shading makes of v̄/μ. Since money and values are counted in the campaign's own, x₀
means the same in every shop.
"""

from collections.abc import Sequence
from math import exp, log, log1p, pi, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

import msgspec

from policies.bidding.landscape import Landscape, below

MEMORY: Final = 500  # values: they move
SHARES: Final = (1e-4, 0.95)  # of what all would cost: beyond them a budget says no more of μ
HALVINGS: Final = 24  # to a millionth
FAR: Final = 12.0  # in log b beyond the usual price: there all can be had
_NORMAL: Final = NormalDist()
_TINY: Final = 1e-300


class Said(NamedTuple):
    """What is new: log μ now, how far that is from what was said before, and the auctions both are worth."""

    log_mu: float
    moved: float
    worth: float  # auctions, of what was said before
    more: float  # auctions that are new


class Outlook(msgspec.Struct, array_like=True):
    """x₀, what it is worth, and what prices are worth at most; then what was seen and said. As opened: nothing."""

    typical: float = 0.0  # x₀
    typical_worth: float = 0.0  # auctions
    prices_worth: float = 0.0  # auctions
    seen: int = 0
    log_value: float = 0.0  # E ln v
    spread: float = 0.0  # σ²
    log_mu: float = 0.0
    worth: float = 0.0

    @classmethod
    def open(cls, prior: Sequence[float]) -> "Outlook":
        typical, typical_worth, prices_worth = (float(each) for each in prior)
        return cls(typical, typical_worth, prices_worth)

    def look(self, value: float, per_auction: float, landscape: Landscape, *, first_price: bool) -> Said:
        """Take in one impression's value, above 0, as there is so much money left for each."""
        self._value(log(value))
        log_money = log(per_auction)
        prices = min(landscape.weight, self.prices_worth)
        worth = self.typical_worth + prices
        log_mu = self.log_mu
        if worth > 0.0:
            log_mu = self.typical_worth * (self._log_mean - log_money + self.typical)
            if prices > 0.0:
                solve = self._first_price if first_price else self._second_price
                log_mu += prices * solve(log_money, landscape)
            log_mu /= worth
        said = Said(log_mu, log_mu - self.log_mu, min(self.worth, worth), max(0.0, worth - self.worth))
        self.log_mu, self.worth = log_mu, worth
        return said

    @property
    def _log_mean(self) -> float:
        """ln v̄."""
        return self.log_value + self.spread / 2.0

    def _value(self, log_value: float) -> None:
        self.seen = min(MEMORY, self.seen + 1)
        off = log_value - self.log_value
        self.log_value += off / self.seen
        self.spread += (off * (log_value - self.log_value) - self.spread) / self.seen

    def _second_price(self, log_money: float, landscape: Landscape) -> float:
        mean, variance = landscape.mean, landscape.deviation**2
        low, high = SHARES
        share = exp(max(log(low), min(log(high), log_money - mean - variance / 2.0)))
        return self.log_value - mean - variance - sqrt(variance + self.spread) * _NORMAL.inv_cdf(share)

    def _first_price(self, log_money: float, landscape: Landscape) -> float:
        mean, deviation = landscape.mean, landscape.deviation
        apart = sqrt(deviation**2 + self.spread)
        low, high = log_money, max(log_money, mean) + FAR
        for _ in range(HALVINGS):
            middle = (low + high) / 2.0
            won = below((middle + self.spread / 2.0 - mean) / apart)
            if middle + log(max(_TINY, won)) < log_money:
                low = middle
            else:
                high = middle
        return self._log_mean - high - (_shaded((high - mean) / deviation, deviation) if landscape.known else 0.0)


def _shaded(x: float, deviation: float) -> float:
    """log w/b of the worth w for which b is the best bid, x = (ln b − m)/s: w = b(1 + sΦ(x)/φ(x))."""
    if x > 8.0:  # φ is as good as 0
        return log(deviation) + x * x / 2.0 + log(2.0 * pi) / 2.0
    return log1p(deviation * below(x) / max(_TINY, _NORMAL.pdf(x)))
