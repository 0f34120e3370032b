"""What to bid where the winner pays its bid: below what winning is worth, by how the bids to beat are spread.

With ln p ~ N(m, s²) for the highest rival bid p and a worth w of winning, (w − b)·Φ(x), x = (ln b − m)/s, is greatest
where w = b(1 + sΦ(x)/φ(x)). Φ/φ rises with x, so w does with b: a table over x is read backwards. No budget, no clock.
"""

from dataclasses import dataclass
from math import erf, exp, sqrt
from typing import Final

import numpy as np

from policies.bidding.landscape import Landscape
from policies.linalg import Floats

_X: Final = np.linspace(-6.0, 6.0, 481)
_WON: Final = np.array([0.5 * (1.0 + erf(x / sqrt(2.0))) for x in _X.tolist()])  # Φ
_MILLS: Final = _WON * np.exp(0.5 * _X**2) * sqrt(2.0 * np.pi)  # Φ/φ
_MOST: Final = 600.0  # of a log bid: beyond it floats end


@dataclass(frozen=True, slots=True)
class Shading:
    """The best bids in one landscape. `log_worth` is ln w − m at each x of the table."""

    mean: float
    deviation: float
    log_worth: Floats

    @classmethod
    def of(cls, landscape: Landscape) -> "Shading":
        """
        >>> shading = Shading.of(Landscape(0.0, 0.5, 100.0))
        >>> bool(0.5 < shading.bid(0.0) < 1.0)  # worth 1, where the usual bid to beat is 1 too
        True
        """
        s = landscape.deviation
        return cls(landscape.mean, s, s * _X + np.log1p(s * _MILLS))

    def bid(self, log_worth: float) -> float:
        """The bid for what is worth so much, given as its log."""
        x = float(np.interp(log_worth - self.mean, self.log_worth, _X))
        return exp(min(_MOST, self.mean + self.deviation * x, log_worth))

    def cost(self, log_worth: Floats) -> Floats:
        """What bidding for each costs on average: the bid times the chance that it wins."""
        x = np.interp(log_worth - self.mean, self.log_worth, _X)
        log_bid = np.minimum(self.mean + self.deviation * x, log_worth)
        return np.exp(np.minimum(_MOST, log_bid)) * np.interp(x, _X, _WON)
