"""What auctions in flight will cost, and how far to hold back so that the budget bears it. No clock, no currency.

What bids in flight can cost at worst is far more than what they will: most are lost, and a second price is paid. So the
reserve is a bound that their sum X passes with a chance of `DOUBT` at most. By Bernstein's inequality, for n auctions
of mean cost m and mean square q, none dearer than the cap c, and with ℓ = −ln DOUBT,

    X ≤ n·m + √(2·ℓ·q·n) + ℓ·c/3.

As m and q are known from N auctions only, the variance counts (1 + n/N) times, and the cap (1 + 7n/N) times (Maurer &
Pontil 2009). That holds while the auctions in flight are like those seen. A market that changes meanwhile can pass it;
what can't be passed whatever comes is the cap of `inflight`, which holds until enough has been seen.
"""

from math import exp, log, sqrt
from typing import Final, NamedTuple

import msgspec

DOUBT: Final = 0.01
MEMORY: Final = 500.0  # auctions: markets move
DEAREST: Final = 0.2  # of the allowance, at least, is left for the dearest single payment
UNSURE: Final = 7.0
_L: Final = -log(DOUBT)


class Reserve(NamedTuple):
    """`share` of what would be bid otherwise, and the highest cap; a cap of 0: nothing is known yet."""

    share: float
    cap: float


class Payments(msgspec.Struct, array_like=True):
    """What auctions cost, losses as 0: sums that fade, as they would have been at μ = 1, since spend falls as 1/μ."""

    auctions: float = 0.0
    total: float = 0.0
    squares: float = 0.0

    def observe(self, paid: float, log_mu: float) -> None:
        """One auction that was bid on at `log_mu`."""
        keep = min(1.0, MEMORY / (self.auctions + 1.0))
        at_one = paid * exp(log_mu)
        self.auctions = keep * (self.auctions + 1.0)
        self.total = keep * (self.total + at_one)
        self.squares = keep * (self.squares + at_one * at_one)

    def reserve(self, allowance: float, log_mu: float, in_flight: float, left: float) -> Reserve:
        """How to bid at `log_mu` so that `in_flight` auctions, or the `left` of the flight, cost at most `allowance`.

        >>> seen = Payments()
        >>> for paid in (0.0, 0.0, 0.1) * 100:
        ...     seen.observe(paid, 0.0)
        >>> seen.reserve(100.0, 0.0, 40.0, 1_000.0).share, round(seen.reserve(1.0, 0.0, 40.0, 1_000.0).share, 2)
        (1.0, 0.32)
        """
        if self.auctions <= 0.0 or allowance <= 0.0:
            return Reserve(1.0, 0.0)
        n = min(in_flight, left + sqrt(2.0 * _L * left) + _L)  # arrivals are Poisson
        scale = exp(-log_mu)
        mean, square = scale * self.total / self.auctions, scale * scale * self.squares / self.auctions
        cost = n * mean + sqrt(2.0 * _L * square * n * (1.0 + n / self.auctions))
        share = min(1.0, (1.0 - DEAREST) * allowance / cost) if cost > 0.0 else 1.0
        return Reserve(share, 3.0 / _L * (allowance - share * cost) / (1.0 + UNSURE * n / self.auctions))
