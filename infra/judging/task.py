"""One agent on one partition, run again on its recorded input: views, version and ticks as the log tells of them."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

from agents.contract import Agent, Input, Output, State
from agents.identity import decision_id
from infra.judging.as_logged import AsLogged
from infra.judging.clues import Clue, Clues, Marks, Treated
from infra.judging.logged import Versions
from policies.experiments import NONE, Experiments
from policies.version import SHIPPED, PolicyVersion
from streams.codec import encode
from streams.topics import USER_EVENTS, Topic
from streams.views import Views


class Watched(NamedTuple):
    """A record of a watched topic, with its place and the log's time."""

    topic: Topic
    partition: int
    offset: int
    key: str
    record: Any
    logged_at: int


class Due(NamedTuple):
    """What is next for a task: a record, or (None) a tick to `now`; with the log's time of it.

    `clue` is that of a decision that a tick led to.
    """

    given: Input | None
    now: int
    logged_at: int
    clue: Clue | None = None


@dataclass(slots=True, kw_only=True)
class Again:
    """A task of the recorded run, run again. Feed it with `watch` and `wait`, then `go_on` as far as that reaches."""

    agent: Agent
    partition: int
    clues: Clues
    versions: Versions
    policy: PolicyVersion = SHIPPED
    _views: Views = field(default_factory=Views)
    _entries: dict[str, bytes] = field(default_factory=dict[str, bytes])
    _now: int = 0
    _ahead: dict[tuple[str, int], deque[Watched]] = field(default_factory=dict[tuple[str, int], deque[Watched]])
    _inputs: dict[str, deque[Due]] = field(default_factory=dict[str, deque[Due]])
    _ticks: deque[Due] = field(default_factory=deque[Due])
    _turns: deque[Clue] = field(default_factory=deque[Clue])
    _read_to: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    _at: dict[str, int] = field(default_factory=dict[str, int])
    _treated: dict[str, Treated | None] = field(default_factory=dict[str, Treated | None])
    _experiments: Experiments = NONE
    digest: Any = field(default_factory=lambda: blake2b(digest_size=32))

    def __post_init__(self) -> None:
        self._turns.extend(self.clues.turns((self.agent.name, self.partition)))
        if self.clues.treats(self.agent.name):
            self._experiments = AsLogged(versions_of=self.versions, treated=self._treated, first=self.clues.first)

    def watch(self, record: Watched) -> None:
        """A record of a watched topic: it comes into the views when a decision says so, or the log's time does."""
        self._ahead.setdefault((record.topic.name, record.partition), deque()).append(record)
        self._read_to[record.topic.name, record.partition] = record.offset + 1

    def wait(self, due: Due) -> None:
        """Something of its own input, in the order of the log."""
        if due.given is None:
            self._ticks.append(due)
        else:
            self._inputs.setdefault(due.given.topic.name, deque()).append(due)

    def go_on(self, *, to_the_end: bool = False) -> Iterator[Output]:
        """Run as far as is known what was seen: all that it puts out, in order."""
        batch: list[Input] = []
        while (due := self._next(to_the_end=to_the_end)) is not None:
            clue = due.clue if due.given is None else self._clue(due.given)
            if clue is not None and not to_the_end and not self._has(clue.marks):
                break
            self._pass(due)
            if self._cuts(due, clue):
                yield from self._step(batch, self._now)
                batch = []
                self._see(due, clue)
            if due.given is not None:
                batch.append(due.given)
            elif due.now > self._now:
                yield from self._step([], due.now)
        yield from self._step(batch, self._now)

    def _cuts(self, due: Due, clue: Clue | None) -> bool:
        """Whether what came before must be done with first: time passes by itself, or something else is seen."""
        if due.given is None:
            return due.now > self._now
        if clue is not None:
            return self._moves(clue)
        return not self.clues.marked and self._is_behind(due.logged_at)

    def _see(self, due: Due, clue: Clue | None) -> None:
        if clue is not None:
            self._follow(clue)
        elif not self.clues.marked:
            self._see_until(due.logged_at)

    def _next(self, *, to_the_end: bool) -> Due | None:
        """What comes next: the earliest by the log's time, but no input further than the next decision had read it.

        The record that it decided on is the last of them. None where that isn't known yet.
        """
        while self._turns and self._is_past(self._turns[0]):
            self._turns.popleft()
        turn = self._turns[0] if self._turns else None
        heads = [queue[0] for queue in self._inputs.values() if queue]
        open_to = [one for one in heads if turn is None or _offset(one) < turn.read.get(_topic(one), _offset(one))]
        others = [one for one in open_to if turn is None or one.given is None or one.given.source != turn.source]
        if turn is not None and not self._is_read(turn) and not to_the_end:
            return None
        ticks = [self._ticks[0]] if self._ticks else []
        return min((*(others or open_to or heads), *ticks), key=lambda due: due.logged_at, default=None)

    def _pass(self, due: Due) -> None:
        if due.given is None:
            self._ticks.popleft()
            return
        self._inputs[due.given.topic.name].popleft()
        self._at[due.given.topic.name] = due.given.offset + 1

    def _is_past(self, turn: Clue) -> bool:
        return all(self._at.get(topic, 0) >= offset for topic, offset in turn.read.items())

    def _is_read(self, turn: Clue) -> bool:
        """Whether all that a decision had read has come by here."""
        last = {topic: _offset(queue[-1]) + 1 for topic, queue in self._inputs.items() if queue}
        return all(max(self._at.get(topic, 0), last.get(topic, 0)) >= offset for topic, offset in turn.read.items())

    def _clue(self, given: Input) -> Clue | None:
        if given.topic is USER_EVENTS:
            return self.clues.by_id.get(decision_id(self.agent.name, given.record.event_id))
        return self.clues.by_source.get(given.source)

    def _step(self, batch: list[Input], now: int) -> Iterator[Output]:
        if not batch and now <= self._now:
            return
        made = self.agent.step(
            State(self._entries, self._views, experiments=self._experiments), batch, self.policy, now
        )
        for key, raw in made.writes.items():
            if raw is None:
                self._entries.pop(key, None)
            else:
                self._entries[key] = raw
        self._now = max(self._now, made.now)
        for output in made.outputs:
            self.digest.update(output.topic.name.encode() + b"\n" + encode(output.record) + b"\n")
            yield output

    # ---- What it goes by --------------------------------------------------------------------------------------------

    def _has(self, marks: Marks) -> bool:
        """Whether all that a decision had seen has come by."""
        return all(
            self._read_to.get((topic, partition), 0) >= offset
            for topic, offsets in marks.items()
            if topic in self.watched
            for partition, offset in enumerate(offsets)
        )

    @property
    def watched(self) -> frozenset[str]:
        return frozenset(topic.name for topic in self.agent.watches)

    def _moves(self, clue: Clue) -> bool:
        return self._decides_otherwise(clue) or any(
            queue and queue[0].offset < _mark(clue.marks, place) for place, queue in self._ahead.items()
        )

    def _decides_otherwise(self, clue: Clue) -> bool:
        """Whether another version decided, or in another arm."""
        for one in self._together(clue):
            if one.treated != self._treated.get(one.entity, self.clues.first.get((self.agent.name, one.entity))):
                return True
            if not (one.treated is not None and one.treated.apart) and one.policy_hash != self.policy.sha256:
                return True
        return False

    def _together(self, clue: Clue) -> Iterator[Clue]:
        """A decision, and those that were made on the same record."""
        yield clue
        yield from self.clues.also.get(clue.source, ())

    def _follow(self, clue: Clue) -> None:
        """See what that decision had seen, and go by the version that it went by."""
        for one in self._together(clue):
            self._treated[one.entity] = one.treated
            if one.treated is None or not one.treated.apart:
                self.policy = self.versions.get(one.policy_hash, self.policy)
        for place, queue in self._ahead.items():
            mark = _mark(clue.marks, place)
            while queue and queue[0].offset < mark:
                self._apply(queue.popleft())

    def _is_behind(self, logged_at: int) -> bool:
        return any(queue and queue[0].logged_at <= logged_at for queue in self._ahead.values())

    def _see_until(self, logged_at: int) -> None:
        """Of a log whose decisions don't say what they had seen: all that was logged by then."""
        for queue in self._ahead.values():
            while queue and queue[0].logged_at <= logged_at:
                self._apply(queue.popleft())

    def _apply(self, one: Watched) -> None:
        self._views.apply(one.topic, one.key, one.record, one.logged_at)
        self._views.reached(one.topic.name, one.partition, one.offset + 1)


def _topic(due: Due) -> str:
    return "" if due.given is None else due.given.topic.name


def _offset(due: Due) -> int:
    return -1 if due.given is None else due.given.offset


def _mark(marks: Mapping[str, list[int]], place: tuple[str, int]) -> int:
    offsets = marks.get(place[0], [])
    return offsets[place[1]] if place[1] < len(offsets) else 0


def digest_of(tasks: Iterable[Again]) -> str:
    """The hash of all that the tasks put out, in hex."""
    whole = blake2b(digest_size=32)
    for task in tasks:
        whole.update(task.digest.digest())
    return whole.hexdigest()
