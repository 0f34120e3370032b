"""`tradewind replay --events`, with the real agents."""

import json
from pathlib import Path

import pytest

from infra.cli import main
from infra.history.message import Message
from streams.records import Order, OrderLine
from streams.times import EventTime
from streams.topics import ORDERS, USER_EVENTS
from tests.unit.replay.story import AT, contents, event, item, saved, told


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
