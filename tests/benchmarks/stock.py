"""What stock costs under the live replenishment agent, on a year of real demand, beside simpler rules. Run by hand:

    python -m tests.benchmarks.stock [--samples 4] [--households 150] [--first 0] [--prior shipped|learned]

The demand is that of households of the Complete Journey, in disjoint samples: sample 0 is who the demo plays, and no
constant of ours was chosen on it. The agent is the one that runs live, stepped a day at a time beside the demo's own
warehouse; lead times are two days or more, so that nothing it orders is wanted sooner. `--prior learned` gives it the
prior of greatest likelihood over the SKUs of another sample, as the learner would find it.

base-stock    what the demo compares with: orders up to a quantile of demand as it was sold so far
capped        the same, and at most what a review may need at that quantile
best level    the constant level of each SKU that this very demand makes cheapest: known only afterwards
known rate    our rule, told each SKU's mean and dispersion over this very year: what learning costs is the difference
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch

from agents.contract import Input, State, Step
from agents.replenishment import build
from infra.demo import assortment, prepare
from infra.demo.drawn import drawn_whole
from infra.demo.journey import LOCATIONS
from infra.demo.shelf import Sku, Warehouse
from infra.demo.warehouse import Office
from infra.measures.stock import StockMeasure
from infra.whatif.warehouse import terms_of
from policies.baselines.base_stock import BaseStock, CappedBaseStock, NaiveBaseStock
from policies.baselines.lost_sales import Demand, Ledger, Rule, Terms, simulate
from policies.orders.demand import Belief, DemandPopulation
from policies.orders.replenish import Due, Review, choose
from policies.version import SHIPPED, PolicyVersion
from streams.records import (
    CatalogItem,
    Order,
    OrderLine,
    ReplenishmentOrder,
    SkuDemand,
    StockUpdate,
    Supply,
)
from streams.times import DAY, EventTime
from streams.topics import CATALOG, REPLENISHMENT_ORDERS, SKU_DEMAND, STOCK_UPDATES, sku
from streams.views import Views

STOCKED: Final = 60
OPENING_DAYS: Final = 10.0
HIGHEST: Final = 60  # of the levels that are tried in hindsight


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The stocked SKUs of some households: how each is restocked, and what was wanted of it, in order of time."""

    supply: dict[Sku, Supply]
    opening: dict[Sku, float]
    demand: dict[Sku, list[Demand]]
    start: int
    end: int

    @property
    def wanted(self) -> float:
        return sum(one.quantity for lines in self.demand.values() for one in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Money, and the share of the units wanted that were sold."""

    holding: float
    shortage: float
    fill: float

    @property
    def cost(self) -> float:
        return self.holding + self.shortage


class Shop:
    """All of the data, cleaned once; samples are cut from it."""

    def __init__(self) -> None:
        self.tables = prepare.read_tables()
        self.lines, _ = prepare.clean(self.tables.lines, self.tables.products)
        ids = np.unique(self.lines["household_id"])
        self.households = np.array(sorted(ids.tolist(), key=lambda each: drawn_whole("household", each)))
        self.area = prepare.areas_of(self.lines["store_id"])

    def sample(self, first: int, count: int) -> Sample:
        """The `count` households from place `first`; planned, stocked and restocked as the demo does it."""
        ours = np.isin(self.lines["household_id"], self.households[first : first + count])
        lines = {name: values[ours] for name, values in self.lines.items()}
        items = np.unique(lines["product_id"])
        chosen, plan = prepare.plan_assortment(self.tables.products, self.lines, ours, items, count, STOCKED)
        item = np.searchsorted(items, lines["product_id"])
        prices = assortment.median_prices(item, lines["quantity"], lines["sales_value"], len(items))
        planned = dict(zip(chosen.tolist(), plan.mean(axis=1).tolist(), strict=True))
        rows = np.searchsorted(self.tables.products["product_id"], items)
        supply = {
            one.item_id: one.supply
            for one in assortment.catalog(self.tables.products, rows, prices, planned)
            if one.supply is not None
        }
        start = int(lines["transaction_timestamp"].min()) // DAY * DAY
        known: dict[Sku, Supply] = {}
        opening: dict[Sku, float] = {}
        demand: dict[Sku, list[Demand]] = {}
        for row, index in enumerate(chosen.tolist()):
            item_id = str(items[index])
            for column, location in enumerate(LOCATIONS):
                mine = (item == index) & (self.area[ours] == column)
                at, units = lines["transaction_timestamp"][mine].tolist(), lines["quantity"][mine].tolist()
                key = (item_id, location)
                known[key] = supply[item_id]
                opening[key] = float(max(1.0, np.ceil(OPENING_DAYS * plan[row, column])))
                demand[key] = sorted(Demand(int(when), float(many)) for when, many in zip(at, units, strict=True))
        end = (max(lines["transaction_timestamp"].tolist()) // DAY + 1) * DAY
        return Sample(supply=known, opening=opening, demand=demand, start=start, end=end)


# ---- The live agent --------------------------------------------------------------------------------------------------


def live(sample: Sample, policy: PolicyVersion) -> Bill:
    """Step the agent through the year, a day's records at a time."""
    views, measure = Views(), StockMeasure()
    for (item, _), supply in sample.supply.items():
        known = CatalogItem(item_id=item, category="", supply=supply)
        views.apply(CATALOG, item, known)
        measure.observe_catalog(known)
    lead = {item: int(supply.lead_time_days * DAY) for (item, _), supply in sample.supply.items()}
    office = Office(Warehouse(dict(sample.opening)), lead)
    agent, entries, offset = build(), dict[str, bytes](), 0
    news: list[StockUpdate | SkuDemand] = list(office.open(sample.start))
    for midnight, sales in _days(sample):
        for key, one in sales:
            news += _sell(office, key, one, measure)
        news += office.advance(midnight)
        for update in (record for record in news if isinstance(record, StockUpdate)):
            measure.observe_stock(update)
        inputs = [_input(record, offset + place) for place, record in enumerate(news)]
        step = agent.step(State(entries, views), inputs, policy, midnight)
        offset, news = offset + len(inputs), []
        entries = {name: raw for name, raw in (entries | step.writes).items() if raw is not None}
        for order in _orders(step):
            office.on_replenishment(order)
    return _billed(sample, office.stock.sold, measure.result()["tradewind"])


def _orders(step: Step) -> list[ReplenishmentOrder]:
    return [output.record for output in step.outputs if output.topic is REPLENISHMENT_ORDERS]


def _billed(sample: Sample, sold: dict[Sku, float], seen: dict[str, Any]) -> Bill:
    """What the measure saw held, and what was wanted and not sold."""
    lost = {key: sum(one.quantity for one in lines) - sold.get(key, 0.0) for key, lines in sample.demand.items()}
    return Bill(
        holding=seen["holding_cost"],
        shortage=sum(units * sample.supply[key].shortage_cost for key, units in lost.items()),
        fill=1.0 - sum(lost.values()) / sample.wanted,
    )


def _days(sample: Sample) -> Iterator[tuple[int, list[tuple[Sku, Demand]]]]:
    """Each day's end, and the demand of the day in order of time."""
    lines = sorted(
        ((one.at, key, one) for key, many in sample.demand.items() for one in many), key=lambda each: each[:2]
    )
    place = 0
    for midnight in range(sample.start + DAY, sample.end + 1, DAY):
        first = place
        while place < len(lines) and lines[place][0] < midnight:
            place += 1
        yield midnight, [(key, one) for _, key, one in lines[first:place]]


def _sell(office: Office, key: Sku, one: Demand, measure: StockMeasure) -> list[StockUpdate | SkuDemand]:
    """What the warehouse says, and what the agent hears of the sale: only what was there is on the order."""
    found: list[StockUpdate | SkuDemand] = list(office.advance(one.at))
    taken = min(one.quantity, office.stock.on_hand[key])
    if taken <= 0.0:
        return found
    (item, location), at, name = key, EventTime(one.at), f"{key[0]}-{key[1]}-{one.at}-{office.counts['orders']}"
    line = OrderLine(item_id=item, location=location, quantity=taken)
    order = Order(order_id=name, occurred_at=at, lines=[line])
    measure.observe_order(order)
    heard = SkuDemand(
        event_id=name, order_id=name, item_id=item, location=location, quantity=taken, occurred_at=at, price=None
    )
    return [*found, heard, *office.on_order(order)]


def _input(record: StockUpdate | SkuDemand, offset: int) -> Input:
    topic = STOCK_UPDATES if isinstance(record, StockUpdate) else SKU_DEMAND
    return Input(topic, 0, offset, sku(record.item_id, record.location), record)


def learned(sample: Sample) -> PolicyVersion:
    """A version with the prior of greatest likelihood over the SKUs of a sample, watched a day at a time."""
    seen = DemandPopulation()
    days = (sample.end - sample.start) // DAY
    for (item, location), lines in sample.demand.items():
        units, orders = np.zeros(days), np.zeros(days)
        for one in lines:
            units[(one.at - sample.start) // DAY] += one.quantity
            orders[(one.at - sample.start) // DAY] += 1.0
        seen.update(f"{item}@{location}", [[1.0, each, 0.0] for each in orders.tolist()], units.tolist())
    return PolicyVersion(number=1, parent=0, priors={"replenishment": seen.prior()})


# ---- Rules beside it -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Told:
    """Our rule with the demand of the whole year known: its mean a day and its variance over mean."""

    review_of: Callable[[float, tuple[Due, ...]], Review]
    lead_days: int
    coming: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    day: int = 0
    known: dict[tuple[float, tuple[Due, ...]], float] = field(
        default_factory=dict[tuple[float, tuple[Due, ...]], float]
    )

    def review(self, on_hand: float, on_order: float, sold: float) -> float:  # noqa: ARG002 # a rule may not need it
        self.coming = [each for each in self.coming if each[0] > self.day]
        due = tuple(Due(days=float(at - self.day), units=units) for at, units in self.coming)
        if (on_hand, due) not in self.known:
            self.known[on_hand, due] = choose([self.review_of(on_hand, due)])[0].quantity
        quantity = self.known[on_hand, due]
        if quantity > 0.0:
            self.coming.append((self.day + self.lead_days, quantity))
        self.day += 1
        return quantity


def reviews_of(supply: Supply, belief: Belief) -> Callable[[float, tuple[Due, ...]], Review]:
    """A day's review at some stock, by this belief."""

    def review(on_hand: float, due: tuple[Due, ...]) -> Review:
        return Review(
            on_hand=on_hand,
            due=due,
            belief=belief,
            lead_time_days=supply.lead_time_days,
            review_days=1.0,
            holding_cost=supply.holding_cost,
            shortage_cost=supply.shortage_cost,
            pack_size=float(supply.pack_size),
            min_order=supply.min_order,
            max_order=supply.max_order,
        )

    return review


def told(sample: Sample, key: Sku) -> Told:
    supply, days = sample.supply[key], (sample.end - sample.start) // DAY
    units = np.zeros(days)
    for one in sample.demand[key]:
        units[(one.at - sample.start) // DAY] += one.quantity
    mean = max(1e-6, float(units.mean()))
    belief = Belief(a=1e9, b=1e9 / mean, dispersion=max(1.0, float(units.var()) / mean))
    return Told(reviews_of(supply, belief), round(supply.lead_time_days))


def by_rule(sample: Sample, rule: Callable[[Sku, Terms], Rule]) -> Bill:
    """The bill of a rule, SKU by SKU."""
    ledgers: dict[Sku, Ledger] = {}
    for key, supply in sample.supply.items():
        ledgers[key] = _ledger(sample, key, rule(key, terms_of(supply)))
    return _bill(sample, ledgers)


def in_hindsight(sample: Sample) -> Bill:
    """The bill of the best constant level of each SKU."""
    best: dict[Sku, Ledger] = {}
    for key, supply in sample.supply.items():
        tried = [_ledger(sample, key, BaseStock(float(level))) for level in range(HIGHEST)]
        best[key] = min(tried, key=lambda each: each.unit_days * supply.holding_cost + each.lost * supply.shortage_cost)
    return _bill(sample, best)


def _ledger(sample: Sample, key: Sku, rule: Rule) -> Ledger:
    return simulate(
        sample.demand[key],
        terms_of(sample.supply[key]),
        rule,
        on_hand=sample.opening[key],
        start=sample.start,
        end=sample.end,
    )


def _bill(sample: Sample, ledgers: dict[Sku, Ledger]) -> Bill:
    return Bill(
        holding=sum(ledger.unit_days * sample.supply[key].holding_cost for key, ledger in ledgers.items()),
        shortage=sum(ledger.lost * sample.supply[key].shortage_cost for key, ledger in ledgers.items()),
        fill=1.0 - sum(ledger.lost for ledger in ledgers.values()) / sample.wanted,
    )


RULES: Final[dict[str, Callable[[Sample, PolicyVersion], Bill]]] = {
    "live": live,
    "base-stock": lambda sample, _: by_rule(sample, lambda _key, terms: NaiveBaseStock(terms)),
    "capped": lambda sample, _: by_rule(sample, lambda _key, terms: CappedBaseStock(NaiveBaseStock(terms))),
    "known rate": lambda sample, _: by_rule(sample, lambda key, _terms: told(sample, key)),
    "best level": lambda sample, _: in_hindsight(sample),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="What stock costs on real demand, live and by simpler rules")
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--households", type=int, default=150, help="in each sample")
    parser.add_argument("--first", type=int, default=0, help="the first sample; 0 is the demo's")
    parser.add_argument("--prior", choices=("shipped", "learned"), default="shipped")
    parser.add_argument("--rules", nargs="+", choices=list(RULES), default=list(RULES))
    given = parser.parse_args()
    torch.set_num_threads(1)
    shop, size = Shop(), given.households
    policy = SHIPPED
    if given.prior == "learned":
        policy = learned(shop.sample((given.first + given.samples) * size, size))
        print(f"prior of {size} other households: {policy.priors['replenishment']}")
    print(
        f"{size} households a sample; cost a year = holding + shortage; fill: share of the units wanted that were sold"
    )
    costs: dict[str, list[float]] = {name: [] for name in given.rules}
    for place in range(given.first, given.first + given.samples):
        sample = shop.sample(place * size, size)
        print(f"sample {place}: {len(sample.supply)} SKUs, {sample.wanted:,.0f} units wanted", flush=True)
        for name in given.rules:
            bill = RULES[name](sample, policy)
            costs[name].append(bill.cost)
            print(
                f"  {name:<11} {bill.cost:9,.2f} = {bill.holding:9,.2f} + {bill.shortage:9,.2f}   fill {bill.fill:.1%}",
                flush=True,
            )
    if "base-stock" in costs:
        for name, mine in costs.items():
            shares = np.array(mine) / np.array(costs["base-stock"])
            print(f"{name:<11} over base-stock: {shares.mean():.3f} ({shares.min():.3f} to {shares.max():.3f})")


if __name__ == "__main__":
    main()
