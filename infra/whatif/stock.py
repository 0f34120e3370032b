"""What if other orders had been placed: the recorded demand, shelf by shelf, under each policy. Demand is exogenous."""

from collections.abc import Callable, Sequence
from copy import copy
from statistics import median
from typing import Any, Final

import numpy as np
from msgspec.structs import replace

from agents.replenishment import prior_of
from infra.errors import UserError
from infra.whatif import live_orders, proof
from infra.whatif.shelves import Known, Recorded, recorded
from infra.whatif.shop import Shop
from infra.whatif.source import Source, stepping
from infra.whatif.stock_assumptions import sentences
from infra.whatif.stock_bill import Line, summed
from infra.whatif.stock_wish import LIVE, POLICIES, Played, Wish
from infra.whatif.warehouse import RULES, AsRecorded, Store, agreeing
from policies.version import PolicyVersion
from streams.times import DAY
from streams.topics import CATALOG, ORDERS, REPLENISHMENT_ORDERS, SKU_DEMAND, STOCK_UPDATES

HAPPENED: Final = (ORDERS, SKU_DEMAND, STOCK_UPDATES, REPLENISHMENT_ORDERS)


def what_if(source: Source, wish: Wish) -> dict[str, Any]:
    """The answer, ready for JSON. Raises UserError: no such policy, nothing to simulate."""
    return answered(source, wish).answer


def answered(source: Source, wish: Wish) -> proof.Answered:
    """The answer, and what it proves of versions. Raises as `what_if` does."""
    for name in wish.policies:
        proof.check_name(name, POLICIES)
    played = read(source, wish)
    versions = proof.versions(wish.policies, source)
    control = [_by_record(given) for given in played.shelves]
    lines = {name: _filled(name, played, versions.get(name)) for name in wish.policies}
    check, first, last = (
        _check(control),
        min(one.start for one in played.shelves),
        max(one.end for one in played.shelves),
    )
    proven = None
    if versions:
        served = lines.get(LIVE) or _filled(LIVE, played)
        tried = {name: (version, _came(lines[name])) for name, version in versions.items()}
        proven = proof.Played(
            domain="replenishment",
            of="SKUs",
            decisions=np.array([line.given.days * DAY / wish.review_ms for line in served]),
            serving=played.policy,
            served=_came(served),
            tried=tried,
            agreed=check["share"],
            changed=wish.changed,
        )
    answer = {
        "kind": "stock",
        "policies": {name: summed(of, wish.review_ms) for name, of in lines.items()},
        "against_serving": {} if proven is None else proof.told(proven),
        "recorded": summed(map(_as_it_was(played), played.shelves), wish.review_ms),
        "check": check,
        "assumptions": [*sentences(played, control), *source.unread()],
        "left_out": dict(sorted(played.left_out.items())),
        "range": source.range(first, last),
        "policy_version": played.policy.number,
    }
    return proof.Answered(answer=answer, played=proven, first=first, last=last)


def _came(lines: Sequence[Line]) -> proof.Outcome:
    """Minus the cost of each SKU."""
    cost = [
        one.ledger.unit_days * one.given.supply.holding_cost + one.ledger.lost * one.given.supply.shortage_cost
        for one in lines
    ]
    value = -np.array(cost)
    return proof.Outcome(least=value, most=value)


def read(source: Source, wish: Wish) -> Played:
    """All shelves of the range that say enough. Raises UserError where none does."""
    shop = Shop()
    shop.catalog(source.tables((CATALOG,)))
    for each in source.happened(HAPPENED):
        shop.take(each)
    if not any(known.updates for known in shop.known.values()):
        raise source.nothing("stock updates: what stood on the shelves is unknown")
    shelves = [shelf for key in sorted(shop.known) if (shelf := _shelf(shop, shop.known[key], wish)) is not None]
    if not shelves:
        raise UserError(f"the catalog of {source.name} says of no item that was counted how it is supplied")
    if wish.lead_times == "observed":
        shelves = _with_observed(shelves, wish)
    early = sum(given.lines_before for given in shelves)
    if early:
        shop.left_out["order lines before the first stock update of their SKU"] = early
    played = Played(shelves, shop.left_out, wish, source.policy)
    if wish.censored == "impute":
        prior = prior_of(played.policy)
        played.imputed = {given.key: given.imputed(prior) for given in shelves}
    return played


def _shelf(shop: Shop, known: Known, wish: Wish) -> Recorded | None:
    """One SKU's; None, and counted, where too little is known."""
    item = shop.items.get(known.item_id)
    if not known.updates:
        shop.left_out["SKUs without a stock update"] += 1
        shop.left_out["order lines of SKUs without a stock update"] += len(known.lines)
        return None
    if item is None or item.supply is None:
        shop.left_out["SKUs whose item has no supply in the catalog"] += 1
        return None
    known.category = item.category
    return recorded(known, wish.supply(item.supply), shop.end, usual_lead_days=item.supply.lead_time_days)


def _with_observed(shelves: list[Recorded], wish: Wish) -> list[Recorded]:
    """The same with the median of the lead times seen, item by item; of the others the catalog's."""
    waits: dict[str, list[int]] = {}
    for given in shelves:
        waits.setdefault(given.known.item_id, []).extend(given.waits)
    usual = {item: median(some) / DAY for item, some in waits.items() if some}
    return [
        recorded(
            given.known,
            wish.supply(replace(given.supply, lead_time_days=usual[given.known.item_id])),
            given.end,
            usual_lead_days=usual[given.known.item_id],
        )
        if given.known.item_id in usual
        else given
        for given in shelves
    ]


def _by_record(given: Recorded) -> Store:
    store = Store.open(given, given.wanted, lead_ms=given.usual_lead_ms)
    AsRecorded().fill(store)
    return store


def _filled(name: str, played: Played, version: PolicyVersion | None = None) -> list[Line]:
    stores = [Store.open(given, played.wanted(given)) for given in played.shelves]
    if name == LIVE or version is not None:
        live_orders.fill(stores, version or played.policy, played.wish.review_ms)
    else:
        for store in stepping(stores, name):
            RULES[name](store.given, played.wish.review_ms).fill(store)
    return [_line(store) for store in stores]


def _line(store: Store) -> Line:
    ledger = store.shelf.ledger
    return Line(given=store.given, ledger=ledger, orders=store.orders, ordered_units=ledger.ordered)


def _as_it_was(played: Played) -> Callable[[Recorded], Line]:
    def line(given: Recorded) -> Line:
        ledger = copy(given.ledger)
        ledger.demanded += sum(one.quantity for one in played.imputed.get(given.key, []))
        units = sum(order.units for order in given.orders)
        return Line(given=given, ledger=ledger, orders=len(given.orders), ordered_units=units)

    return line


def _check(control: Sequence[Store]) -> dict[str, Any]:
    """The recorded orders, simulated: how many of the recorded counts come out."""
    counts = sum(len(store.given.counts) for store in control)
    agreed = sum(agreeing(store) for store in control)
    return {"counts": counts, "agreed": agreed, "share": agreed / counts}
