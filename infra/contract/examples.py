"""One whole record of each topic as an example, made from its schema. The values of known names read like a shop's."""

from typing import Any, Final, cast

from infra.contract.schemas import Schema, schema_of
from streams.times import DAY
from streams.topics import Topic

_NOON: Final = 1_483_272_000_000  # 2017-01-01T12:00Z
_KNOWN: Final[dict[str, Any]] = {
    "event_id": "e-1021-7",
    "user_id": "household-1021",
    "item_id": "milk",
    "location": "north",
    "order_id": "o-55",
    "campaign_id": "spring",
    "decision_id": "d-8f3a",
    "erasure_id": "x-3",
    "experience_id": "d-8f3a/0",
    "entity": "household-1021",
    "event_ids": ["e-1021-7"],
    "placement": "home",
    "category": "dairy",
    "price": 2.49,
    "unit_cost": 1.6,
    "floor": 1.99,
    "ceiling": 3.49,
    "step": 0.1,
    "max_steps": 3,
    "hold_days": 7.0,
    "previous_price": 2.29,
    "units_sold": 37.0,
    "periods": 7.0,
    "bid": 0.35,
    "value": 1.2,
    "budget": 500.0,
    "bid_min": 0.05,
    "bid_max": 2.0,
    "max_bid": 0.8,
    "bid_multiplier": 0.66,
    "quantity": 3.0,
    "on_hand": 40.0,
    "on_order": 12.0,
    "received": 12.0,
    "slate_size": 10,
    "score": 0.71,
    "attributes": {"colour": "white"},
    "context": {"page": "home"},
    "embedding": [0.1, -0.3],
    "companions": [],
    "occurred_at": _NOON,
    "decided_at": _NOON,
    "as_of": _NOON,
    "at": _NOON,
    "published_at": _NOON,
    "matured_at": _NOON + DAY,
    "starts_at": _NOON,
    "ends_at": _NOON + 30 * DAY,
    "attribution_window_ms": DAY,
    "source": ["user-events", 0, 7],
    "topic": "user-events",
    "offset": 7,
    "detail": "user-events: Object missing required field `user_id`",
    "candidates": ["bread", "milk"],
    "chosen": ["milk"],
    "slot_propensities": [0.25],
    "propensity": 0.25,
    "propensities": [0.25],
    "slot_rewards": [1.0],
    "contexts": [[1.0, 0.5]],
    "outcomes": [1.0],
    "action": {"items": ["milk"]},
    "features": {"visits": 3.0},
    "exploration": {"kind": "thompson"},
    "evidence": {"domain": "recommendation"},
    "policy_version": 4,
    "number": 4,
    "parent": 3,
    "feature_version": 2,
    "lead_time_days": 2.0,
    "pack_size": 6,
    "min_order": 0.0,
    "max_order": 600.0,
    "min_fill_rate": 0.9,
    "by": "learner",
}
_PREFERRED: Final = {"purchase", "recommendation", "decision_id", "final", "publish", "second-price", "outcome"}


def example_of(topic: Topic) -> dict[str, Any]:
    """A record with every field, as plain values.

    >>> from streams.topics import BID_ADJUSTMENTS
    >>> example_of(BID_ADJUSTMENTS)["campaign_id"]
    'spring'
    """
    whole = schema_of(topic)
    made: dict[str, Any] = _object(whole, whole.get("definitions", {}))
    if topic.name == "dead-letters":  # the words of a dead letter mean other things than elsewhere
        made |= {"reason": "invalid-record", "value": "e30=", "key": "aG91c2Vob2xkLTEwMjE="}
    return made


def _object(schema: Schema, parts: dict[str, Schema]) -> dict[str, Any]:
    return {name: _value(name, kind, parts) for name, kind in schema["properties"].items()}


def _value(name: str, schema: Schema, parts: dict[str, Schema]) -> Any:
    schema = _resolved(schema, parts)
    if "enum" in schema:
        return next((one for one in schema["enum"] if one in _PREFERRED), schema["enum"][0])
    known = _KNOWN.get(name)
    if known is not None and _fits(known, schema):
        return known
    return _plain(name, schema, parts)


def _plain(name: str, schema: Schema, parts: dict[str, Schema]) -> Any:
    match schema.get("type"):
        case "object":
            return _object(schema, parts) if "properties" in schema else {}
        case "array":
            items: Any = schema.get("items", {})
            kinds = cast(list[Schema], items if isinstance(items, list) else [items])
            return [_value(name, kind, parts) for kind in kinds]
        case "integer":
            return max(int(schema.get("minimum", 0)), 0)
        case "number":
            least = schema["exclusiveMinimum"] + 1 if "exclusiveMinimum" in schema else schema.get("minimum", 0)
            return max(float(least), 0.0)
        case "boolean":
            return False
        case _:
            return name.replace("_", "-")


def _resolved(schema: Schema, parts: dict[str, Schema]) -> Schema:
    if "anyOf" in schema:
        schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
    return parts[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def _fits(value: Any, schema: Schema) -> bool:
    kinds = {
        "object": dict,
        "array": list,
        "integer": int,
        "number": float,
        "string": str,
    }
    return isinstance(value, kinds.get(schema.get("type", ""), ())) and not (
        schema.get("type") == "object" and "properties" in schema
    )
