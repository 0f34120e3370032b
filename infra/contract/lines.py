"""A record as one line for a person: what was decided, of whom, and by which version."""

from base64 import b64decode
from binascii import Error
from collections.abc import Callable
from typing import Any, Final

import msgspec
import orjson

from streams.codec import encode
from streams.times import iso
from streams.topics import Topic

_SHOWN: Final = 10  # items of a slate
_LONG: Final = 160
_TIMES: Final = ("decided_at", "matured_at", "occurred_at", "published_at", "as_of", "at")


def line(topic: Topic, key: str, record: Any, timestamp: int) -> str:
    """One line; `timestamp` is the log's own and stands in where the record has no time.

    >>> from streams.records import BidAdjustment
    >>> from streams.topics import BID_ADJUSTMENTS
    >>> made = BidAdjustment(
    ...     decision_id="d1", campaign_id="c", bid_multiplier=0.5, max_bid=1.2, reason="pace", policy_version=3,
    ...     decided_at=1483272000000,
    ... )
    >>> line(BID_ADJUSTMENTS, "c", made, 0)
    '2017-01-01T12:00:00Z  c  bid ×0.5, at most 1.2  (pace)  policy 3  d1'
    """
    if record is None:
        return f"{iso(timestamp)}  {key}  deleted"
    at = next((value for name in _TIMES if isinstance(value := getattr(record, name, None), int)), timestamp)
    told = _TOLD.get(topic.name, _plain)(record)
    return f"{iso(at)}  {key}  {told}"


def data(record: Any) -> Any:
    """The record as plain values."""
    return None if record is None else orjson.loads(encode(record))


def text_of(base64: str | None) -> str:
    """Original bytes as a person reads them."""
    if base64 is None:
        return "nothing"
    try:
        raw = b64decode(base64, validate=True)
    except (Error, ValueError):
        return base64
    return raw.decode(errors="backslashreplace")


def short(text: str, limit: int = _LONG) -> str:
    """On one line, cut where it is long.

    >>> short("a\\n" + "b" * 9, 5)
    'a bbb…'
    """
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else f"{flat[:limit]}…"


def _recommendation(record: Any) -> str:
    items = ", ".join(f"{one.item_id} {one.score:.3g}" for one in record.items[:_SHOWN])
    more = f", and {len(record.items) - _SHOWN} more" if len(record.items) > _SHOWN else ""
    return f"{record.placement}: {items or 'nothing'}{more}  {_by(record)}"


def _bid(record: Any) -> str:
    bid = f"bid ×{record.bid_multiplier:.4g}, at most {record.max_bid:.4g}" if record.max_bid else "do not bid"
    return f"{bid}  ({record.reason})  {_by(record)}"


def _order(record: Any) -> str:
    return f"order {record.quantity:g}  ({record.reason})  {_by(record)}"


def _decision(record: Any) -> str:
    chosen = ", ".join(record.chosen[:_SHOWN]) or "nothing"
    fallback = f"  fallback: {record.fallback}" if record.fallback else ""
    many = len(record.candidates)
    return f"{record.domain}: {chosen} of {many}, propensity {record.propensity:.3g}{fallback}  {_by(record)}"


def _outcome(record: Any) -> str:
    return f"{record.domain}: reward {record.reward:.4g}  {record.label}, by {record.attribution}  {_by(record)}"


def _letter(record: Any) -> str:
    place = f"{record.topic}, partition {record.partition}, offset {record.offset}"
    return f"{record.reason}  {place}: {short(record.detail)}  {short(text_of(record.value))}"


def _version(record: Any) -> str:
    why = f"  ({record.reason})" if record.reason else ""
    return f"{record.act} version {record.number} by {record.by}{why}  {record.sha256[:12]}"


def _by(record: Any) -> str:
    return f"policy {record.policy_version}  {record.decision_id}"


def _plain(record: Any) -> str:
    told = {name: value for name, value in msgspec.structs.asdict(record).items() if value is not None}
    return short(encode(told).decode())


_TOLD: Final[dict[str, Callable[[Any], str]]] = {
    "recommendations": _recommendation,
    "bid-adjustments": _bid,
    "replenishment-orders": _order,
    "decisions": _decision,
    "outcomes": _outcome,
    "dead-letters": _letter,
    "policy-versions": _version,
}
