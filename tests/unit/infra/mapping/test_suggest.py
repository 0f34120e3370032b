"""From a shop's samples to a mapping that works, without a look at the manual; and what a mapping makes is shown."""

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cli import main
from infra.errors import UserError
from infra.mapping.check import Sample, check, lines, source_of
from infra.mapping.fields import BadMapping
from infra.mapping.profile import Profile
from infra.mapping.rules import compiled
from infra.mapping.suggest import Suggestion, suggest
from streams.topics import TOPICS
from tests.unit.infra.mapping import shops

NOW = 1_600_000_000_000
CAMEL = [
    {
        "eventId": str(number),
        "shopperId": f"s{number % 5}",
        "eventType": kind,
        "eventTime": 1_483_272_000 + number,
        "article": {"articleId": f"a{number % 9}", "unitPrice": "12.50"},
    }
    for number, kind in enumerate(["ProductViewed", "AddedToBasket", "RemovedFromBasket", "CheckoutCompleted"] * 5)
]
ADS = [
    {"id": f"x{number}", "campaign": f"c{number % 2}", "event": kind, "ts": "2017-01-01 12:00:00", "bidMicros": 350_000}
    for number, kind in enumerate(["BidRequest", "AdImpression", "AdClick", "Conversion"] * 3)
]
PRODUCTS = [
    {"sku": f"p{number}", "productType": "dairy" if number % 2 else "bread", "price": "2.49", "archived": False}
    for number in range(8)
]


def proposed(messages: Sequence[Any], **given: Any) -> Suggestion:
    profile = Profile()
    for message in messages:
        profile.add(message)
    return suggest(profile, **given)


@pytest.mark.parametrize(
    ("messages", "topic", "mapped", "made"),
    [
        (shops.TRACKED, "user-events", 24, {"user-events: view": 6, "user-events: search": 6}),
        (shops.WEBHOOKS, "orders", 12, {"orders": 12}),
        (shops.ANALYTICS, "user-events", 24, {"user-events: purchase": 6, "user-events: click": 6}),
        (shops.STOCK, "stock-updates", 10, {"stock-updates": 10}),
        (CAMEL, "user-events", 20, {"user-events: remove_from_cart": 5, "user-events: purchase": 5}),
        (ADS, "ad-events", 12, {"ad-events: auction": 3, "ad-events: impression": 3, "ad-events: conversion": 3}),
        (PRODUCTS, "catalog", 8, {"catalog": 8}),
    ],
    ids=["track-calls", "webhooks", "analytics", "warehouse", "camel", "ads", "products"],
)
def test_a_proposal_for_an_invented_shop_works_as_it_is(
    messages: list[dict[str, Any]], topic: str, mapped: int, made: dict[str, int]
) -> None:
    found = proposed(messages)
    assert (found.topic, found.missing) == (topic, ())
    rules = compiled(tomllib.loads(found.text))
    samples = [Sample(orjson.dumps(one), offset=place, timestamp=NOW) for place, one in enumerate(messages)]
    checked = check(rules, source_of(rules, None), samples, keys_known=False)
    assert (checked.mapped, checked.failed) == (mapped, 0), checked.told()
    assert made.items() <= checked.made.items()


def test_values_come_out_right_not_just_something() -> None:
    rules = compiled(tomllib.loads(proposed(CAMEL).text))
    checked = check(rules, source_of(rules, None), [Sample(orjson.dumps(CAMEL[0]), timestamp=NOW)], keys_known=False)
    made = orjson.loads(checked.examples["user-events: view"])
    wanted = {"event_id": "0", "user_id": "s0", "item_id": "a0", "price": 12.5, "occurred_at": 1_483_272_000_000}
    assert {name: made[name] for name in wanted} == wanted
    ads = compiled(tomllib.loads(proposed(ADS).text))
    checked = check(ads, source_of(ads, None), [Sample(orjson.dumps(ADS[0]), timestamp=NOW)], keys_known=False)
    assert orjson.loads(checked.examples["ad-events: auction"])["bid"] == 0.35


def test_each_line_says_how_sure_it_is_and_why() -> None:
    text = proposed(shops.TRACKED, source="shop.clicks").text
    assert 'from = "shop.clicks"' in text
    assert '# sure: in 100% of them, such as "ajs-0"' in text
    assert 'user_id = ["userId", "anonymousId"]' in text
    assert 'left aside: "Page Scrolled"' in text
    assert "is it UTC?" in proposed(ADS).text


def test_what_is_not_found_is_told_and_not_made_up() -> None:
    found = proposed([{"user": "u1", "when": 1}], topic="user-events")
    assert found.missing == ("type",)
    assert '# type = "…"  # nothing found' in found.text
    assert 'event_id = "$place"' in found.text
    with pytest.raises(BadMapping, match="type: it is required"):
        compiled(tomllib.loads(found.text))


def test_samples_like_nothing_are_told() -> None:
    with pytest.raises(UserError, match=r"look like none of the topics.*--topic"):
        proposed([{"temperature": 21.5}])


def test_failures_that_are_alike_stand_together() -> None:
    rules = compiled(tomllib.loads(shops.STOCK_MAPPING))
    bad = [{**row, "STOCK_QTY": f"many {number}"} for number, row in enumerate(shops.STOCK)]
    samples = [Sample(orjson.dumps(one), timestamp=NOW) for one in [*bad, shops.STOCK[0]]]
    checked = check(rules, source_of(rules, "erp.stock"), [*samples, Sample(b"{")], keys_known=False)
    assert (checked.mapped, checked.failed) == (1, 11)
    (first, second) = checked.told()["failures"]
    assert (first["reason"], first["count"], second["reason"], second["count"]) == ("invalid-record", 10, "not-json", 1)
    assert "many 0" in first["example"]


def test_a_file_is_lines_or_one_list() -> None:
    assert [one.value for one in lines(b'\xef\xbb\xbf{"a":1}\n\n{"a":2}\n', NOW)] == [b'{"a":1}', b'{"a":2}']
    assert [one.value for one in lines(b'[{"a":1},\n{"a":2}]', NOW)] == [b'{"a":1}', b'{"a":2}']
    assert [one.value for one in lines(b"[1]\n[2]\n", NOW)] == [b"[1]", b"[2]"]


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["map", *arguments])
    return int(str(ended.value.code or 0))


def test_suggest_then_check_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample, mapping = tmp_path / "clicks.jsonl", tmp_path / "mapping.toml"
    sample.write_bytes(b"\n".join(map(orjson.dumps, shops.TRACKED)))
    assert run("suggest", str(sample)) == 0
    mapping.write_text(capsys.readouterr().out)
    assert run("check", str(mapping), str(sample)) == 0
    said = capsys.readouterr().out
    assert said.startswith("30 messages: 24 become records, 6 are left aside, 0 fail.")
    assert run("check", str(mapping), str(sample), "--json") == 0
    assert orjson.loads(capsys.readouterr().out)["records"]["user-events: view"] == 6
    sample.write_bytes(sample.read_bytes() + b'\n{"event": "Product Viewed"}\n')
    assert run("check", str(mapping), str(sample)) == 1
    assert "fail: invalid-record, user-events: event_id: the message has none" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("suggest",), "name a file of messages"),
        (("suggest", "none.jsonl"), "none.jsonl can't be read"),
        (("suggest", "{empty}"), "there is no message to look at"),
        (("suggest", "{empty}", "--to", "user-event"), "did you mean user-events?"),
        (("check", "none.toml", "{empty}"), "none.toml can't be read"),
        (("check", "{two}", "{empty}"), "it reads from several topics: say which one with --source"),
        (("check", "{two}", "{empty}", "--source", "shop.order"), "did you mean shop.orders?"),
        (("check", "{two}", "{empty}", "--source", "shop.orders"), "there is no message to try it on"),
    ],
)
def test_what_a_person_can_put_right_is_one_sentence(
    arguments: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "two.toml").write_text(shops.WEBHOOKS_MAPPING + shops.STOCK_MAPPING)
    files = {"empty": str(tmp_path / "empty.jsonl"), "two": str(tmp_path / "two.toml")}
    assert run(*(one.format(**files) for one in arguments)) == 2
    assert said in capsys.readouterr().err


NAMES = st.sampled_from(
    [
        "id",
        "userId",
        "event",
        "type",
        "items",
        "sku",
        "qty",
        "price",
        "ts",
        "a.b",
        "$x",
        'q"',
        "",
        "é\x7f",
        "[]",
        "budget",
    ]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(["view", "2017-01-01T12:00:00Z", "2017-13-01", "12.50", 1_483_272_000, 10**30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)
INPUTS = [topic.name for topic in TOPICS if topic.role == "input"]


@given(st.lists(JSON, min_size=1, max_size=4), st.sampled_from([None, *INPUTS]))
def test_whatever_the_samples_are_a_proposal_is_toml_that_compiles_or_says_what_it_lacks(
    messages: list[Any], topic: str | None
) -> None:
    import msgspec

    decoded: list[Any] = []
    for message in messages:
        try:
            decoded.append(msgspec.json.decode(json.dumps(message)))
        except msgspec.DecodeError:
            continue
    try:
        found = proposed(decoded, topic=topic)
    except UserError:
        return
    data = tomllib.loads(found.text)
    if found.missing:
        with pytest.raises(BadMapping):
            compiled(data)
        return
    rules = compiled(data)
    samples = [Sample(json.dumps(one).encode(), timestamp=NOW) for one in messages]
    checked = check(rules, source_of(rules, None), samples, keys_known=False)
    assert checked.messages == checked.mapped + checked.left + checked.failed == len(samples)
