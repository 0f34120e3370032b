"""The JSON Schema of each topic's record, as its subscribers and producers see it. Draft 7, self-contained."""

from collections.abc import Callable, Iterable
from typing import Any, Final, get_type_hints

import msgspec

from streams.times import EARLIEST, LATEST, EventTime
from streams.topics import Topic

DIALECT: Final = "http://json-schema.org/draft-07/schema#"
_TIME: Final = "event time, epoch milliseconds"

Schema = dict[str, Any]


def schema_of(topic: Topic) -> Schema:
    """The whole schema of a topic's record, with what it refers to under `definitions`.

    >>> from streams.topics import RECOMMENDATIONS
    >>> schema_of(RECOMMENDATIONS)["properties"]["user_id"]
    {'type': 'string'}
    """
    parts = components([topic], "#/definitions/{name}")
    own = parts.pop(topic.record.__name__)
    named: Schema = {"$schema": DIALECT, "$id": f"urn:tradewind:{topic.name}:{topic.version}"}
    return named | own | ({"definitions": parts} if parts else {})


def components(topics: Iterable[Topic], template: str = "#/components/schemas/{name}") -> dict[str, Schema]:
    """The schemas of these topics' records and of what they are made of, by the names of their types."""
    found: dict[str, Schema] = {}
    for topic in topics:
        _, parts = msgspec.json.schema_components([topic.record], ref_template=template)
        for name, part in parts.items():
            found[name] = _walk(part, _as_draft_7)
        found[topic.record.__name__] = _with_times(found[topic.record.__name__], topic)
    return found


def _with_times(schema: Schema, topic: Topic) -> Schema:
    """Times told as such; on the way in they may be text too."""
    kinds = get_type_hints(topic.record)
    properties = dict(schema["properties"])
    for name, was in properties.items():
        if topic.role == "input" and kinds[name] is EventTime:
            number = {"type": "integer", "minimum": EARLIEST, "exclusiveMaximum": LATEST, "description": _TIME}
            text = {"type": "string", "format": "date-time", "description": "RFC 3339, with its offset"}
            properties[name] = {"anyOf": [number, text]}
        elif was.get("type") == "integer" and (name == "as_of" or name.endswith("at")):
            properties[name] = {**was, "description": _TIME}
    return {**schema, "properties": properties}


def _as_draft_7(schema: Schema) -> Schema:
    """Tuples as draft 7 writes them."""
    if "prefixItems" not in schema:
        return schema
    rest = {name: value for name, value in schema.items() if name not in {"prefixItems", "items"}}
    return {**rest, "items": schema["prefixItems"], "additionalItems": schema.get("items", True)}


def _walk(node: Any, change: Callable[[Schema], Schema]) -> Any:
    if isinstance(node, dict):
        return change({name: _walk(value, change) for name, value in node.items()})  # pyright: ignore[reportUnknownVariableType]
    if isinstance(node, list | tuple):
        return [_walk(value, change) for value in node]  # pyright: ignore[reportUnknownVariableType]
    return node
