"""The demo's input: a year of real baskets, ready to play. What is invented for it lives in assortment and market.

The data are dunnhumby's Complete Journey 2017: baskets, products, prices, discounts, stores, campaigns and coupon
redemptions are real. Its times carry no zone and are taken as UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.records import Campaign, CatalogItem, Supply

LOCATIONS: Final = ("north", "south")  # two distribution areas; a store's area is drawn from its number

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """Which part of the data is played. `stocked`: the best sellers that a warehouse keeps. `days`: from the first."""

    households: int = 150
    stocked: int = 60
    days: int = 366

    def __post_init__(self) -> None:
        for name in ("households", "stocked", "days"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")


class RealDemand(NamedTuple):
    """One line of a real basket that asks for a stocked item: what would be sold if the shelf were never empty."""

    item_id: str
    location: str
    at: int  # epoch ms; the same as `occurred_at` of the order
    quantity: float


@dataclass(frozen=True, kw_only=True)
class Journey:
    """The prepared input. B baskets in order of time, L lines in order of basket, S stocked items, R redemptions.

    Indexes point into `households`, `items` and `LOCATIONS`. Money is in dollars, times are epoch milliseconds.
    """

    households: NDArray[np.str_]  # [H] ids
    items: NDArray[np.str_]  # [I] ids
    asked_at: Ints  # [B] when the slate is asked for: a minute before the basket, and after the one before it
    at: Ints  # [B] when the basket is paid
    baskets: Ints  # [B] ids
    household: Ints  # [B] index
    location: Ints  # [B] index
    store: Ints  # [B] the store's own number
    first_line: Ints  # [B + 1] a basket's lines are first_line[b] … first_line[b + 1]
    item: Ints  # [L] index
    quantity: Floats  # [L] pieces
    value: Floats  # [L] what was paid for the line
    discount: Floats  # [L] off the shelf price, by the shop
    coupon: Floats  # [L] off by coupons, the shop's match included
    redeemed_at: Ints  # [R]
    redeemer: Ints  # [R] index of the household
    coupon_upc: Ints  # [R]
    coupon_campaign: Ints  # [R]
    stocked: Ints  # [S] index of the item
    plan: Floats  # [S, locations] units a day that the assortment plan expects
    catalog: NDArray[np.uint8]  # JSON of CatalogItem records
    campaigns: NDArray[np.uint8]  # JSON of Campaign records
    notes: NDArray[np.uint8]  # JSON: counts of what was dropped or capped

    def catalog_items(self) -> list[CatalogItem]:
        """Every item that occurs in the subset."""
        return _decode(self.catalog, list[CatalogItem])

    def ad_campaigns(self) -> list[Campaign]:
        """The real campaigns with their real dates; budgets and bids are invented."""
        return _decode(self.campaigns, list[Campaign])

    def cleaned(self) -> dict[str, int]:
        """How many lines were dropped or capped, by why."""
        return _decode(self.notes, dict[str, int])

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def supply_of(journey: Journey) -> dict[str, Supply]:
    """How each stocked item is restocked; items that are not named never run out."""
    return {item.item_id: item.supply for item in journey.catalog_items() if item.supply is not None}


def initial_stock(journey: Journey, days: float = 10.0) -> dict[tuple[str, str], float]:
    """Units by item and location on the first morning: so many days of the assortment plan, at least one unit."""
    ids = [str(journey.items[index]) for index in journey.stocked]
    return {
        (item, location): float(max(1.0, np.ceil(days * journey.plan[row, column])))
        for row, item in enumerate(ids)
        for column, location in enumerate(LOCATIONS)
    }


def real_demand(journey: Journey) -> Iterator[RealDemand]:
    """The real demand for the stocked items, in order of time."""
    is_stocked = np.zeros(len(journey.items), dtype=bool)
    is_stocked[journey.stocked] = True
    lines = np.flatnonzero(is_stocked[journey.item])
    basket = np.searchsorted(journey.first_line, lines, side="right") - 1
    ids = journey.items[journey.item[lines]].tolist()
    where = journey.location[basket].tolist()
    when = journey.at[basket].tolist()
    for item, location, at, quantity in zip(ids, where, when, journey.quantity[lines].tolist(), strict=True):
        yield RealDemand(item, LOCATIONS[location], at, quantity)


def _decode(raw: NDArray[np.uint8], kind: Any) -> Any:
    return msgspec.json.decode(raw.tobytes(), type=kind)
