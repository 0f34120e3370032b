"""Bids for one flight of first-price auctions under a budget: pacing and shading together.

A win at bid b is worth value/μ in money, and costs b. So the best bid is that of `Shading` for a worth of value/μ, and
μ is what makes the money left last for the auctions left: solved anew, over the values seen so far, from what the
landscape says that bids cost. A loser is never told what it lost to, so the landscape is learned from bounds alone: who
won at b knows that the rival was below, who lost that it was above. What was really spent, over what was foretold,
corrects the landscape where it isn't log-normal. No clock, no topic; any currency.
"""

from dataclasses import dataclass, field
from math import floor, log
from typing import Final

import numpy as np

from policies.bidding.flight import OFTEN
from policies.bidding.landscape import Landscape
from policies.bidding.shading import Shading
from policies.linalg import Floats

WIDTH: Final = 0.08  # of a cell of log value
TRUSTED: Final = 20.0  # auctions' budget that the forecast of spend counts for, before it is corrected
WIDEST: Final = 20.0  # of log μ beyond the values and prices known
HALVINGS: Final = 40

Counts = tuple[Floats, Floats]  # log values, and the share of all auctions that offered each


@dataclass(slots=True)
class Values:
    """How often each value was offered, in cells counted from the first one: so their unit doesn't matter.

    >>> values = Values()
    >>> values.add(3.0)
    >>> values.add(3.0 + 0.5 * WIDTH)  # shared between two cells
    >>> [round(each, 2) for each in values.counts(2)[1].tolist()]
    [0.75, 0.25]
    """

    origin: float | None = None
    cells: dict[int, float] = field(default_factory=dict[int, float])

    def add(self, log_value: float) -> None:
        if self.origin is None:
            self.origin = log_value
        at = (log_value - self.origin) / WIDTH
        cell = floor(at)
        for each, share in ((cell, cell + 1 - at), (cell + 1, at - cell)):
            if share > 0.0:
                self.cells[each] = self.cells.get(each, 0.0) + share

    def counts(self, auctions: int) -> Counts:
        """Of so many auctions, those without value among them."""
        cells = np.fromiter(self.cells.keys(), dtype=np.float64)
        share = np.fromiter(self.cells.values(), dtype=np.float64) / auctions
        return (self.origin or 0.0) + cells * WIDTH, share


@dataclass(slots=True, kw_only=True)
class FirstPriceBidder:
    """`landscape` is of price over the budget per auction. `told`, for the ablation, are the values of all auctions;
    then the landscape is the truth too."""

    auctions: int
    budget: float
    landscape: Landscape
    told: Counts | None = None
    log_mu: float = 0.0
    met: int = 0
    due: int = 0
    spent: float = 0.0  # in budgets per auction, as `foretold` is
    foretold: float = 0.0
    values: Values = field(default_factory=Values)
    shading: Shading = field(init=False)
    latest: float = 0.0  # the last bid

    def __post_init__(self) -> None:
        self.shading = Shading.of(self.landscape)

    @property
    def per_auction(self) -> float:
        """ρ, the money that all is counted in."""
        return self.budget / self.auctions

    def bid(self, value: float, left: float) -> float:
        """No more than `left`; 0 for what has no value."""
        self.met += 1
        self.latest = 0.0
        if value <= 0.0 or left <= 0.0:
            return 0.0
        log_value = log(value)
        self.values.add(log_value)
        if self.met >= self.due:
            self._solve(left / self.per_auction)
        bid = self.shading.bid(log_value - self.log_mu)
        self.latest = min(left, self.per_auction * bid)
        self.foretold += float(self.shading.cost(np.array([log_value - self.log_mu]))[0])
        return self.latest

    def learn(self, value: float, paid: float | None) -> None:
        """What came of the bid: `paid` is None where the auction was lost."""
        del value
        if self.latest <= 0.0:
            return
        self.spent += (paid or 0.0) / self.per_auction
        if self.told is None:
            self.landscape.observe(self.latest / self.per_auction, "above" if paid is None else "below")

    def _solve(self, left: float) -> None:
        """μ at which what is to come costs what is left, by bisection: a higher one costs less."""
        self.shading = Shading.of(self.landscape)
        to_come = max(1, self.auctions - self.met + 1)
        self.due = self.met + max(1, min(self.met, to_come) // OFTEN)
        log_value, share = self.told or self.values.counts(self.met)
        corrected = (TRUSTED + self.spent) / (TRUSTED + self.foretold)
        affordable = left / to_come / corrected
        low = float(log_value.min()) - self.landscape.mean - WIDEST
        high = float(log_value.max()) - self.landscape.mean + WIDEST
        for _ in range(HALVINGS):
            middle = (low + high) / 2.0
            if float(share @ self.shading.cost(log_value - middle)) > affordable:
                low = middle
            else:
                high = middle
        self.log_mu = high
