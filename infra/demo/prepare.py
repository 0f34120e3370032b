"""From the tables of the Complete Journey to the input that is played. Slow (seconds); the cache keeps the result."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from infra.demo import assortment, market
from infra.demo.drawn import drawn, drawn_whole
from infra.demo.journey import LOCATIONS, Floats, Ints, Journey, Subset
from infra.demo.raw import Columns, read_table
from streams.codec import encode
from streams.times import DAY, MINUTE

MOST_PIECES: Final = 50  # of one item in one basket; more than that is an article sold by measure, or a slip
_BY_MEASURE: Final = "GASOLINE"  # product types whose quantity is no number of pieces

_LINES: Final = (
    "household_id",
    "store_id",
    "basket_id",
    "product_id",
    "quantity",
    "sales_value",
    "retail_disc",
    "coupon_disc",
    "coupon_match_disc",
    "transaction_timestamp",
)
_PRODUCTS: Final = ("product_id", "department", "product_category", "product_type", "brand", "package_size")
_CAMPAIGNS: Final = ("campaign_id", "campaign_type", "start_date", "end_date")
_REDEMPTIONS: Final = ("household_id", "coupon_upc", "campaign_id", "redemption_date")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What is read of the data package."""

    lines: Columns
    products: Columns
    campaigns: Columns
    redemptions: Columns


def read_tables() -> Tables:
    """Raises UserError."""
    return Tables(
        lines=read_table("transactions", _LINES),
        products=read_table("products", _PRODUCTS),
        campaigns=read_table("campaign_descriptions", _CAMPAIGNS),
        redemptions=read_table("coupon_redemptions", _REDEMPTIONS),
    )


def prepare(subset: Subset, tables: Tables) -> Journey:
    """The subset of the data, cleaned and in order of time. The same subset always gives the same journey."""
    everyone, notes = clean(tables.lines, tables.products)
    chosen = choose_households(np.unique(everyone["household_id"]), subset.households)
    last = int(everyone["transaction_timestamp"].min()) // DAY * DAY + subset.days * DAY
    in_span = everyone["transaction_timestamp"] < last
    ours = np.isin(everyone["household_id"], chosen)
    lines = _in_order(_take(everyone, ours & in_span))
    items = np.unique(lines["product_id"])
    stocked, plan = plan_assortment(tables.products, everyone, ours, items, len(chosen), subset.stocked)
    return _assemble(tables, chosen, lines, items, stocked, plan, notes, last)


def choose_households(ids: Ints, count: int) -> Ints:
    """The `count` households whose numbers draw lowest, so that a larger subset contains a smaller one."""
    return np.sort(np.array(sorted(ids.tolist(), key=lambda each: drawn_whole("household", each))[:count]))


def areas_of(stores: Ints) -> Ints:
    """Index into LOCATIONS of each store's distribution area."""
    known, inverse = np.unique(stores, return_inverse=True)
    area = np.array([int(drawn("area", store) * len(LOCATIONS)) for store in known.tolist()], dtype=np.int64)
    return area[inverse]


def _take(columns: Columns, which: NDArray[Any]) -> Columns:
    return {name: values[which] for name, values in columns.items()}


def clean(lines: Columns, products: Columns) -> tuple[Columns, dict[str, int]]:
    """Lines with a sane number of pieces, and how many were changed.

    Lines of no pieces (coupons without goods, mostly) are dropped. Fuel counts as one piece at what was paid for it:
    its quantity is a measure. Anything else above 50 pieces is capped.
    """
    kept = lines["quantity"] > 0
    found = _take(lines, kept)
    types = np.char.startswith(products["product_type"].astype(np.str_), _BY_MEASURE)
    by_measure = np.isin(found["product_id"], products["product_id"][types])
    pieces = np.where(by_measure, 1, found["quantity"])
    notes = {
        "lines": len(kept),
        "dropped_no_pieces": int((~kept).sum()),
        "fuel_as_one_piece": int(by_measure.sum()),
        "capped_at_50_pieces": int((pieces > MOST_PIECES).sum()),
    }
    found["quantity"] = np.minimum(pieces, MOST_PIECES).astype(np.float64)
    return found, notes


def _in_order(lines: Columns) -> Columns:
    keys = (lines["product_id"], lines["basket_id"], lines["transaction_timestamp"])
    return _take(lines, np.lexsort(keys))


def plan_assortment(
    products: Columns, everyone: Columns, ours: NDArray[np.bool_], items: Ints, households: int, count: int
) -> tuple[Ints, Floats]:
    """The best sellers as indexes into `items` [S], and the units a day planned of each by location [S, locations].

    The plan doesn't look at the households that are played: it is the year's average of all the others, scaled to
    their number. Where nobody is left over, it is the average of everybody.
    """
    others = everyone if bool(ours.all()) else _take(everyone, ~ours)
    left = len(np.unique(others["household_id"]))
    row = np.searchsorted(products["product_id"], items)
    shelf = np.array(
        [
            assortment.is_shelf_item(str(department), str(category))
            for department, category in zip(products["department"][row], products["product_category"][row], strict=True)
        ]
    )
    known = np.isin(others["product_id"], items[shelf])
    place = np.searchsorted(items, others["product_id"][known])
    revenue = np.bincount(place, weights=others["sales_value"][known], minlength=len(items))
    stocked = np.sort(np.argsort(-revenue, kind="stable")[: min(count, int((revenue > 0).sum()))])
    cell = place * len(LOCATIONS) + areas_of(others["store_id"][known])
    units = np.bincount(cell, weights=others["quantity"][known], minlength=len(items) * len(LOCATIONS))
    plan: Floats = (units.reshape(len(items), -1)[stocked] * (households / left / 365)).astype(np.float64)
    return stocked, plan


def spread(at: Ints, household: Ints, lines: Ints) -> tuple[Ints, Ints]:
    """[B] When each basket's slate is asked for, and when it is paid: a household's baskets never overlap.

    `at` [B] is in order; a basket takes a millisecond a line and one more. Baskets in the same second are moved apart.
    """
    free: dict[int, int] = {}
    asked, paid = np.empty_like(at), np.empty_like(at)
    for basket, (when, who, count) in enumerate(zip(at.tolist(), household.tolist(), lines.tolist(), strict=True)):
        earliest = free.get(who, 0)
        asked[basket] = max(when - MINUTE, earliest)
        paid[basket] = max(when, int(asked[basket]) + 1)
        free[who] = int(paid[basket]) + 2 * count + 2  # a click and a purchase a line at most
    return asked, paid


def _assemble(
    tables: Tables,
    chosen: Ints,
    lines: Columns,
    items: Ints,
    stocked: Ints,
    plan: Floats,
    notes: dict[str, int],
    last: int,
) -> Journey:
    _, first, count = np.unique(lines["basket_id"], return_index=True, return_counts=True)
    order = np.argsort(first)
    first, count = first[order], count[order]
    household = np.searchsorted(chosen, lines["household_id"][first])
    asked, paid = spread(lines["transaction_timestamp"][first], household, count)
    item = np.searchsorted(items, lines["product_id"])
    prices = assortment.median_prices(item, lines["quantity"], lines["sales_value"], len(items))
    plans = dict(zip(stocked.tolist(), plan.mean(axis=1).tolist(), strict=True))
    begins = int(lines["transaction_timestamp"].min()) // DAY * DAY
    ends = min(last, int(paid.max()) // DAY * DAY + DAY)
    redeemed = _redemptions(tables.redemptions, chosen, ends)
    return Journey(
        households=chosen.astype(np.str_),
        items=items.astype(np.str_),
        asked_at=asked,
        at=paid,
        baskets=lines["basket_id"][first],
        household=household,
        location=areas_of(lines["store_id"])[first],
        store=lines["store_id"][first],
        first_line=np.append(first, len(item)),
        item=item,
        quantity=lines["quantity"],
        value=lines["sales_value"],
        discount=lines["retail_disc"],
        coupon=lines["coupon_disc"] + lines["coupon_match_disc"],
        redeemed_at=redeemed["redemption_date"],
        redeemer=np.searchsorted(chosen, redeemed["household_id"]),
        coupon_upc=redeemed["coupon_upc"],
        coupon_campaign=redeemed["campaign_id"],
        stocked=stocked,
        plan=plan,
        catalog=_json(
            assortment.catalog(tables.products, np.searchsorted(tables.products["product_id"], items), prices, plans)
        ),
        campaigns=_json(market.campaigns(tables.campaigns, begins, ends)),
        notes=_json(notes),
    )


def _redemptions(redemptions: Columns, chosen: Ints, ends: int) -> Columns:
    """Of the chosen households, in order. The data name the day only: noon is taken."""
    at = redemptions["redemption_date"] + DAY // 2
    ours = np.isin(redemptions["household_id"], chosen) & (at < ends)
    found = _take({**redemptions, "redemption_date": at}, ours)
    return _take(found, np.argsort(found["redemption_date"], kind="stable"))


def _json(value: Any) -> NDArray[np.uint8]:
    return np.frombuffer(encode(value), dtype=np.uint8)
