"""What a shop's earlier campaigns showed of their market, for the next one to start from. No clock.

Campaigns of one shop count money in one currency and value in one unit, so what each saw of values and prices holds for
the next; only the budget per auction differs. Their auctions are pooled into one block. How many auctions that counts
for hangs on how alike the campaigns were: with relative variance τ² of what was spent between them, beyond chance, a
market is foretold to within τ, which n auctions of it would do where n·τ² is a typical payment over the mean one.
"""

from dataclasses import dataclass, field
from math import log
from typing import Final

import numpy as np

from policies.bidding.blocks import Block
from policies.bidding.flight import FlightBidder
from policies.bidding.markets import MarketPrior
from policies.bidding.spending import Spending

UNLIKE: Final = 0.2  # τ of a shop of which one campaign is known
LEAST: Final = 20.0  # auctions that a pool has to be worth: campaigns more unlike are better begun with what all know
MOST: Final = 500.0  # auctions that it counts for: more would say that nothing changes between two campaigns
STRANGE: Final = 1.0  # τ² of a campaign whose values are too far off to be compared
FEWEST: Final = 20  # auctions of a campaign that say something


@dataclass(slots=True)
class Shop:
    """What its campaigns showed, in budgets per auction of the first of them, `unit`. `origin` is the log v/p at the
    left edge of the first cell.

    >>> Shop().known is None
    True
    """

    origin: float = 0.0
    unit: float = 1.0
    strange: int = 0  # campaigns after which it began anew
    shown: list[Block] = field(default_factory=list[Block])

    def bidder(self, *, auctions: int, budget: float, prior: MarketPrior) -> FlightBidder:
        """For the next campaign. As `Watched`, it can be learned from as well."""
        inner = FlightBidder(auctions=auctions, budget=budget, prior=prior)
        if self.shown:
            known = self.known
            in_unit = None if known is None else known.dearer(log(self.unit / inner.per_auction))
            inner.earlier = self.origin, in_unit
        return inner

    def learn(self, campaign: "Watched") -> None:
        """Take in what a campaign has shown, at the prices that it ended with."""
        own = campaign.own
        if own is None or own.total.auctions < FEWEST or not own.total.wins.any():
            return
        if self.shown and own.origin != self.origin:  # its values were too far off to be begun with what was known
            self.strange, self.shown = self.strange + 1, []
        if not self.shown:
            self.origin, self.unit = own.origin, campaign.inner.per_auction
        self.shown.append(own.total.dearer(log(campaign.inner.per_auction / self.unit)))

    @property
    def known(self) -> Block | None:
        """All campaigns' auctions, as so many as they are worth. None: no campaign is known, or they are too unlike."""
        if not self.shown:
            return None
        pool = sum(self.shown, Block())
        worth = self._worth(pool)
        return pool.times(min(1.0, worth / pool.auctions)) if worth >= LEAST else None

    def _worth(self, pool: Block) -> float:
        apart = UNLIKE**2 + STRANGE * self.strange + sum(_apart(each, pool) for each in self.shown)
        apart /= 1.0 + self.strange + len(self.shown)
        lumps = float(np.median([each.typical * each.auctions / each.spend.sum() for each in self.shown]))
        return min(MOST, lumps / max(apart, 1e-9))


def _apart(one: Block, pool: Block) -> float:
    """log²(spent/foretold) of a campaign, foretold by the others, less what chance explains. 0: nothing is known."""
    reached, spend = one.reached, np.maximum(0.0, pool.spend - one.spend)
    by_others = pool.reached - reached
    told = by_others >= 1.0
    rate = np.where(told, spend / np.maximum(by_others, 1.0), 0.0)
    foretold, found = float(reached @ rate), float(one.spend[told].sum())
    if foretold <= 0.0:
        return 0.0
    least = one.typical  # one payment more on either side: none at all is no more than few
    chance = (1.0 + one.auctions / max(1.0, pool.auctions - one.auctions)) * least / (foretold + least)
    return log((found + least) / (foretold + least)) ** 2 - chance


@dataclass(slots=True)
class Watched:
    """A bidder, and what its own auctions show, whatever it was told before."""

    inner: FlightBidder
    own: Spending | None = None

    def bid(self, value: float, left: float) -> float:
        return self.inner.bid(value, left)

    def learn(self, value: float, paid: float | None) -> None:
        self.inner.learn(value, paid)
        seen = self.inner.seen
        if seen is None:
            return
        if self.own is None:
            self.own = Spending(origin=seen.origin, alarm=seen.alarm)
        self.own.refresh()
        self.own.observe(value, log_mu=self.inner.log_mu, paid=None if paid is None else paid / self.inner.per_auction)
