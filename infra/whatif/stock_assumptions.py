"""Which parts of a simulated stock are assumption, each with how often it was needed. Nothing is simulated here."""

from collections.abc import Sequence
from statistics import median

from infra.whatif.live_orders import slice_ms
from infra.whatif.shelves import Recorded
from infra.whatif.stock_wish import LIVE, Played
from infra.whatif.warehouse import Store, agreeing
from streams.times import DAY, HOUR


def sentences(played: Played, control: Sequence[Store]) -> list[str]:
    """All of them, what matters most first; one that was never needed is not said."""
    given = played.shelves
    return [
        one
        for one in (
            *_demand(played, given),
            *_lead_times(played, given),
            *_counts(given),
            _control(control),
            *_policies(played, given),
        )
        if one
    ]


def _demand(played: Played, given: Sequence[Recorded]) -> list[str]:
    lines, units = sum(len(one.wanted) for one in given), sum(w.quantity for one in given for w in one.wanted)
    outs, days = sum(len(one.stock_outs) for one in given), sum(one.ledger.days_out for one in given)
    while_out = sum(one.lines_while_out for one in given)
    missing = sum(one.units_while_out for one in given)
    emptied = sum(one.lines_that_emptied for one in given)
    said = [f"Demand is what order lines say, {lines:,} lines of {units:,.4g} units, and would have been the same."]
    if while_out:
        said.append(
            f"{while_out:,} order lines asked for more than the stock updates leave, {missing:,.4g} units: "
            "they count as lost in the record, and as demand for every policy."
        )
    if outs and played.wish.censored == "as-recorded":
        said.append(
            f"In {outs:,} recorded stock-outs of {days:,.4g} days in all, what was not ordered is taken not to have "
            "been wanted: the record's lost sales are understated, and so is what more stock is worth (see --censored)."
        )
    elif outs:
        imputed = sum(len(some) for some in played.imputed.values())
        said.append(
            f"In {outs:,} recorded stock-outs of {days:,.4g} days in all, {imputed:,} units are taken to have been "
            "wanted, single units at each SKU's believed rate in stock: the record loses them all."
        )
    if emptied:
        said.append(f"{emptied:,} order lines took the last unit: they are taken not to have wanted more.")
    return said


def _lead_times(played: Played, given: Sequence[Recorded]) -> list[str]:
    waits, orders = [wait for one in given for wait in one.waits], sum(len(one.orders) for one in given)
    under_way = [receipt.units for one in given for receipt in one.under_way]
    by_receipt = sum(one.orders_are_receipts for one in given)
    wish = played.wish
    said: list[str] = []
    if wish.lead_time_days is not None:
        said.append(f"Every order arrives in full after {wish.lead_time_days:g} days, as asked.")
    else:
        whose = "the median seen of its item, or its catalog" if wish.lead_times == "observed" else "its item's catalog"
        said.append(f"Every order arrives in full after the lead time of {whose}.")
    if waits:
        on_time = sum(wait == one.usual_lead_ms for one in given for wait in one.waits)
        said.append(
            f"Of {orders:,} recorded orders {len(waits):,} match a receipt, {on_time:,} after exactly their lead time; "
            f"the median is {median(waits) / DAY:.3g} days."
        )
    if under_way:
        said.append(
            f"{len(under_way):,} receipts of {sum(under_way):,.4g} units are taken to have been ordered before the "
            "range: they arrive whatever is ordered."
        )
    if by_receipt:
        said.append(
            f"Of {by_receipt:,} SKUs no orders were logged: each later receipt is taken to be an order of "
            "a lead time before."
        )
    return said


def _counts(given: Sequence[Recorded]) -> list[str]:
    assumed = sum(one.assumed_receipts for one in given)
    corrections = [each.units for one in given for each in one.corrections]
    said: list[str] = []
    if assumed:
        said.append(f"{assumed:,} counts rose without naming what was received: the rise is taken to be a receipt.")
    if corrections:
        said.append(
            f"{len(corrections):,} counts differ from sales and receipts, by {sum(map(abs, corrections)):,.4g} units: "
            "the same corrections are made to every simulated shelf."
        )
    return said


def _control(control: Sequence[Store]) -> str:
    counts, agreed = sum(len(one.given.counts) for one in control), sum(agreeing(one) for one in control)
    if agreed == counts:
        return f"The recorded orders, simulated, give exactly the recorded stock at all {counts:,} counts."
    return (
        f"The recorded orders, simulated, give the recorded stock at {agreed:,} of {counts:,} counts: "
        "the rest came earlier, later or in other quantities than ordered."
    )


def _policies(played: Played, given: Sequence[Recorded]) -> list[str]:
    said = ["What is on hand or under way at the end is worth nothing, to any policy."]
    if LIVE not in played.wish.policies:
        return said
    number = played.policy.number
    learned = f"the prior of version {number}, which may have learned from this range"
    prior = learned if number else "the shipped prior"
    said.append(f"The live policy starts with {prior} and what each shelf then shows; it hears of stock at once.")
    late = sum(one.lead_ms < HOUR for one in given)
    if late and slice_ms(given) == HOUR:
        said.append(f"Of {late:,} SKUs with a lead time under an hour its orders come up to an hour late.")
    return said
