"""Bids for one flight of second-price auctions under a budget, from a prior over markets and what the flight has shown.

The bid that wins the most value is value/μ with the μ at which the money left lasts for the auctions left. μ is solved
anew from the spend curve (re-solving: Balseiro, Besbes & Pizarro 2023), not stepped towards, so that there is no step
size to learn. Nothing but values so far, own bids and prices paid is used. No clock, no topic; any currency.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import exp, log, nextafter
from typing import Final, Protocol

import numpy as np

from policies.bidding.blocks import CELLS, WIDTH, Block
from policies.bidding.markets import MarketPrior
from policies.bidding.spending import Spending
from policies.linalg import Floats

OFTEN: Final = 60  # solves anew after 1/60 of the auctions that count, or that are left
EAGER: Final = 30  # auctions up to which the prior is asked anew each time; later, when a block of auctions closes
FAR: Final = CELLS * WIDTH / 4  # in log v/ρ: values so far from those of earlier flights are in another unit
BEYOND: Final = 10.0  # of log μ below the last cell, where all can be had
MOST: Final = 600.0  # of a log bid: beyond it floats end


class Bidder(Protocol):
    """A rule for one flight. `bid` comes before `learn` for each auction, in order; a bid is never above `left`."""

    def bid(self, value: float, left: float) -> float: ...

    def learn(self, value: float, paid: float | None) -> None: ...


@dataclass(slots=True, kw_only=True)
class FlightBidder:
    """Ours. `auctions` is the length of the flight; `truth`, for the ablation, stands in for all that is learned:
    the first cell's log v/p in, money per auction in each cell out, in budgets per auction. `earlier` is the
    origin of other flights' cells, and the auctions of them that this one starts from, if any."""

    auctions: int
    budget: float
    prior: MarketPrior
    truth: Callable[[float], Floats] | None = None
    earlier: tuple[float, Block | None] | None = None
    log_mu: float = 0.0
    seen: Spending | None = None
    expected: Floats = field(default_factory=lambda: np.zeros(CELLS))
    met: int = 0
    due: int = 0

    def bid(self, value: float, left: float) -> float:
        """No more than `left`; 0 for what has no value."""
        self.met += 1
        if value <= 0.0 or left <= 0.0:
            return 0.0
        if self.seen is None:
            self.seen = self._open(log(value) - CELLS * WIDTH / 2)
        if self.met >= self.due:
            self._solve(self.seen, left / self.per_auction)
        return min(left, self.per_auction * exp(min(MOST, log(value) - self.log_mu)))

    def learn(self, value: float, paid: float | None) -> None:
        """What came of the bid: `paid` is None where the auction was lost."""
        if self.seen is not None:
            price = None if paid is None else paid / self.per_auction
            self.seen.observe(value, log_mu=self.log_mu, paid=price)

    @property
    def per_auction(self) -> float:
        """ρ, the money that all is counted in."""
        return self.budget / self.auctions

    def _open(self, origin: float) -> Spending:
        if self.earlier is None or abs(self.earlier[0] - origin) > FAR:
            return Spending(origin=origin, alarm=self.prior.alarm)
        origin, known = self.earlier
        if known is None:
            return Spending(origin=origin, alarm=self.prior.alarm)
        seen = Spending.after(known, origin=origin, alarm=self.prior.alarm)
        self._expect(seen)
        return seen

    def _expect(self, seen: Spending) -> None:
        total = seen.total
        mean = total.value / total.auctions if total.value > 0.0 else exp(seen.origin + CELLS * WIDTH / 2)
        self.expected = self.prior.expected(total, (log(mean) - seen.origin) / WIDTH)

    def _solve(self, seen: Spending, left: float) -> None:
        closed = self.truth is None and seen.refresh()
        total = seen.total
        if self.truth is None and (closed or total.auctions < EAGER):
            self._expect(seen)
        to_come = max(1, self.auctions - self.met + 1)
        self.due = self.met + max(1, min(total.auctions, to_come) // OFTEN)
        affordable = left / to_come * self.prior.haste
        self.log_mu = seen.origin + WIDTH * _cell_at(self._curve(seen, total), affordable)

    def _curve(self, seen: Spending, total: Block) -> Floats:
        """Money per auction in each cell: what was seen, and the prior as so many auctions more."""
        if self.truth is not None:
            return self.truth(seen.origin)
        return (self.prior.strength * self.expected + total.spend) / (self.prior.strength + total.reached)


def _cell_at(curve: Floats, affordable: float) -> float:
    """Where, in cells, the money spent at all that is worth more is what can be afforded."""
    spent = np.cumsum(curve[::-1])[::-1]  # from each cell up
    cell = int(np.searchsorted(-spent, -affordable, side="right"))
    if cell == 0:
        return -BEYOND / WIDTH
    rest = float(spent[cell]) if cell < CELLS else 0.0
    return cell - 1 + (float(spent[cell - 1]) - affordable) / max(float(spent[cell - 1]) - rest, 1e-300)


def within(bid: float, spent: float, budget: float) -> float:
    """The bid, lowered so that `spent` plus what it may cost is no more than the budget, in floating point too.

    >>> spent, budget = 0.1 + 0.2, 0.7
    >>> spent + within(1.0, spent, budget) <= budget
    True
    """
    bid = min(bid, budget - spent)
    while bid > 0.0 and spent + bid > budget:
        bid = nextafter(bid, 0.0)
    return max(0.0, bid)
