"""A replay takes any file, does the same thing twice, and is the loop that a worker runs."""

import gzip
import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.contract import Agent, Draft, Input, Output, State, Step
from agents.fold import Clock
from agents.versions import record_of
from infra.cli import main
from infra.history.files import files
from infra.history.jsonl import LONGEST
from infra.history.lines import BadLine, parse, write
from infra.history.message import Found, Message, Rejected
from infra.history.reading import messages
from infra.measures.scoreboard import Scoreboard
from infra.replay.cast import chosen
from infra.replay.history import Directory, Replay, replayed
from infra.replay.in_process import InProcess
from infra.settings import load
from policies.version import PolicyVersion
from streams.codec import encode
from streams.records import (
    CatalogItem,
    ItemActivity,
    Order,
    OrderLine,
    PolicyVersionRecord,
    Recommendation,
    ScoredItem,
    UserEvent,
)
from streams.times import EventTime
from streams.topics import (
    CATALOG,
    DEAD_LETTERS,
    ITEM_ACTIVITY,
    ORDERS,
    POLICY_VERSIONS,
    RECOMMENDATIONS,
    TOPICS,
    USER_EVENTS,
    Topic,
)

AT = 1_483_272_000_000

# ---- Agents that are small enough to know what they must do ---------------------------------------------------------


@dataclass(frozen=True)
class Echo:
    """Answers a request with what the catalog holds, and passes every item on; counts events in its entries."""

    name: str = "echo"
    reads: tuple[Topic, ...] = (USER_EVENTS,)
    watches: tuple[Topic, ...] = (CATALOG,)
    emits: tuple[Topic, ...] = (RECOMMENDATIONS, ITEM_ACTIVITY)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        draft = Draft(state.entries)
        clock = draft.edit("events", Clock)
        made: list[Output] = []
        for one in batch:
            clock.now += 1
            event: UserEvent = one.record
            now = max(now, event.occurred_at)
            if event.type == "request":
                made.append(Output(RECOMMENDATIONS, slate(event, sorted(state.views.catalog), policy, clock.now)))
            elif event.item_id is not None:
                made.append(Output(ITEM_ACTIVITY, activity(event)))
        return Step(draft.writes(), made, now, {"nothing to do": sum(not one.record.item_id for one in batch)})


@dataclass(frozen=True)
class Promoter:
    """Publishes a new policy version for every item activity; the second one with a hash that is wrong."""

    name: str = "promoter"
    reads: tuple[Topic, ...] = (ITEM_ACTIVITY,)
    watches: tuple[Topic, ...] = ()
    emits: tuple[Topic, ...] = (POLICY_VERSIONS,)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        draft = Draft(state.entries)
        made = [version(policy, broken=policy.number == 1) for _ in batch]
        return Step(draft.writes(), [Output(POLICY_VERSIONS, one) for one in made], now)


def slate(event: UserEvent, items: list[str], policy: PolicyVersion, seen: int) -> Recommendation:
    return Recommendation(
        decision_id=f"d-{event.event_id}-{seen}",
        event_id=event.event_id,
        user_id=event.user_id,
        placement="home",
        items=[ScoredItem(item_id=item, score=1.0) for item in items],
        policy_version=policy.number,
        decided_at=int(event.occurred_at),
    )


def activity(event: UserEvent) -> ItemActivity:
    item = event.item_id or ""
    return ItemActivity(event_id=event.event_id, item_id=item, type=event.type, occurred_at=event.occurred_at)


def version(policy: PolicyVersion, *, broken: bool) -> PolicyVersionRecord:
    priors = {"bidding": {"log_mu": 0.1 * (policy.number + 1)}}
    made = PolicyVersion(number=policy.number + 1, parent=policy.number, parent_sha256=policy.sha256, priors=priors)
    record = record_of(made, "publish", by="promoter", at=AT)
    return replace(record, sha256="0" * 64) if broken else record


def told(topic: Topic, record: Any, *, at: int = AT * 2) -> Message:
    return Message(topic, topic.key(record).encode(), encode(record), at)


def event(number: int, kind: Any = "request", item: str | None = None) -> Message:
    made = UserEvent(
        event_id=f"e{number}", user_id=f"u{number % 3}", type=kind, occurred_at=EventTime(AT + number), item_id=item
    )
    return told(USER_EVENTS, made)


def item(name: str) -> Message:
    return told(CATALOG, CatalogItem(item_id=name, category="c"))


def records(messages: list[Message], topic: Topic) -> list[Any]:
    return [json.loads(message.value or b"null") for message in messages if message.topic is topic]


# ---- In process -----------------------------------------------------------------------------------------------------


def test_outputs_on_internal_topics_reach_their_readers_until_nothing_is_left() -> None:
    runner = InProcess([Echo(), Promoter()])
    out = runner.feed([event(1, "view", "milk"), event(2)])
    assert [message.topic for message in out] == [ITEM_ACTIVITY, RECOMMENDATIONS, POLICY_VERSIONS]
    assert runner.policy.number == 1
    assert records(runner.feed([event(3)]), RECOMMENDATIONS)[0]["policy_version"] == 1
    assert runner.ignored == {"nothing to do": 2}


def test_a_version_whose_hash_is_wrong_does_not_serve() -> None:
    runner = InProcess([Echo(), Promoter()])
    for number in range(2):
        runner.feed([event(number, "view", "milk")])
    assert runner.policy.number == 1


def test_watched_topics_are_in_place_before_the_steps_of_their_round_and_deletions_count() -> None:
    runner = InProcess([Echo()])
    out = runner.feed([event(1), item("milk"), item("bread")])
    assert [one["item_id"] for one in records(out, RECOMMENDATIONS)[0]["items"]] == ["bread", "milk"]
    out = runner.feed([Message(CATALOG, b"milk", None, AT), event(2)])
    assert [one["item_id"] for one in records(out, RECOMMENDATIONS)[0]["items"]] == ["bread"]


def test_what_cannot_be_read_is_a_dead_letter_with_its_place_and_bytes_and_the_rest_goes_on() -> None:
    runner = InProcess([Echo()])
    bad = Message(USER_EVENTS, b"u", b"{broken", AT, 3, 17)
    out = runner.feed([event(1), bad, event(2), Message(ORDERS, b"k", b"nobody reads this", AT)])
    letters = records(out, DEAD_LETTERS)
    assert [(one["topic"], one["partition"], one["offset"], one["reason"]) for one in letters] == [
        ("user-events", 3, 17, "not-json")
    ]
    assert letters[0]["value"] == b64encode(b"{broken").decode()
    assert len(records(out, RECOMMENDATIONS)) == 2


def test_a_batch_in_two_halves_gives_the_same() -> None:
    story = [item("milk"), *(event(number) for number in range(20))]
    whole, halves = InProcess([Echo()]), InProcess([Echo()])
    assert whole.feed(story) == [*halves.feed(story[:7]), *halves.feed(story[7:])]


# ---- Lines ----------------------------------------------------------------------------------------------------------


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


trees = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), st.lists, max_leaves=5)
payloads = st.none() | st.binary(max_size=60) | st.text(max_size=20).map(str.encode) | trees.map(as_json)


@given(payloads, st.none() | st.binary(max_size=12), st.integers(-1, 2**53), st.none() | st.integers(0, 2**53))
def test_any_message_comes_back_from_its_line_byte_for_byte(
    value: bytes | None, key: bytes | None, at: int, offset: int | None
) -> None:
    message = Message(USER_EVENTS, key, value, at, 5, offset)
    line = write(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert parse(line) == message


@pytest.mark.parametrize(
    ("value", "payload"),
    [
        ('{"a": [1, 2]}', b'{"a": [1, 2]}'),
        ('"{broken"', b"{broken"),
        ('"\\u00e9\\n"', "é\n".encode()),
        ("null", None),
        ("5", b"5"),
        ("1e999", b"1e999"),
    ],
)
def test_a_value_is_the_payload_and_a_string_stands_for_its_text(value: str, payload: bytes | None) -> None:
    assert parse(f'{{"topic": "orders", "value": {value}, "mine": 1}}'.encode()).value == payload


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", "not-a-json-line"),
        (b"[]", "not-a-json-line"),
        (b'{"topic": "orders", "value": NaN}', "not-a-json-line"),
        (b'{"topic": "orders", "value": {}, "key": 7}', "not-a-json-line"),
        (b'{"topic": "orders", "value": {}, "key": "\xff"}', "not-a-json-line"),
        (b'{"topic": "orders", "value": {}, "timestamp": "now"}', "not-a-json-line"),
        (b'{"topic": "orders", "value": {}, "timestamp": 1e99}', "not-a-json-line"),
        (b'{"topic": "orders", "value_base64": "#"}', "not-a-json-line"),
        (b'{"topic": "orders", "value": {}} {}', "not-a-json-line"),
        (b'{"topic": "orders"}', "no-value"),
        (b'{"value": {}}', "no-topic"),
        (b'{"topic": "nope", "value": {}}', "unknown-topic"),
        (b'{"topic": "orders", "value": ' + b"[" * 200_000, "nested-too-deep"),
    ],
)
def test_a_line_that_is_no_message_says_why(line: bytes, reason: str) -> None:
    with pytest.raises(BadLine) as caught:
        parse(line)
    assert caught.value.reason == reason


# ---- Files ----------------------------------------------------------------------------------------------------------


def saved(path: Path, *lines: bytes | Message) -> Path:
    raw = b"".join(write(line) if isinstance(line, Message) else line for line in lines)
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def read(path: Path) -> list[Found]:
    with messages(files([path])) as found:
        return list(found)


@pytest.mark.parametrize("name", ["events.jsonl", "events.jsonl.gz"])
def test_bad_lines_are_dead_letters_by_line_number_and_none_is_lost(tmp_path: Path, name: str) -> None:
    long = b'{"topic": "' + b"x" * (3 * LONGEST) + b'"}\n'
    path = saved(tmp_path / name, event(1), b"what\n", b"\n", long, event(2), b'{"topic": "nope", "value": 1}')
    found = read(path)
    letters = [json.loads(one.letter.value or b"") for one in found if isinstance(one, Rejected)]
    assert [(one["topic"], one["offset"], one["reason"]) for one in letters] == [
        ("events-file", 2, "not-a-json-line"),
        ("events-file", 4, "oversized"),
        ("nope", 6, "unknown-topic"),
    ]
    assert [one for one in found if isinstance(one, Message)] == [event(1), event(2)]


def replay_of(path: Path, out: Path, *, batch: int = 7) -> dict[str, Any]:
    agents: list[Agent] = [Echo(), Promoter()]
    with Directory(out, [topic for agent in agents for topic in agent.emits]) as sink:
        replay = Replay(InProcess(agents), Scoreboard(), batch, sink)
        replay.run(read(path))
    return replay.result()


def contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


def test_two_replays_are_the_same_to_the_byte_and_their_output_is_not_input_again(tmp_path: Path) -> None:
    story = [item("milk"), *(event(number, ["request", "view"][number % 2], "milk") for number in range(40))]
    path = saved(tmp_path / "events.jsonl", *story, b"what\n")
    first, again = replay_of(path, tmp_path / "a"), replay_of(path, tmp_path / "b")
    assert first == again
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert set(contents(tmp_path / "a")) == {
        f"{topic.name}.jsonl" for topic in (RECOMMENDATIONS, ITEM_ACTIVITY, POLICY_VERSIONS, DEAD_LETTERS)
    }
    history = saved(tmp_path / "history.jsonl", path.read_bytes(), *contents(tmp_path / "a").values())
    full = replay_of(history, tmp_path / "c")
    assert contents(tmp_path / "c") == contents(tmp_path / "a")
    logged = {"dead-letters": 1, "item-activity": 20, "policy-versions": 20, "recommendations": 20}
    assert full["replay"]["logged"] == logged
    assert first["events_in"]["user-events"] == 40
    assert first["actions_out"]["recommendations"] == 20
    assert (first["dead_letters"], first["replay"]["rejected_lines"]) == (1, 1)


# ---- The command, with the real agents ------------------------------------------------------------------------------


def command(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["replay", *arguments])
    if ended.value.code:
        raise RuntimeError(f"exit {ended.value.code}")


def shop() -> list[Message | bytes]:
    lines = [OrderLine(item_id="milk", location="north", quantity=2.0)]
    story: list[Message | bytes] = [item(name) for name in ("milk", "bread", "tea")]
    for number in range(120):
        story.append(event(number, ["request", "view", "purchase"][number % 3], "milk"))
        story.append(told(ORDERS, Order(order_id=f"o{number}", occurred_at=EventTime(AT + number), lines=lines)))
    return [*story, b"{\n", Message(USER_EVENTS, b"", b"{}", AT), Message(USER_EVENTS, b"u", None, AT)]


def test_the_command_prints_one_json_object_last_and_does_the_same_twice(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path / "events.jsonl", *shop())
    for out in ("a", "b"):
        command("--events", str(path), "--json", "--out", str(tmp_path / out))
    captured = capfd.readouterr()
    assert captured.err == ""
    found = [json.loads(line) for line in captured.out.splitlines()]
    assert len(found) == 2
    assert found[0]["actions_out"]["recommendations"] >= 40  # one for each request, and refreshes
    assert found[0]["dead_letter_reasons"] == {"empty-key": 1, "not-a-json-line": 1, "null-value": 1}
    assert found[0]["seconds"] > 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_the_command_prints_a_summary(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command("--events", str(saved(tmp_path / "events.jsonl", *shop())), "--agents", "orders")
    assert "3 dead letters" not in (said := capfd.readouterr().out)
    assert "245 events in" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--events", "/nowhere/events.jsonl"], "--events: /nowhere/events.jsonl can't be read"),
        (["--events", "/"], "--events: / can't be read"),
        (["--events", "/dev/null", "--agents", "nobody"], "--agents: there is no agent 'nobody'"),
        (["--events", "/dev/null", "--out", "/dev/null/x"], "--out: /dev/null/x can't be written"),
    ],
)
def test_what_a_person_can_put_right_is_one_sentence(
    arguments: list[str], sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["replay", *arguments])
    said = capfd.readouterr().err
    assert ended.value.code == 2
    assert sentence in said
    assert len(said.splitlines()) == 1


def test_every_agent_can_be_chosen_and_emits_what_a_replay_can_write() -> None:
    cast = chosen(None, load())
    assert {topic for agent in cast for topic in agent.emits} <= set(TOPICS)
    assert [agent.name for agent in chosen("orders,recommendation", load())] == ["recommendation", "orders"]


def test_a_replay_without_an_out_folder_writes_nothing(tmp_path: Path) -> None:
    path = saved(tmp_path / "events.jsonl", event(1))
    replayed(path, [Echo()])
    assert list(tmp_path.iterdir()) == [path]


def test_an_item_that_sells_out_is_gone_for_the_next_event_and_not_for_the_one_before(tmp_path: Path) -> None:
    """However large the batch: stock is what it was at that place in the history."""
    at = 1_483_272_000_000

    def line(topic: str, key: str, value: dict[str, Any], shift: int) -> str:
        return json.dumps(
            {"topic": topic, "key": key, "value": value | {"occurred_at": at + shift}, "timestamp": at + shift}
        )

    def stock(shift: int, on_hand: int) -> str:
        value = {"event_id": f"s{shift}", "item_id": "milk", "location": "north", "on_hand": on_hand}
        return line("stock-updates", "milk@north", value, shift)

    def event(kind: str, shift: int, **more: str) -> str:
        return line("user-events", "ann", {"event_id": f"e{shift}", "user_id": "ann", "type": kind} | more, shift)

    told = [
        event("purchase", 0, item_id="milk"),
        stock(1, 5),
        event("request", 2),
        stock(3, 0),
        event("request", 4),
        stock(5, 5),
        event("request", 6),
    ]
    history = tmp_path / "history.jsonl"
    history.write_text("\n".join(told), encoding="utf-8")
    cast = [agent for agent in chosen(None, load()) if agent.name == "recommendation"]
    replayed(history, cast, batch=500, out=tmp_path / "out")
    lines = (tmp_path / "out" / "recommendations.jsonl").read_text(encoding="utf-8").splitlines()
    shown = {row["value"]["event_id"]: [i["item_id"] for i in row["value"]["items"]] for row in map(json.loads, lines)}
    assert (shown["e2"], shown["e4"], shown["e6"]) == (["milk"], [], ["milk"])
