"""Stock under the live rule from the first day on: what it costs, and what is seen, while shelves now and then empty.

The days of `agents/shelf.py` in short: what arrives is there in the morning, each night is a review. Many SKUs side by
side; none of them sees another. No catalog, no topic.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from policies.orders.changes import Watch
from policies.orders.demand import DemandPrior, Evidence
from policies.orders.foretold import Seen
from policies.orders.replenish import Due, Review, choose
from policies.tasks.assortment import Asked, Sku

SHORTEST_DAYS: Final = 0.25  # of a watch; a shorter one is part of the next
MOST_ORDERED: Final = 1e6
NOTHING_SEEN: Final = Seen()


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What a SKU's stock cost, of that for units held; units sold, and lost; and all watches in order of time.

    `lost` are those to be expected from when the shelf is empty on, given when that is: what came by chance tells
    nothing of what was ordered, and with dear lost sales it would drown all that does.
    """

    cost: float
    holding: float
    sold: float
    lost: float
    seen: list[Seen]


@dataclass(slots=True, kw_only=True)
class _Shelf:
    sku: Sku
    on_hand: float
    evidence: Evidence = field(default_factory=Evidence)
    coming: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])  # day, units; in order
    open: Seen = NOTHING_SEEN
    seen: list[Seen] = field(default_factory=list[Seen])
    unit_days: float = 0.0
    sold: float = 0.0
    lost: float = 0.0

    def live(self, day: int, prior: DemandPrior) -> None:
        """Unpack, sell, and take in what was seen."""
        while self.coming and self.coming[0][0] <= day:
            self.on_hand += self.coming.pop(0)[1]
        self.unit_days += self.on_hand / 2.0
        watch = self._sell(self.sku.asked[day])
        self.lost += (1.0 - watch.days) * self.sku.rates[day] * self.sku.size
        self.unit_days += self.on_hand / 2.0
        self.evidence.watch(watch.days, prior.half_life_days)
        if watch.days < 1.0:
            self.evidence.fade(1.0 - watch.days, prior.half_life_days)
        self.open = Seen(*(one + more for one, more in zip(self.open, watch, strict=True)))
        if self.open.days >= SHORTEST_DAYS:
            self.evidence.judge(Watch(self.open.orders, self.open.days), prior)
            self.seen.append(self.open)
            self.open = NOTHING_SEEN

    def _sell(self, asked: Sequence[Asked]) -> Seen:
        days, orders, cut, units = (1.0 if self.on_hand > 0.0 else 0.0), 0.0, 0.0, 0.0
        for one in asked:
            if self.on_hand <= 0.0:
                break
            taken, last = min(one.units, self.on_hand), one.units >= self.on_hand
            self.evidence.sell(taken, cut=last)
            self.on_hand -= taken
            orders, cut, units = orders + 1.0, cut + float(last), units + taken
            if last:  # what a geometric order wants beyond has the mean that it always has
                days, self.lost = one.at, self.lost + self.sku.size - 1.0
        self.sold += units
        return Seen(days, orders, cut, units)

    def review(self, night: int, prior: DemandPrior) -> Review:
        sku = self.sku
        return Review(
            on_hand=self.on_hand,
            due=tuple(Due(days=float(day - night - 1), units=units) for day, units in self.coming),
            belief=self.evidence.belief(prior),
            lead_time_days=float(sku.lead_time_days),
            review_days=1.0,
            holding_cost=sku.holding_cost,
            shortage_cost=sku.shortage_cost,
            pack_size=1.0,
            min_order=1.0,
            max_order=MOST_ORDERED,
        )

    def life(self) -> Life:
        holding = self.sku.holding_cost * self.unit_days
        cost = holding + self.sku.shortage_cost * self.lost
        return Life(cost=cost, holding=holding, sold=self.sold, lost=self.lost, seen=self.seen)


def stocked(skus: Sequence[Sku], prior: DemandPrior) -> list[Life]:
    """The days of each SKU, as many of them all, stocked by the live rule from this prior on."""
    shelves = [_Shelf(sku=sku, on_hand=sku.opening) for sku in skus]
    for day in range(len(skus[0].asked)):
        for shelf in shelves:
            shelf.live(day, prior)
        choices = choose([shelf.review(day, prior) for shelf in shelves])
        for shelf, choice in zip(shelves, choices, strict=True):
            if choice.quantity > 0.0:
                shelf.coming.append((day + 1 + shelf.sku.lead_time_days, choice.quantity))
    return [shelf.life() for shelf in shelves]
