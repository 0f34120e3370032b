"""The main job on the real broker: every agent, every action topic, bad input among good, and a kill in the middle."""

from collections import Counter
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer

from infra.export import export, wanted
from infra.replay.cast import chosen
from infra.replay.history import replayed
from infra.settings import load
from streams.times import DAY, MINUTE
from tests.kafka.harness import AT, LONG_S, TRADEWIND, Setting, committed, placed, values

USERS, DAYS = 12, 5
Row = tuple[str, str, Any]  # topic, key, record or raw bytes

BAD: list[tuple[str, bytes, bytes | None, str]] = [
    ("user-events", b"u1", b"not json", "not-json"),
    ("user-events", b"u1", b'{"event_id":"x","user_id":"u1","type":"view","occurred_at":NaN}', "not-json"),
    ("user-events", b"u1", b'{"event_id":"x","user_id":"u1","type":"view"}', "invalid-record"),
    ("user-events", b"u1", b'{"event_id":"x","user_id":"u1","type":"view","occurred_at":0}', "invalid-time"),
    ("user-events", b"u1", None, "null-value"),
    ("user-events", b"", b"{}", "empty-key"),
    ("orders", b"o", b"\xff\xfe", "not-utf8"),
    ("stock-updates", b"i1@north", b"[" * 20_000, "invalid-record"),
    (
        "ad-events",
        b"c1",
        b'{"event_id":"x","campaign_id":"c2","type":"click","occurred_at":1483272000000}',
        "key-mismatch",
    ),
    ("catalog", b"i1", b'{"item_id":"i1"}', "invalid-record"),
]


@pytest.fixture
def setting(broker: str, prefix: str, tmp_path: Path) -> Generator[Setting]:
    with placed(broker, prefix, tmp_path) as place:
        yield place


def seed() -> list[Row]:
    """A catalog of twenty items, of which i3 is blocked and i5 has run out; one campaign."""
    supply = {"lead_time_days": 1, "holding_cost": 0.05, "shortage_cost": 2.0}
    rows: list[Row] = []
    for n in range(20):
        item = {"item_id": f"i{n}", "category": f"c{n % 3}", "price": 2.0, "blocked": n == 3, "supply": supply}
        stock = {"event_id": f"s{n}", "item_id": f"i{n}", "location": "north", "on_hand": 0 if n == 5 else 9}
        rows += [("catalog", f"i{n}", item), ("stock-updates", f"i{n}@north", stock | {"occurred_at": AT})]
    ends = AT + DAYS * DAY
    campaign = {"campaign_id": "c1", "budget": 20, "starts_at": AT, "ends_at": ends, "bid_min": 0.01, "bid_max": 1}
    return [*rows, ("campaigns", "c1", campaign)]


def shopping(days: range) -> list[Row]:
    """Each day every user asks for a slate and buys three items; the campaign runs a few auctions."""
    rows: list[Row] = []
    for day in days:
        for user in range(USERS):
            at, name = AT + day * DAY + user * MINUTE, f"u{user}"
            asked = {"event_id": f"ask-{day}-{user}", "user_id": name, "type": "request", "occurred_at": at}
            bought = [f"i{(user + k) % 20}" for k in range(3)]
            rows.append(("user-events", name, asked | {"slate_size": 20}))
            for k, item in enumerate(bought):
                event = {"event_id": f"buy-{day}-{user}-{k}", "user_id": name, "type": "purchase", "item_id": item}
                rows.append(("user-events", name, event | {"occurred_at": at + 1000 + k, "price": 2.0}))
            lines = [{"item_id": item, "location": "north", "quantity": 2} for item in bought]
            rows.append(("orders", f"o{day}-{user}", {"order_id": f"o{day}-{user}", "occurred_at": at, "lines": lines}))
            auction = {"event_id": f"a{day}-{user}", "campaign_id": "c1", "type": "auction", "occurred_at": at}
            rows.append(("ad-events", "c1", auction | {"bid": 0.4, "won": True, "price": 0.3, "value": 0.6}))
    return rows


def tell(setting: Setting, rows: Sequence[Row]) -> None:
    client: Any = KafkaProducer(bootstrap_servers=setting.address, linger_ms=5)
    for topic, key, record in rows:
        client.send(setting.prefix + topic, key=key.encode(), value=orjson.dumps(record))
    client.flush(LONG_S)
    client.close()


def tell_raw(setting: Setting) -> None:
    client: Any = KafkaProducer(bootstrap_servers=setting.address)
    for topic, key, value, _ in BAD:
        client.send(setting.prefix + topic, key=key, value=value, partition=0).get(LONG_S)
    client.close()


def read(setting: Setting, topic: str, count: int) -> list[Any]:
    return values(committed(setting.address, setting.prefix + topic, count))


def test_every_request_has_one_slate_through_a_kill_and_nothing_bad_is_lost(setting: Setting, tmp_path: Path) -> None:
    worker = setting.start(program=TRADEWIND, idle_timeout_s="1")
    worker.wait_for("ready")
    tell(setting, seed())
    tell(setting, [("user-events", "u0", {"event_id": "hi", "user_id": "u0", "type": "search", "occurred_at": AT})])
    # No auction has told the time yet: the campaign starts by the shop's.
    assert [one["campaign_id"] for one in read(setting, "bid-adjustments", 1)] == ["c1"]
    tell(setting, shopping(range(2)))
    tell_raw(setting)
    read(setting, "recommendations", USERS)
    worker.kill()
    setting.start(program=TRADEWIND).wait_for("ready")
    tell(setting, shopping(range(2, DAYS)))

    slates = read(setting, "recommendations", USERS * DAYS)
    asked = [slate["event_id"] for slate in slates if slate["event_id"].startswith("ask-")]
    assert Counter(asked) == Counter(f"ask-{day}-{user}" for day in range(DAYS) for user in range(USERS))
    shown = {item["item_id"] for slate in slates for item in slate["items"]}
    assert "i3" not in shown
    assert len(shown) > 10
    letters = read(setting, "dead-letters", len(BAD))
    assert Counter(letter["reason"] for letter in letters) == Counter(reason for *_, reason in BAD)
    assert read(setting, "replenishment-orders", 1)
    decided = [one["decision_id"] for one in read(setting, "decisions", len(slates))]
    assert len(decided) == len(set(decided)) >= len(slates)
    assert {slate["decision_id"] for slate in slates} <= set(decided)
    check_outcomes(read(setting, "outcomes", USERS))
    check_replay(setting, tmp_path / "history.jsonl.gz")


def check_outcomes(outcomes: Sequence[Any]) -> None:
    """A decision has one final outcome at most."""
    final = [one["decision_id"] for one in outcomes if one["label"] == "final"]
    assert len(final) == len(set(final)) > 0


def check_replay(setting: Setting, history: Path) -> None:
    """What was exported replays without a broker, to the same number of slates and the same dead letters."""
    settings = load(bootstrap_servers=setting.address, prefix=setting.prefix)
    export(settings, wanted(None, inputs_only=True), history)
    made = replayed(history, chosen(None, settings)).result()
    assert made["actions_out"]["recommendations"] >= USERS * DAYS
    assert made["dead_letters"] == len(BAD)
    assert [topic for topic, many in made["actions_out"].items() if not many] == ["price-changes"]  # nobody asked
