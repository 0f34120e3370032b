"""What stock cost Tradewind, from the topics alone; and what a base-stock rule would have paid on the same demand.

The on-hand path of a SKU is absolute at each stock update, and falls by the order lines between them. What was lost is
demand less sales, so it needs the real demand, which no topic tells: a sale lost at an empty shelf leaves no trace.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from infra.measures.path import Path
from policies.baselines.base_stock import NaiveBaseStock
from policies.baselines.lost_sales import Demand, Ledger, Terms, simulate
from streams.records import CatalogItem, Order, StockUpdate, Supply
from streams.times import DAY
from streams.topics import sku

UNSEEN: Final = "the real demand was not given: a sale lost at an empty shelf leaves no trace on the topics"
NO_STOCK: Final = "no stock updates were seen"

TrueDemand = Iterable[tuple[str, str, int, float]]  # item_id, location, at (epoch ms), quantity


@dataclass(slots=True)
class Bill:
    """Sums over SKUs, in units, days and money."""

    stock_outs: int = 0
    days_out: float = 0.0
    demanded: float = 0.0
    sold: float = 0.0
    lost: float = 0.0
    unit_days: float = 0.0
    holding_cost: float = 0.0
    shortage_cost: float = 0.0

    def add(self, ledger: Ledger, demanded: float, terms: Terms) -> None:
        lost = max(0.0, demanded - ledger.sold)
        self.stock_outs += ledger.stock_outs
        self.days_out += ledger.days_out
        self.demanded += demanded
        self.sold += ledger.sold
        self.lost += lost
        self.unit_days += ledger.unit_days
        self.holding_cost += ledger.unit_days * terms.holding_cost
        self.shortage_cost += lost * terms.shortage_cost

    def result(self, *, demand_known: bool) -> dict[str, Any]:
        seen = {
            "stock_outs": self.stock_outs,
            "days_out_of_stock": self.days_out,
            "sold_units": self.sold,
            "unit_days_held": self.unit_days,
            "holding_cost": self.holding_cost,
        }
        if not demand_known:
            return {**seen, "lost_units": None, "shortage_cost": None, "cost": None, "fill_rate": None, "why": UNSEEN}
        return {
            **seen,
            "lost_units": self.lost,
            "shortage_cost": self.shortage_cost,
            "cost": self.holding_cost + self.shortage_cost,
            "fill_rate": 1 - self.lost / self.demanded if self.demanded else None,
        }


@dataclass(slots=True)
class StockMeasure:
    """Paths by SKU. `demand`, where it is given, is what customers wanted, in time order; units."""

    demand: TrueDemand | None = None
    paths: dict[str, Path] = field(default_factory=dict[str, Path])
    items: dict[str, str] = field(default_factory=dict[str, str])
    supply: dict[str, Supply] = field(default_factory=dict[str, Supply])
    end: int = 0
    _wanted: dict[str, list[Demand]] | None = None

    def observe_catalog(self, item: CatalogItem) -> None:
        if item.supply is not None:
            self.supply[item.item_id] = item.supply

    def observe_order(self, order: Order) -> None:
        at = int(order.occurred_at)
        self.end = max(self.end, at)
        for line in order.lines:
            self._path(line.item_id, line.location).sold(at, line.quantity)

    def observe_stock(self, update: StockUpdate) -> None:
        at = int(update.occurred_at)
        self.end = max(self.end, at)
        self._path(update.item_id, update.location).counted(at, update.on_hand)

    def _path(self, item: str, location: str) -> Path:
        key = sku(item, location)
        path = self.paths.get(key)
        if path is None:
            path = self.paths[key] = Path()
            self.items[key] = item
        return path

    def result(self) -> dict[str, Any]:
        stocked = {key: path for key, path in sorted(self.paths.items()) if path.start is not None}
        if not stocked:
            return {"skus": 0, "tradewind": None, "base_stock": None, "why": NO_STOCK}
        wanted = self._demand_by_sku()
        tradewind, baseline = Bill(), Bill()
        for key, path in stocked.items():
            start, on_hand = path.start or (0, 0.0)
            terms = _terms(self.supply.get(self.items[key]))
            demand = [one for one in wanted.get(key, []) if start <= one.at <= self.end]
            tradewind.add(path.ledger(self.end), sum(one.quantity for one in demand), terms)
            if self.demand is not None:
                ledger = simulate(demand, terms, NaiveBaseStock(terms), on_hand=on_hand, start=start, end=self.end)
                baseline.add(ledger, ledger.demanded, terms)
        known = self.demand is not None
        return {
            "skus": len(stocked),
            "days": (self.end - min(path.start[0] for path in stocked.values() if path.start)) / DAY,
            "tradewind": tradewind.result(demand_known=known),
            "base_stock": baseline.result(demand_known=True) if known else None,
            **({} if known else {"why": UNSEEN}),
        }

    def _demand_by_sku(self) -> dict[str, list[Demand]]:
        if self._wanted is None:
            self._wanted = defaultdict(list)
            for item, location, at, quantity in self.demand or ():
                self._wanted[sku(item, location)].append(Demand(int(at), quantity))
            for lines in self._wanted.values():
                lines.sort()
        return self._wanted


def _terms(supply: Supply | None) -> Terms:
    known = supply or Supply()  # the record's own defaults, as the agent takes them
    return Terms(
        lead_time=round(known.lead_time_days * DAY),
        holding_cost=known.holding_cost,
        shortage_cost=known.shortage_cost,
        pack_size=known.pack_size,
        min_order=known.min_order,
        max_order=known.max_order,
    )
