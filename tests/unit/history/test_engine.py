"""A run is what one pass over the whole is, however many workers there are, and wherever it was stopped."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.errors import UserError
from infra.history.checkpoint import State, begun, resumed, save
from infra.history.dealing import KEY_SHARES, dealt
from infra.history.engine import run
from infra.history.files import files
from infra.history.interrupt import InterruptedRun
from infra.history.job import Job, Task
from infra.history.message import Message
from infra.history.part import LogPart, LogSlice, Part
from infra.history.work import Order, Work
from tests.unit.history.histories import NAMES, lines, saved, story
from tests.unit.history.tally import Tally

TALLY = Task(job="tests.unit.history.tally:Tally", options={"weight": 0.3})


@pytest.fixture
def history(tmp_path: Path) -> Part:
    path = saved(tmp_path / "h.jsonl", story(3000))
    with path.open("ab") as file:
        file.write(b"what\n" * 3)
    return files([path])


def figures(job: Job) -> dict[str, Any]:
    assert isinstance(job, Tally)
    return job.result()


def test_any_number_of_workers_gives_the_same_figures(history: Part) -> None:
    one, three = (run(begun(history, TALLY, workers=workers)) for workers in (1, 3))
    assert one.job.dump() == three.job.dump()
    assert one.messages == three.messages == 3003
    assert figures(one.job)["messages"] == 3000
    assert figures(one.job)["rejected"] == 3


@pytest.mark.parametrize("name", NAMES)
def test_in_order_one_share_sees_everything(tmp_path: Path, name: str) -> None:
    by_hand = Tally(weight=0.3)
    for one in story(300):
        by_hand.add(one)
    ran = run(begun(files([saved(tmp_path / name, story(300))]), TALLY, in_order=True))
    assert ran.job.dump() == by_hand.dump()


@settings(max_examples=15, deadline=None)
@given(stops=st.lists(st.integers(0, 900), max_size=4), workers=st.integers(1, 3), name=st.sampled_from(NAMES))
def test_stopped_anywhere_and_resumed_is_uninterrupted(
    tmp_path_factory: pytest.TempPathFactory, stops: list[int], workers: int, name: str
) -> None:
    folder = tmp_path_factory.mktemp("run")
    state = begun(files([saved(folder / name, story(900))]), TALLY, workers=workers)
    whole = run(begun(state.units[0].unit.part, TALLY))
    for stop in stops:
        units = list(state.units)
        units[stop % len(units)] = taken(Order(task=TALLY, kept=units[stop % len(units)]), stop)
        save(State(task=TALLY, units=tuple(units)), folder / "run.json")
        state = resumed(folder / "run.json", TALLY)
    works = [taken(Order(task=TALLY, kept=kept), 10**9) for kept in state.units]
    again = run(State(task=TALLY, units=tuple(works[:1]))) if len(works) == 1 else None
    assert merged(works) == whole.job.dump()
    assert again is None or (again.job.dump(), again.messages) == (whole.job.dump(), whole.messages)
    assert sum(kept.messages for kept in works) == whole.messages


def taken(order: Order, count: int) -> Any:
    """A unit after so many messages of its part (about: a worker looks up every now and then)."""
    work = Work(order)
    with closing(work):
        while work.told(keep=False).messages < count and not work.told(keep=False).finished:
            work.advance(0)
        return work.told(keep=True).kept


def merged(units: list[Any]) -> bytes:
    dumps = {share: dump for kept in units for share, dump in zip(kept.unit.shares, kept.dumps, strict=True)}
    first, *others = (dumps[share] for share in sorted(dumps))
    job = TALLY.make()
    job.load(first)
    for raw in others:
        job.merge(raw)
    return job.dump()


class Stopping(Tally):
    """Sends its own process a signal, once: `once` is a file that is there afterwards."""

    def __init__(self, number: int, once: str) -> None:
        super().__init__()
        self._number, self._once = number, Path(once)

    def add(self, found: Any) -> None:
        super().add(found)
        if self.sums.messages == 40 and not self._once.exists():
            self._once.touch()
            os.kill(os.getpid(), self._number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_the_command_to_go_on(history: Part, tmp_path: Path, number: int) -> None:
    before = signal.getsignal(number)
    path = tmp_path / "run.json"
    task = Task(job=f"{__name__}:Stopping", options={"number": int(number), "once": str(tmp_path / "once")})
    with pytest.raises(InterruptedRun, match=r"stopped after .* messages, kept in .*; to go on: tradewind replay"):
        run(begun(history, task), checkpoint=path, go_on="tradewind replay --resume run.json", slice_s=0)
    assert 0 < resumed(path, task).messages < 3000
    ran = run(resumed(path, task), checkpoint=path)
    assert ran.job.dump() == run(begun(history, Task(job=TALLY.job))).job.dump()
    assert not path.exists()
    assert signal.getsignal(number) is before


def test_without_a_checkpoint_it_says_that_nothing_was_kept(history: Part, tmp_path: Path) -> None:
    options = {"number": int(signal.SIGTERM), "once": str(tmp_path / "once")}
    with pytest.raises(InterruptedRun, match="nothing was kept"):
        run(begun(history, Task(job=f"{__name__}:Stopping", options=options)), slice_s=0)


def test_progress_runs_up_to_the_whole(history: Part) -> None:
    seen: list[tuple[int, int, int]] = []
    run(begun(history, TALLY), on_progress=lambda done, total, count: seen.append((done, total, count)), slice_s=0)
    assert seen == sorted(seen)
    done, total, count = seen[-1]
    assert done == total > 0
    assert count == 3003


class Failing(Tally):
    """Meets something that a person can put right, or a bug."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self._sentence = sentence

    def add(self, found: Any) -> None:  # noqa: ARG002 # it fails on any
        if self._sentence == "die":
            os._exit(9)
        raise UserError(self._sentence) if self._sentence else ZeroDivisionError


@pytest.mark.parametrize(
    ("workers", "sentence", "kind", "text"),
    [(1, "turn it off", UserError, "turn it off"), (2, "", RuntimeError, "ZeroDivisionError")],
)
def test_what_goes_wrong_in_a_worker_is_said_where_it_was_started(
    history: Part, workers: int, sentence: str, kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        run(begun(history, Task(job=f"{__name__}:Failing", options={"sentence": sentence}), workers=workers))


def test_a_worker_that_was_killed_is_said(history: Part) -> None:
    task = Task(job=f"{__name__}:Failing", options={"sentence": "die"})
    with pytest.raises(UserError, match=r"ended by itself \(exit code 9\)"):
        run(begun(history, task, workers=2))


# ---- Dealing --------------------------------------------------------------------------------------------------------


def log(counts: dict[str, int]) -> LogPart:
    slices = [
        LogSlice(topic=topic, partition=p, start=0, end=10 * (p + 1)) for topic, n in counts.items() for p in range(n)
    ]
    return LogPart(bootstrap_servers="localhost:1", prefix="", slices=tuple(slices))


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_topics_of_equal_partitions_are_dealt_by_partition(workers: int) -> None:
    units = dealt(log({"decisions": 4, "outcomes": 4}), workers)
    assert len(units) == min(workers, 4)
    assert sorted(share for unit in units for share in unit.shares) == [0, 1, 2, 3]
    for unit in units:
        assert isinstance(unit.part, LogPart)
        assert {one.partition for one in unit.part.slices} == set(unit.shares)
        assert {one.topic for one in unit.part.slices} == {"decisions", "outcomes"}


def test_topics_of_unequal_partitions_are_dealt_by_key_and_read_by_all() -> None:
    part = log({"decisions": 4, "outcomes": 2})
    units = dealt(part, 3)
    assert sorted(share for unit in units for share in unit.shares) == list(range(KEY_SHARES))
    assert all(unit.part == part for unit in units)


@given(st.binary(max_size=12), st.integers(1, 12))
def test_a_key_is_of_one_worker_in_every_topic(key: bytes, workers: int) -> None:
    units = dealt(log({"decisions": 4, "outcomes": 2}), workers)
    one, two = (Message(topic, key, b"", 0) for topic in (story(2)[0].topic, story(2)[1].topic))
    owners = [unit for unit in units if unit.share_of(one) in unit.shares]
    assert len(owners) == 1
    assert owners[0].share_of(two) in owners[0].shares


# ---- Checkpoints ----------------------------------------------------------------------------------------------------


def test_a_checkpoint_of_another_run_or_none_at_all_is_said(history: Part, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with pytest.raises(UserError, match="can't be read"):
        resumed(path)
    path.write_bytes(b"[]")
    with pytest.raises(UserError, match="is no checkpoint"):
        resumed(path)
    save(begun(history, TALLY), path)
    with pytest.raises(UserError, match="other options"):
        resumed(path, Task(job=TALLY.job, options={"weight": 0.4}))
    path.write_bytes(msgspec.json.encode({**msgspec.json.decode(path.read_bytes()), "format": 99}))
    with pytest.raises(UserError, match="another release"):
        resumed(path)
    with pytest.raises(UserError, match="can't be written"):
        save(begun(history, TALLY), tmp_path / "no" / "run.json")


def test_an_options_json_round_trip_is_the_same_task(history: Part, tmp_path: Path) -> None:
    task = Task(job="tests.unit.history.tally:Tally", options={"weight": 1})
    save(begun(history, task), tmp_path / "run.json")
    assert resumed(tmp_path / "run.json", task).task.options == {"weight": 1}


def test_a_file_cut_in_two_holds_what_the_whole_does(tmp_path: Path) -> None:
    given_ = story(400)

    def cut() -> Iterator[Path]:
        for name, piece in (("a.jsonl", given_[:150]), ("b.jsonl", given_[150:])):
            (tmp_path / name).write_bytes(lines(piece))
            yield tmp_path / name

    whole = run(begun(files([saved(tmp_path / "whole.jsonl", given_)]), TALLY))
    pieces = run(begun(files(cut()), TALLY))
    assert figures(pieces.job)["messages"] == figures(whole.job)["messages"]
    assert figures(pieces.job)["joined"] == figures(whole.job)["joined"]
