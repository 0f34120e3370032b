"""A change of a record that breaks its readers or writers doesn't pass unnoticed."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.contract import snapshot
from infra.contract.compatibility import DIRECTIONS, breaking
from infra.contract.schemas import schema_of
from streams.topics import BY_NAME, TOPICS, Topic


@pytest.mark.parametrize("topic", TOPICS, ids=str)
def test_the_agreed_contract_is_kept(topic: Topic) -> None:
    broken = snapshot.problems(topic)
    assert not broken, f"raise the version of {topic} in streams/topics.py, or undo: {broken}"
    place = snapshot.place_of(topic)
    assert place.is_file(), "run `python -m infra.contract.snapshot`"
    assert place.read_bytes() == snapshot.text_of(topic), "run `python -m infra.contract.snapshot`"


def changed(topic: str, path: str, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema as it is, and with one place in it set anew; a value of ... takes the place away."""
    was = schema_of(BY_NAME[topic])
    now = deepcopy(was)
    *way, last = path.split("/")
    node: Any = now
    for step in way:
        node = node[int(step) if step.isdigit() else step]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return was, now


FREE = {"type": "string"}
BREAKS = [
    ("user-events", "properties/item_id", ..., "item_id: is gone"),
    ("user-events", "required", ["event_id", "user_id", "type", "occurred_at", "item_id"], "item_id: is now required"),
    ("user-events", "properties/slate_size/anyOf/0/maximum", 50, "slate_size: maximum is narrower"),
    ("user-events", "properties/slate_size/anyOf/0/minimum", 2, "slate_size: minimum is narrower"),
    ("user-events", "properties/user_id", {"type": "integer"}, "user_id: no longer takes string"),
    ("user-events", "properties/type/enum", ["view", "click"], "type: no longer takes add_to_cart, purchase"),
    ("user-events", "properties/price", {"type": "number"}, "price: no longer takes null"),
    ("user-events", "properties/occurred_at/anyOf", [{"type": "integer"}], "occurred_at: no longer takes string"),
    ("user-events", "properties/event_id/pattern", "^e", "event_id: pattern has changed"),
    ("user-events", "properties/item_id/default", "none", "item_id: its default has changed"),
    ("orders", "properties/lines/maxItems", 10, "lines: maxItems is narrower"),
    ("orders", "definitions/OrderLine/required", ["item_id", "location", "quantity", "price"], "lines[].price: is now"),
    ("orders", "definitions/OrderLine/properties/location", ..., "lines[].location: is gone"),
    ("catalog", "definitions/Supply/properties/pack_size/maximum", 10, "supply.pack_size: maximum is narrower"),
    ("recommendations", "properties/items", ..., "items: is gone"),
    ("recommendations", "definitions/ScoredItem/properties/score/type", "string", "items[].score: may now be string"),
    ("recommendations", "properties/policy_version/type", "number", "policy_version: may now be number"),
    ("recommendations", "properties/placement", {"anyOf": [FREE, {"type": "null"}]}, "placement: may now be null"),
    ("recommendations", "required", ["decision_id"], "user_id: may now be missing"),
    ("outcomes", "properties/label/enum", ["final", "correction", "guess"], "label: may now be guess"),
    ("outcomes", "properties/label", FREE, "label: may now be string"),
    ("decisions", "properties/source/items", [FREE, FREE, {"type": "integer"}], "source[1]:"),
    ("decisions", "properties/source/items", [FREE], "source: length has changed"),
    ("item-activity", "properties/quantity/maximum", 2e9, "quantity: maximum is wider"),
    ("item-activity", "properties/quantity/maximum", 5, "quantity: maximum is narrower"),
    ("item-stats", "properties/features/additionalProperties/type", "string", "features.*:"),
]


@pytest.mark.parametrize(("topic", "path", "value", "said"), BREAKS)
def test_a_breaking_change_is_named(topic: str, path: str, value: Any, said: str) -> None:
    was, now = changed(topic, path, value)
    found = breaking(was, now, DIRECTIONS[BY_NAME[topic].role])
    assert any(one.startswith(said) for one in found), found


KEEPS = [
    ("user-events", "properties/colour", {"anyOf": [FREE, {"type": "null"}], "default": None}),
    ("user-events", "required", ["event_id"]),
    ("user-events", "properties/slate_size/anyOf/0/maximum", 500),
    (
        "user-events",
        "properties/type/enum",
        [*"abc", "view", "search", "click", "add_to_cart", "remove_from_cart", "purchase", "request"],
    ),
    ("user-events", "properties/user_id/description", "who"),
    ("stock-updates", "properties/on_hand/maximum", 1e12),
    ("recommendations", "properties/colour", FREE),
    ("recommendations", "properties/decided_at/minimum", 5),
    ("recommendations", "properties/policy_version", {"type": "integer", "enum": [1, 2]}),
    ("outcomes", "properties/extra", {"anyOf": [FREE, {"type": "null"}], "default": None}),
]


@pytest.mark.parametrize(("topic", "path", "value"), KEEPS)
def test_a_change_that_breaks_nobody_passes(topic: str, path: str, value: Any) -> None:
    was, now = changed(topic, path, value)
    assert not breaking(was, now, DIRECTIONS[BY_NAME[topic].role])


@pytest.mark.parametrize("topic", TOPICS, ids=str)
def test_every_field_is_guarded_one_by_one(topic: Topic) -> None:
    was = schema_of(topic)
    for name in was["properties"]:
        _, now = changed(topic.name, f"properties/{name}", ...)
        assert f"{name}: is gone" in breaking(was, now, DIRECTIONS[topic.role])
        _, now = changed(topic.name, f"properties/{name}", {"type": "null"})
        assert breaking(was, now, DIRECTIONS[topic.role])


def test_a_raised_version_starts_afresh(tmp_path: Path) -> None:
    topic = BY_NAME["recommendations"]
    was = schema_of(topic)
    was["properties"]["urgency"] = FREE
    snapshot.place_of(topic, tmp_path).write_bytes(orjson.dumps(was))
    assert snapshot.problems(topic, tmp_path) == ["recommendations: urgency: is gone"]
    raised = Topic(name=topic.name, record=topic.record, key=topic.key, role=topic.role, version=topic.version + 1)
    assert snapshot.problems(raised, tmp_path) == []
