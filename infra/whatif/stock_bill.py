"""What shelves came to, summed over all of them and over classes of SKUs. Units, days and money; no simulation."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from infra.whatif.shelves import Recorded
from policies.baselines.lost_sales import Ledger
from streams.times import DAY

FAST_FROM: Final = 1.0  # units sold a review in stock, from which a SKU is a fast mover


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One SKU's part of a bill. `ordered_units` are those of `orders`."""

    given: Recorded
    ledger: Ledger
    orders: int
    ordered_units: float


def summed(lines: Iterable[Line], review_ms: int) -> dict[str, Any]:
    """The whole bill, and those of fast and slow movers and of each category."""
    all_of = list(lines)
    by_speed, by_category = defaultdict[str, list[Line]](list), defaultdict[str, list[Line]](list)
    for line in all_of:
        by_speed[speed(line.given, review_ms)].append(line)
        by_category[line.given.known.category].append(line)
    return {
        **_bill(all_of),
        "by_class": {name: _bill(some) for name, some in sorted(by_speed.items())},
        "by_category": {name: _bill(some) for name, some in sorted(by_category.items())},
    }


def speed(given: Recorded, review_ms: int) -> str:
    """`fast` or `slow`, by what was sold a day in stock as recorded: the same SKUs whatever policy is looked at."""
    in_stock = given.days - given.ledger.days_out
    return "fast" if in_stock > 0.0 and given.ledger.sold / in_stock * review_ms / DAY >= FAST_FROM else "slow"


def _bill(lines: list[Line]) -> dict[str, Any]:
    holding = sum(line.ledger.unit_days * line.given.supply.holding_cost for line in lines)
    shortage = sum(line.ledger.lost * line.given.supply.shortage_cost for line in lines)
    demanded, lost = (sum(getattr(line.ledger, name) for line in lines) for name in ("demanded", "lost"))
    unit_days, days = sum(line.ledger.unit_days for line in lines), sum(line.given.days for line in lines)
    return {
        "skus": len(lines),
        "cost": holding + shortage,
        "holding_cost": holding,
        "shortage_cost": shortage,
        "fill_rate": 1.0 - lost / demanded if demanded else None,
        "demanded_units": demanded,
        "sold_units": demanded - lost,
        "lost_units": lost,
        "stock_outs": sum(line.ledger.stock_outs for line in lines),
        "days_out_of_stock": sum(line.ledger.days_out for line in lines),
        "orders": sum(line.orders for line in lines),
        "ordered_units": sum(line.ordered_units for line in lines),
        "unit_days_held": unit_days,
        "average_stock": unit_days / days if days else None,  # units of a SKU
    }
