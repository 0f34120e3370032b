"""What a person gets wrong with `tradewind replay --policy`, or what is wrong with the file, is one sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from infra.cli import main
from infra.history.checkpoint import begun, save
from infra.history.files import files
from infra.history.job import Task
from infra.history.message import Message
from infra.judging.rivals import named
from infra.judging.run import JOB
from infra.judging.source import JUDGED
from policies.version import SHIPPED
from streams.times import iso
from streams.topics import DECISIONS
from tests.unit.history.histories import lines, packed, saved
from tests.unit.judging.log import LOGGED, log

Replay = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def history() -> list[Message]:
    return log("recommendation", 60)


@pytest.fixture
def file(tmp_path: Path, history: list[Message]) -> str:
    return str(saved(tmp_path / "h.jsonl", history))


@pytest.fixture
def replay(capsys: pytest.CaptureFixture[str]) -> Replay:
    """Exit code, standard output and standard error of the command."""

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["replay", *arguments])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def refused(replay: Replay, *arguments: str) -> str:
    """The one sentence."""
    code, out, err = replay(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    return err.removeprefix("tradewind: ").rstrip()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--from 2020-01-02 --to 2020-01-01", "--to 2020-01-01 is not after --from 2020-01-02: nothing lies between"),
        ("--from last=1h --to last=2h", "--to last=2h is not after --from last=1h: nothing lies between"),
        ("--from yesterday", "the time 'yesterday' can't be read: write RFC 3339"),
        ("--to 1488412800", "the time '1488412800' is outside 2000-01-01"),
        ("--topics nope", "--topics: there is no topic 'nope': use some of user-events, "),
        ("--topics ,", "--topics is empty: use some of user-events, "),
        ("--policy 77", "--policy 77: the history's policy-versions hold no such version, only 0"),
        ("--policy greedy:77", "--policy 77: the history's policy-versions hold no such version, only 0"),
        ("--policy nope", "--policy: there is no policy 'nope': use some of logged, serving, "),
        ("--policy ,", "--policy is empty: use some of logged, serving, "),
        ("--policy /nowhere.safetensors", "/nowhere.safetensors is neither the number of a version nor a file"),
        ("--out made", "--out is for running agents over --events: leave out --policy and --verify"),
        ("--checkpoint /nowhere/c.json", "--checkpoint /nowhere/c.json: name a file in a folder that is there"),
        ("--report /nowhere/r.html", "--report /nowhere/r.html: name a file in a folder that is there"),
    ],
)
def test_an_option_that_cannot_be_meant(file: str, replay: Replay, arguments: str, sentence: str) -> None:
    given = arguments.split(" ")
    policy = [] if "--policy" in given else ["--policy", "logged"]
    assert refused(replay, "--events", file, *policy, *given).startswith(sentence)


def test_an_empty_policy_is_not_the_usual_one(file: str, replay: Replay) -> None:
    assert refused(replay, "--events", file, "--policy", "").startswith("--policy is empty: ")
    assert refused(replay, "--events", file, "--policy", "logged", "--topics", "").startswith("--topics is empty: ")


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ("--from 2001-01-01 --to 2001-02-01", "--from 2001-01-01T00:00:00Z --to 2001-02-01T00:00:00Z"),
        ("--from 2031-01-01", "--from 2031-01-01T00:00:00Z"),
        ("--to 2001-01-01", "--to 2001-01-01T00:00:00Z"),
    ],
)
def test_a_range_with_nothing_in_it_says_where_the_decisions_lie(
    file: str, replay: Replay, history: list[Message], arguments: str, asked: str
) -> None:
    times = [one.timestamp for one in history if one.topic is DECISIONS]
    assert refused(replay, "--events", file, "--policy", "logged", *arguments.split(" ")) == (
        f"{file}, decisions: nothing lies in {asked}: what there is was logged from {iso(min(times))} to "
        f"{iso(max(times))}, so choose a time in between"
    )


@pytest.mark.parametrize("arguments", [("--policy", "logged"), ("--verify",), ("--verify", "--from", "2001-01-01")])
def test_a_file_without_decisions(
    tmp_path: Path, replay: Replay, history: list[Message], arguments: tuple[str, ...]
) -> None:
    for name, held in (("o.jsonl", [one for one in history if one.topic is not DECISIONS]), ("e.jsonl", [])):
        path = saved(tmp_path / name, held)
        assert refused(replay, "--events", str(path), *arguments) == (
            f"{path} holds no decisions: judging a policy needs the topics decisions and outcomes"
        )


@pytest.mark.parametrize("name", ["h.jsonl.gz", "h.jsonl.zst"])
def test_of_a_truncated_file_what_is_there_is_judged_and_the_end_is_named(
    tmp_path: Path, replay: Replay, history: list[Message], name: str
) -> None:
    halves = history[: len(history) // 2], history[len(history) // 2 :]
    raw = b"".join(packed(tmp_path / name, lines(half)).read_bytes() for half in halves)
    cut = tmp_path / f"cut-{name}"
    cut.write_bytes(raw[:-9])
    code, out, _ = replay("--events", str(cut), "--policy", "logged")
    assert code == 0
    assert "1 line-unreadable: truncated (a file ends in the middle: what followed isn't in these figures)" in out
    code, out, _ = replay("--events", str(cut), "--policy", "logged", "--json")
    assert json.loads(out.splitlines()[-1])["left_out"]["line-unreadable: truncated"] == 1
    cut.write_bytes(raw[:12])
    assert refused(replay, "--events", str(cut), "--verify") == (
        f"{cut} holds no decisions (1 line-unreadable: truncated): "
        "judging a policy needs the topics decisions and outcomes"
    )


def test_lines_that_are_no_message_are_counted_by_why(tmp_path: Path, replay: Replay, history: list[Message]) -> None:
    path = tmp_path / "h.jsonl"
    path.write_bytes(b"{\n" + lines(history) + b'{"topic": "nope", "value": 1}\n{\n')
    _, out, _ = replay("--events", str(path), "--policy", "logged", "--json")
    left_out: dict[str, int] = json.loads(out.splitlines()[-1])["left_out"]
    assert {name: many for name, many in left_out.items() if "unreadable" in name} == {
        "line-unreadable: not-a-json-line": 2,
        "line-unreadable: unknown-topic": 1,
    }


# ---- A checkpoint ----------------------------------------------------------------------------------------------------


@pytest.fixture
def checkpoint(tmp_path: Path, file: str) -> Path:
    """Of a run of `logged` over the last ten days of the log, as that was some time ago: nothing is done yet."""
    rivals = msgspec.to_builtins(named("logged", {}, SHIPPED))
    task = Task(job=JOB, options={"rivals": rivals, "versions": {}, "categories": {}})
    state = begun(files([Path(file)], topics=JUDGED, since=LOGGED), task)
    path = tmp_path / "run.json"
    save(replace(state, options={"--events": file, "--from": "last=10d"}, since=LOGGED), path)
    return path


@pytest.mark.parametrize(
    ("arguments", "others"),
    [
        ("--policy shipped --from last=10d", "policies"),
        ("--policy logged,shipped --from last=10d", "policies"),
        ("--policy logged --from last=9d", "--from"),
        ("--policy logged --to 2031-01-01", "--from and --to"),
        ("--policy logged --from last=10d --topics orders", "--topics"),
    ],
)
def test_a_checkpoint_of_another_run_is_not_gone_on_with(
    file: str, checkpoint: Path, replay: Replay, arguments: str, others: str
) -> None:
    before = checkpoint.read_bytes()
    assert refused(replay, "--events", file, "--checkpoint", str(checkpoint), *arguments.split(" ")) == (
        f"{checkpoint} is of a run with other {others}: give those again, or remove it to start afresh"
    )
    assert checkpoint.read_bytes() == before


def test_a_checkpoint_of_another_file_is_not_gone_on_with(
    tmp_path: Path, checkpoint: Path, replay: Replay, history: list[Message]
) -> None:
    other = saved(tmp_path / "other.jsonl", history)
    arguments = ("--events", str(other), "--checkpoint", str(checkpoint), "--policy", "logged", "--from", "last=10d")
    assert "is of a run with other --events: " in refused(replay, *arguments)


def test_what_is_no_checkpoint(tmp_path: Path, file: str, replay: Replay) -> None:
    path = tmp_path / "bad.json"
    path.write_text("{}", encoding="utf-8")
    said = refused(replay, "--events", file, "--policy", "logged", "--checkpoint", str(path))
    assert said.startswith(f"{path} is no checkpoint of a run (")
    assert refused(replay, "--events", file, "--policy", "logged", "--checkpoint", str(tmp_path)).startswith(
        f"the checkpoint {tmp_path} can't be read: "
    )


def test_a_run_that_goes_on_means_the_range_that_it_meant(file: str, checkpoint: Path, replay: Replay) -> None:
    arguments = ("--events", file, "--checkpoint", str(checkpoint), "--policy", "logged", "--from", "last=10d")
    code, out, err = replay(*arguments, "--json")
    assert code == 0, err
    told: dict[str, Any] = json.loads(out.splitlines()[-1])
    assert told["range"]["since"] == LOGGED
    assert told["judged"] > 0
    assert not checkpoint.exists()
