"""What becomes of a dead letter's message now, and what is written for it."""

import tomllib
from base64 import b64encode
from dataclasses import replace
from typing import Any

import orjson
import pytest

from infra.mapping.entrance import Entrance
from infra.mapping.rules import compiled
from infra.retry import Letter, Wanted, fate, outputs
from infra.settings import Settings
from streams.records import DeadLetter
from tests.unit.infra.mapping import shops

SETTINGS = Settings(prefix="eu.", topics={"orders": "shop.sales"})
GOOD = {
    "order_id": "o1",
    "occurred_at": 1_483_272_000_000,
    "lines": [{"item_id": "milk", "location": "here", "quantity": 1}],
}
MAPPED = Entrance(compiled(tomllib.loads(shops.WEBHOOKS_MAPPING)))


def letter(value: Any, *, topic: str = "orders", key: str = "o1", reason: str = "invalid-record") -> Letter:
    record = DeadLetter(
        topic=topic,
        partition=1,
        offset=5,
        reason=reason,
        detail="",
        value=None if value is None else b64encode(orjson.dumps(value)).decode(),
        at=1_600_000_000_000,
        key=b64encode(key.encode()).decode(),
    )
    return Letter(0, 17, record)


@pytest.mark.parametrize(
    ("one", "entrance", "said"),
    [
        (letter(GOOD), Entrance(), "read"),
        (letter({}), Entrance(), "unreadable"),
        (letter(GOOD, key="another"), Entrance(), "unreadable"),
        (letter(None), Entrance(), "bytes-not-kept"),
        (letter(None, reason="null-value"), Entrance(), "unreadable"),
        (letter(None, topic="catalog", reason="null-value"), Entrance(), "read"),
        (letter(GOOD, topic="gone"), Entrance(), "unknown-topic"),
        (letter(shops.WEBHOOKS[1], topic="from:shop.orders"), MAPPED, "read"),
        (letter(shops.WEBHOOKS[0], topic="from:shop.orders"), MAPPED, "left"),
        (letter({"id": 1}, topic="from:shop.orders"), MAPPED, "unreadable"),
        (letter(shops.WEBHOOKS[1], topic="from:shop.orders"), Entrance(), "unknown-topic"),
    ],
)
def test_its_fate(one: Letter, entrance: Entrance, said: str) -> None:
    assert fate(one, entrance) == said
    assert (outputs(SETTINGS, one, entrance) is None) == (said != "read")


def test_original_bytes_go_back_to_their_topic_and_partition() -> None:
    (out,) = outputs(SETTINGS, letter(GOOD), Entrance()) or []
    assert (out.topic, out.key, out.value, out.partition) == ("shop.sales", b"o1", orjson.dumps(GOOD), 1)


def test_what_came_from_a_shops_own_topic_goes_to_ours() -> None:
    outs = outputs(SETTINGS, letter(shops.WEBHOOKS[1], topic="from:shop.orders"), MAPPED) or []
    assert [one.topic for one in outs] == ["shop.sales", "eu.user-events", "eu.user-events"]
    assert {one.partition for one in outs} == {None}
    assert outs[1].key == b"207119551"


def test_force_puts_back_what_cannot_be_read_but_never_on_a_shops_topic() -> None:
    assert outputs(SETTINGS, letter({}), Entrance(), force=True)
    assert outputs(SETTINGS, letter({"id": 1}, topic="from:shop.orders"), MAPPED, force=True) is None
    assert outputs(SETTINGS, letter(None), Entrance(), force=True) is None


def test_letters_are_chosen_by_reason_and_topic() -> None:
    one = letter(GOOD).record
    assert Wanted().takes(one)
    assert Wanted(reason="invalid-record", topic="orders").takes(one)
    assert not Wanted(reason="not-json").takes(one)
    assert not Wanted(topic="catalog").takes(one)
    wanted = Wanted(topic="shop.orders")
    assert wanted.takes(letter(GOOD, topic="from:shop.orders").record)
    assert not replace(wanted, topic="shop.order").takes(letter(GOOD, topic="from:shop.orders").record)
