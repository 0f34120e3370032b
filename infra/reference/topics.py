"""The page of the topics and their records, from `streams/topics.py` and `streams/records.py`."""

import re
from collections.abc import Iterator
from typing import Final

import orjson

from infra.contract.document import key_template
from infra.contract.examples import example_of
from infra.contract.schemas import schema_of
from infra.reference.kinds import Schema, cell, in_words
from streams.topics import TOPICS, Topic

NAME: Final = "topics.md"
_ROLES: Final = {
    "input": (
        "What Tradewind reads",
        "Your services write these, or a mapping makes them ([own events](../own-events.md)).",
    ),
    "action": ("What it does", "Any service may read these ([how to subscribe](../subscribe.md))."),
    "log": ("What it tells of itself", "For evaluation, for looking after it, and for audit."),
    "internal": ("Between its own agents", "Not for others: these may change with any version."),
}
_ABOUT: Final = """\
# Topics and records

Records are JSON, UTF-8. Names are those of the contract; on your cluster a topic may go by another
([own events](../own-events.md)). Times that you send are epoch milliseconds or RFC 3339; times that you read are epoch
milliseconds. Fields that aren't listed are ignored on the way in. The same, as schemas:
[asyncapi.yaml](../asyncapi.yaml).

This page is made from `streams/topics.py` and `streams/records.py` by `python -m infra.reference`.
"""


def page() -> str:
    """The page, as Markdown."""
    return "\n".join([_ABOUT, *_overview(), "", *(line for role in _ROLES for line in _part(role))])


def _overview() -> Iterator[str]:
    yield "| topic | role | key | kept | version |"
    yield "|---|---|---|---|---|"
    for topic in TOPICS:
        yield f"| [`{topic}`](#{topic}) | {topic.role} | {_key(topic)} | {_kept(topic)} | {topic.version} |"


def _part(role: str) -> Iterator[str]:
    title, about = _ROLES[role]
    yield from (f"## {title}", "", about, "")
    for topic in TOPICS:
        if topic.role == role:
            yield from _topic(topic)


def _topic(topic: Topic) -> Iterator[str]:
    schema = schema_of(topic)
    yield from (f"### {topic}", "", f"Key: {_key(topic)}. Kept: {_kept(topic)}. Version {topic.version}.", "")
    if topic.copartition is not None:
        same = [f"`{other}`" for other in TOPICS if other.copartition == topic.copartition and other is not topic]
        if same:
            yield from (f"It must have as many partitions as {', '.join(same)}.", "")
    yield from _record(schema)
    for name, part in schema.get("definitions", {}).items():
        yield from (f"`{name}`:", "")
        yield from _record(part)
    yield from ("```json", orjson.dumps(example_of(topic), option=orjson.OPT_INDENT_2).decode(), "```", "")


def _record(schema: Schema) -> Iterator[str]:
    if "description" in schema:
        yield from (re.sub(r"[ \t]*\n[ \t]*", "\n", schema["description"]), "")
    yield "| field | takes | needed |"
    yield "|---|---|---|"
    needed = set(schema.get("required", ()))
    for name, part in schema.get("properties", {}).items():
        yield f"| `{name}` | {_takes(part)} | {'yes' if name in needed else 'no' + _otherwise(part)} |"
    yield ""


def _takes(schema: Schema) -> str:
    about = f": {schema['description']}" if "description" in schema and "anyOf" not in schema else ""
    return in_words(schema) + cell(about)


def _otherwise(schema: Schema) -> str:
    value = schema.get("default")
    return "" if value is None or value in ({}, []) else f", else `{orjson.dumps(value).decode()}`"


def _key(topic: Topic) -> str:
    template = key_template(topic)
    return f"`{template}`"


def _kept(topic: Topic) -> str:
    kept = "the last record of each key (compacted)" if topic.compacted else "all, until the retention"
    return kept + (", one partition" if topic.single else "")
