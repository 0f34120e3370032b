"""A whole file through the agents: the same twice, to the byte, and nothing is taken for input that was put out."""

import json
from pathlib import Path
from typing import Any

from agents.contract import Agent
from infra.measures.scoreboard import Scoreboard
from infra.replay.cast import chosen
from infra.replay.history import Directory, Replay, replayed
from infra.replay.in_process import InProcess
from infra.settings import load
from streams.topics import DEAD_LETTERS, ITEM_ACTIVITY, POLICY_VERSIONS, RECOMMENDATIONS, TOPICS
from tests.unit.replay.story import Echo, Promoter, contents, event, item, read, saved


def replay_of(path: Path, out: Path, *, batch: int = 7) -> dict[str, Any]:
    agents: list[Agent] = [Echo(), Promoter()]
    with Directory(out, [topic for agent in agents for topic in agent.emits]) as sink:
        replay = Replay(InProcess(agents), Scoreboard(), batch, sink)
        replay.run(read(path))
    return replay.result()


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
