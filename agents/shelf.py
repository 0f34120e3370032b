"""What is known of one SKU at one location: stock, orders under way, evidence of demand. Facts only; nothing is chosen.

Everything moves by the SKU's own event times, so that it can't depend on what else its partition holds.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final

import msgspec

from policies.orders.changes import Watch
from policies.orders.demand import Belief, DemandPrior, Evidence
from policies.orders.replenish import Due
from streams.decay import faded
from streams.features import Feature, Features, FeatureSet
from streams.records import StockUpdate
from streams.statistics import changes, ew_mean, ew_var, trend
from streams.times import DAY

OVERDUE_DAYS: Final = 7.0  # an order this late, or as late again as its lead time, isn't coming
MAX_SALES: Final = 64  # later than the last stock update; beyond it the oldest two become one
SHORTEST_DAYS: Final = 0.25  # in stock; a shorter period's rate would be mostly chance

SKU_FEATURES: Final = FeatureSet(
    "sku@location",
    1,
    (
        Feature(
            name="rate",
            source="rate",
            window="last 28 reviews",
            why="units per day in stock: the level of demand",
            statistic=ew_mean(28),
        ),
        Feature(
            name="rate_var",
            source="rate",
            window="last 28 reviews",
            why="how much safety the level needs",
            statistic=ew_var(28),
        ),
        Feature(
            name="rate_trend",
            source="rate",
            window="last 7 against last 28 reviews",
            why="demand that rises or fades",
            statistic=trend(7, 28),
        ),
        Feature(
            name="rate_changes",
            source="surprise",
            window="all",
            why="a new level of demand",
            statistic=changes(25.0),
        ),
        Feature(
            name="gap_days",
            source="gap_days",
            window="last 20 orders",
            why="fast or slow mover",
            statistic=ew_mean(20),
        ),
        Feature(
            name="quantity",
            source="quantity",
            window="last 20 orders",
            why="single units or bulk",
            statistic=ew_mean(20),
        ),
        Feature(
            name="price",
            source="price",
            window="last 20 orders",
            why="demand that follows offers",
            statistic=ew_mean(20),
        ),
    ),
)


class SkuFeatures(Features):
    """One SKU's features at one location."""

    of = SKU_FEATURES


class Sale(msgspec.Struct, array_like=True):
    at: int
    units: float


class OpenOrder(msgspec.Struct, array_like=True):
    """An order of ours that hasn't been received in full; times in epoch ms."""

    placed_at: int
    due_at: int
    units: float


class Period(msgspec.Struct, array_like=True):
    """What happened since a review: what its outcome is made of."""

    decision_id: str
    decided_at: int
    policy_version: int
    holding_cost: float  # per unit and day, as the decision saw it
    shortage_cost: float  # per unit
    sold: float = 0.0
    days_in_stock: float = 0.0
    days_out: float = 0.0
    unit_days: float = 0.0
    ended_at: int = 0  # 0: it goes on
    orders: float = 0.0
    cut: float = 0.0  # of the orders, those that took the last unit

    def take(self, units: float, cut: float) -> None:
        """Count an order."""
        self.sold += units
        self.orders += 1.0
        self.cut += cut

    def cost(self, rate: float) -> float:
        """Holding plus an estimate of shortage: what would have sold while there was nothing, at `rate` a day."""
        return self.holding_cost * self.unit_days + self.shortage_cost * rate * self.days_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A period that has ended, and what it cost; and the one before it, where what it sold is settled now.

    `belief` is what is believed of demand after both.
    """

    period: Period
    cost: float
    settled: Period | None
    belief: Belief


class Shelf(msgspec.Struct):
    """One SKU at one location, as of `at`. Before its first stock update it is taken to be in stock."""

    item_id: str = ""
    location: str = ""
    at: int = 0
    evidence: Evidence = msgspec.field(default_factory=Evidence)
    stock_at: int = 0  # time of the last stock update
    counted: float = 0.0  # units on hand then
    sales: list[Sale] = []  # later than stock_at
    out_from: int = 0  # the last stock-out
    out_until: int = 0  # 0: it lasts
    orders: list[OpenOrder] = []
    elsewhere: float = 0.0  # units on order that we didn't order
    period: Period | None = None
    settling: Period | None = None  # the one before: sales within it may still be heard of
    sold_at: int = 0
    features: SkuFeatures = msgspec.field(default_factory=SkuFeatures)
    event_id: str = ""  # the last event that changed anything here
    source: tuple[str, int, int] = ("", 0, 0)

    @property
    def on_hand(self) -> float:
        """The last count, less what was sold since."""
        return max(0.0, self.counted - sum(sale.units for sale in self.sales))

    @property
    def is_out(self) -> bool:
        return self.out_from > 0 and self.out_until == 0

    def advance(self, at: int, prior: DemandPrior) -> None:
        """Let time pass up to `at` (epoch ms); an earlier time changes nothing."""
        if self.at == 0:
            self.at = at
        days = max(0, at - self.at) / DAY
        self.at = max(self.at, at)
        if days == 0.0:
            return
        if self.is_out:
            self.evidence.fade(days, prior.half_life_days)
        else:
            self.evidence.watch(days, prior.half_life_days)
        if self.period is not None:
            self.period.days_out += days if self.is_out else 0.0
            self.period.days_in_stock += 0.0 if self.is_out else days
            self.period.unit_days += days * self.on_hand

    def sell(self, quantity: float, at: int, price: float | None, prior: DemandPrior) -> None:
        """Take in one order line. In a stock-out it is no evidence: the time isn't counted, so the units mustn't be."""
        first = self.at == 0  # it only starts the clock: counting began because of it
        self.advance(at, prior)
        if not first and not self._was_out(at):
            self._witness(quantity, at, prior, cut=self._takes_the_last(quantity, at))
            self._observe_sale(quantity, at, price)
        self.sold_at = max(self.sold_at, at)
        if self.stock_at and at > self.stock_at:
            self._take_off(quantity, at, prior)

    def _was_out(self, at: int) -> bool:
        return self.out_from > 0 and at > self.out_from and (self.is_out or at < self.out_until)

    def _takes_the_last(self, quantity: float, at: int) -> bool:
        """Whether a sale empties the shelf; or has, where the count that said so was heard before it."""
        if self.stock_at and at > self.stock_at:
            return quantity >= self.on_hand
        return self.sold_at < at <= self.out_from

    def _witness(self, quantity: float, at: int, prior: DemandPrior, *, cut: bool) -> None:
        self.evidence.sell(quantity, faded((self.at - at) / DAY, prior.half_life_days), cut=cut)
        self._credit(quantity, at, cut=cut)

    def _observe_sale(self, quantity: float, at: int, price: float | None) -> None:
        observed = {"quantity": quantity}
        if self.sold_at:
            observed["gap_days"] = max(0, at - self.sold_at) / DAY
        if price is not None:
            observed["price"] = price
        self.features.update(observed)

    def _take_off(self, quantity: float, at: int, prior: DemandPrior) -> None:
        self.sales.append(Sale(at, quantity))
        if len(self.sales) > MAX_SALES:
            self.sales.sort(key=lambda sale: sale.at)
            oldest, second = self.sales[0], self.sales[1]
            self.sales[:2] = [Sale(second.at, oldest.units + second.units)]
        if self.on_hand <= 0.0 and not self.is_out:
            self._emptied(at, prior)

    def count(self, update: StockUpdate, slack_ms: int, prior: DemandPrior) -> bool:
        """Take in a stock update; whether it shows that the shelf has just run empty.

        One older than the last tells only what arrived.
        """
        at = int(update.occurred_at)
        self.advance(at, prior)
        if at < self.stock_at:
            self._receive(update.received or 0.0)
            return False
        arrived = update.received if update.received is not None else max(0.0, update.on_hand - self.on_hand)
        ran_out = update.on_hand <= 0.0 and (self.stock_at == 0 or self.counted > 0.0)
        self.stock_at, self.counted = at, update.on_hand
        self.sales = [sale for sale in self.sales if sale.at > at]
        self._receive(arrived)
        if update.on_order is not None:
            self._reconcile(update.on_order, at - slack_ms)
        if self.on_hand <= 0.0 and not self.is_out:
            self._emptied(at, prior)
        elif update.on_hand > 0.0 and self.is_out:
            self._filled(at, prior)
        return ran_out

    def _emptied(self, at: int, prior: DemandPrior) -> None:
        """Begin a stock-out at `at`, or at a later sale. That may be old news: since then it was out of stock."""
        self.out_from, self.out_until = max(at, max((sale.at for sale in self.sales), default=at)), 0
        self._recall(self.out_from, self.at, -1.0, prior)

    def _filled(self, at: int, prior: DemandPrior) -> None:
        """End the stock-out at `at`. That may be old news: what was sold since was demand after all, and in stock."""
        since = max(at, self.out_from)
        late = [sale for sale in self.sales if sale.at > since]
        until = self.at if self.on_hand > 0.0 else max((sale.at for sale in late), default=since)
        self._recall(since, until, 1.0, prior)
        for sale in late:
            self._witness(sale.units, sale.at, prior, cut=self.on_hand <= 0.0 and sale.at == until)
        if self.on_hand > 0.0:
            if at < self.out_from:  # it never was empty: the sale that seemed to have emptied it was whole
                self.evidence.uncut(faded((self.at - self.out_from) / DAY, prior.half_life_days))
            self.out_until = since
        else:
            self.out_from = until  # sold out again

    def _recall(self, since: int, until: int, sign: float, prior: DemandPrior) -> None:
        """Count a stretch of time that has passed as in stock after all, or, with a sign of −1, as out of it."""
        self.evidence.recall(sign * max(0, until - since) / DAY, prior.half_life_days)
        for period in (self.settling, self.period):
            if period is not None:
                end = min(until, period.ended_at or until)
                days = sign * max(0, end - max(since, period.decided_at)) / DAY
                period.days_in_stock = max(0.0, period.days_in_stock + days)
                period.days_out = max(0.0, period.days_out - days)

    def _credit(self, units: float, at: int, *, cut: bool) -> None:
        """Count a sale to the period that it fell in."""
        settling = self.settling
        if settling is not None and at <= settling.ended_at:
            settling.take(units, cut)
        elif self.period is not None:
            self.period.take(units, cut)

    def _receive(self, units: float) -> None:
        """Strike arrived units off what is under way, oldest order first."""
        for order in self.orders:
            taken = min(units, order.units)
            order.units -= taken
            units -= taken
        self.orders = [order for order in self.orders if order.units > 0.0]
        self.elsewhere = max(0.0, self.elsewhere - units)

    def _reconcile(self, on_order: float, settled: int) -> None:
        """Believe the warehouse's `on_order`, except that it may not know our newest orders yet.

        An order that was due before `settled` (epoch ms) is known to it for sure: what it doesn't list was cancelled.
        """
        excess = sum(order.units for order in self.orders) - on_order
        for order in self.orders:
            if excess > 0.0 and order.due_at <= settled:
                taken = min(excess, order.units)
                order.units -= taken
                excess -= taken
        self.orders = [order for order in self.orders if order.units > 0.0]
        self.elsewhere = max(0.0, -excess)

    def close(self, prior: DemandPrior) -> Closed | None:
        """End the period since the last review and say what it cost; learn from the one before it.

        A stock-out is told by the warehouse, often before the sale that made it: a period that it ended has yet to
        hear of what it sold. So a period is settled one review later. What is too short to tell a rate is added to
        the next: left out, the sales that end in a stock-out would be missing, and demand seem low.
        """
        period, self.period = self.period, None
        if period is None:
            return None
        settled, period.ended_at, self.settling = self.settling, self.at, period
        if settled is not None and settled.days_in_stock < SHORTEST_DAYS:
            period.sold += settled.sold
            period.orders += settled.orders
            period.cut += settled.cut
            period.days_in_stock += settled.days_in_stock
            settled = None
        if settled is not None:
            self._observe(settled, self.evidence.belief(prior))
            later = Watch(period.orders, period.days_in_stock)
            self.evidence.judge(Watch(settled.orders, settled.days_in_stock), prior, later=later)
        belief = self.evidence.belief(prior)
        return Closed(period=period, cost=period.cost(belief.mean), settled=settled, belief=belief)

    def _observe(self, period: Period, belief: Belief) -> None:
        days = period.days_in_stock
        spread = sqrt(belief.dispersion * belief.mean * days + belief.variance * days * days)
        surprise = (period.sold - belief.mean * days) / spread
        self.features.update({"rate": period.sold / days, "surprise": surprise})

    def under_way(self, lead_time_days: float) -> tuple[Due, ...]:
        """What is on order as of now, with the days until it arrives; orders long overdue are given up.

        Of what others ordered the day isn't known: it is expected half a lead time from now.
        """
        self.orders = [order for order in self.orders if self.at < _given_up_at(order)]
        ours = [Due(days=(order.due_at - self.at) / DAY, units=order.units) for order in self.orders]
        if self.elsewhere > 0.0:
            ours.append(Due(days=lead_time_days / 2.0, units=self.elsewhere))
        return tuple(ours)

    def place(self, units: float, at: int, lead_time_days: float) -> None:
        self.orders.append(OpenOrder(at, at + int(lead_time_days * DAY), units))

    def measures(self) -> dict[str, float]:
        """The River features, by name."""
        return self.features.read()


def _given_up_at(order: OpenOrder) -> int:
    return order.due_at + max(int(OVERDUE_DAYS * DAY), order.due_at - order.placed_at)
