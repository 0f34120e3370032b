"""The shop's assortment: catalog, and for the best sellers how they are restocked.

Real: departments, categories, brands, sizes, and prices as households paid them. Invented, since the data don't say:
unit costs, lead times, holding costs, pack sizes and order limits. What a number is drawn from stands beside it.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from infra.demo.drawn import drawn
from infra.demo.raw import Columns
from streams.records import CatalogItem, Supply

COST_SHARE: Final = 0.7  # of the price; the margin that a lost sale loses is the rest
CAPITAL_A_YEAR: Final = 0.25  # of the unit cost: money tied up, and the space it stands on
SPOILAGE_A_DAY: Final = 0.02  # of the unit cost, for what is fresh
FRESH: Final = frozenset({"PRODUCE", "MEAT", "SEAFOOD", "DELI", "PASTRY", "FLORAL", "SALAD BAR", "CHEF SHOPPE"})
FRESH_CATEGORIES: Final = frozenset({"FLUID MILK PRODUCTS", "EGGS", "BAKED BREAD/BUNS/ROLLS"})
PACKS: Final = (1, 2, 4, 6, 12, 24)
PACK_DAYS: Final = 3.0  # a pack is at most so many planned days of one location
MOST_DAYS: Final = 60.0  # an order is at most so many planned days

# Not on a shelf: fuel, gift cards, coupons, keyed-in sales.
UNSTOCKED: Final = frozenset({"FUEL", "MISCELLANEOUS", "COUPON", "GM MERCH EXP", "TRAVEL & LEISURE", "RESTAURANT"})
UNSTOCKED_CATEGORY: Final = "COUPON/MISC ITEMS"

Floats = NDArray[np.float64]


def is_shelf_item(department: str, category: str) -> bool:
    return department not in UNSTOCKED and category != UNSTOCKED_CATEGORY


def median_prices(item: NDArray[np.int64], quantity: Floats, value: Floats, items: int) -> Floats:
    """[items] The median price of a piece over the lines of each item; NaN where nothing was ever paid."""
    paid = value > 0
    unit = value[paid] / quantity[paid]
    order = np.lexsort((unit, item[paid]))
    owner, unit = item[paid][order], unit[order]
    first = np.searchsorted(owner, np.arange(items))
    last = np.searchsorted(owner, np.arange(items), side="right")
    prices = np.full(items, np.nan)
    some = last > first
    low, high = (first + last - 1) // 2, (first + last) // 2
    prices[some] = (unit[low[some]] + unit[high[some]]) / 2
    return prices


def supply(item_id: str, category: str, department: str, price: float, plan_a_day: float) -> Supply:
    """How a stocked item is restocked. `plan_a_day`: planned units a day at one location."""
    cost = COST_SHARE * price
    fresh = department in FRESH or category in FRESH_CATEGORIES
    pack = max((size for size in PACKS if size <= PACK_DAYS * plan_a_day), default=1)
    return Supply(
        lead_time_days=float(2 + int(6 * drawn("lead time", item_id))),  # 2 … 7
        holding_cost=round(cost * (CAPITAL_A_YEAR / 365 + (SPOILAGE_A_DAY if fresh else 0.0)), 6),
        shortage_cost=round(price - cost, 4),
        pack_size=pack,
        min_order=float(pack),
        max_order=float(pack * max(1, int(np.ceil(MOST_DAYS * plan_a_day / pack)))),
    )


def catalog(products: Columns, rows: NDArray[np.int64], prices: Floats, plans: dict[int, float]) -> list[CatalogItem]:
    """One record an item: `rows` [I] are its rows in `products`; `plans` holds the stocked ones' units a day."""
    return [_catalog_item(products, int(row), float(prices[i]), plans.get(i)) for i, row in enumerate(rows)]


def _catalog_item(products: Columns, row: int, price: float, plan_a_day: float | None) -> CatalogItem:
    text = {name: str(products[name][row]) for name in ("department", "product_category", "product_type")}
    item_id = str(products["product_id"][row])
    department = text["department"]
    category = text["product_category"] or department
    known = not np.isnan(price)
    return CatalogItem(
        item_id=item_id,
        category=category,
        price=round(price, 4) if known else None,
        unit_cost=round(COST_SHARE * price, 4) if known else None,
        attributes=_attributes(products, row, text),
        supply=supply(item_id, category, department, price, plan_a_day) if known and plan_a_day is not None else None,
    )


def _attributes(products: Columns, row: int, text: dict[str, str]) -> dict[str, Any]:
    found = {
        "department": text["department"],
        "product_type": text["product_type"],
        "brand": str(products["brand"][row]),
        "size": str(products["package_size"][row]),
    }
    return {name: value for name, value in found.items() if value}
