"""What a log tells of the run that wrote it, beside its messages: read once, before the agents are run again.

What agents go by isn't all in their input topics: how far the topics had been read, and which version served (each
decision says both), and the ticks that move an idle task's time on (an outcome or a decision that came of one lies in
the log at its time). So a replay needn't guess at an interleaving: it follows the recorded one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from infra.history.message import Found, Message
from policies.experiment import CONTROL
from policies.experiments import DEFAULT, MISSING, SHADOW
from streams.topics import DECISIONS, OUTCOMES

Marks = dict[str, list[int]]  # by watched topic: the next offset of each partition
Seat = tuple[str, int]  # a task: its agent and its partition


class Treated(NamedTuple):
    """The arm that a decision was made in, and what it says of its experiment."""

    arm: str
    policy_hash: str
    told: dict[str, Any]
    fallback: str | None

    @property
    def apart(self) -> bool:
        """Whether another version decided than the one that serves."""
        return not self.arm.endswith(f"/{CONTROL}")


class Clue(NamedTuple):
    """One logged decision: which task made it, on which record, and what it went by."""

    seat: Seat
    source: tuple[str, int, int]
    marks: Marks
    policy_hash: str
    read: dict[str, int]  # of the task's inputs the next offset, with the record that it decided on
    entity: str = ""
    treated: Treated | None = None  # where it was part of an experiment


class _Told(msgspec.Struct, gc=False):
    decision_id: str
    domain: str
    source: tuple[str, int, int] = ("", 0, 0)
    policy_hash: str = ""
    views: Marks = {}
    read: dict[str, int] = {}
    entity: str = ""
    arm: str = DEFAULT
    exploration: dict[str, Any] = {}
    fallback: str | None = None

    @property
    def treated(self) -> Treated | None:
        told = self.exploration.get("experiment")
        if told is None:
            return None
        fallback = self.fallback if self.fallback == MISSING else None
        return Treated(self.arm, self.policy_hash, {"experiment": told}, fallback)


_DECODER = msgspec.json.Decoder(_Told)


@dataclass(slots=True)
class Clues:
    """By decision id, and by the record that was in hand. Memory grows with the decisions, by what is in a Clue."""

    by_id: dict[str, Clue] = field(default_factory=dict[str, Clue])
    by_source: dict[tuple[str, int, int], Clue] = field(default_factory=dict[tuple[str, int, int], Clue])
    also: dict[tuple[str, int, int], list[Clue]] = field(default_factory=dict[tuple[str, int, int], list[Clue]])
    first: dict[tuple[str, str], Treated | None] = field(default_factory=dict[tuple[str, str], Treated | None])
    topics: dict[str, int] = field(default_factory=dict[str, int])
    marked: bool = False  # whether decisions say how far the watched topics had been read
    _tried: set[str] = field(default_factory=set[str])
    _turns: dict[Seat, dict[int, Clue]] = field(default_factory=dict[Seat, dict[int, Clue]])
    _marks: dict[bytes, Marks] = field(default_factory=dict[bytes, Marks])  # decisions of one step share theirs

    def read(self, history: Iterable[Found]) -> None:
        """Go through a history once."""
        for found in history:
            if isinstance(found, Message):
                self.topics[found.topic.name] = self.topics.get(found.topic.name, 0) + 1
                if found.topic is DECISIONS:
                    self._take(found)

    def treats(self, domain: str) -> bool:
        """Whether anything was tried there."""
        return domain in self._tried

    def turns(self, seat: Seat) -> list[Clue]:
        """The decisions of a task that say how far its inputs had been read, in its own order: one for each place."""
        turns = self._turns.get(seat, {})
        return [turns[place] for place in sorted(turns)]

    def _take(self, message: Message) -> None:
        try:
            told = _DECODER.decode(message.value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError):
            return  # counted where decisions are judged
        if told.arm.startswith(SHADOW):
            return  # nothing came of it
        marks = self._marks.setdefault(msgspec.msgpack.encode(told.views), told.views)
        self.marked = self.marked or bool(told.views)
        clue = Clue(
            (told.domain, told.source[1]), told.source, marks, told.policy_hash, told.read, told.entity, told.treated
        )
        self.first.setdefault((told.domain, told.entity), clue.treated)
        if clue.treated is not None:
            self._tried.add(told.domain)
        if told.read:
            self._turns.setdefault(clue.seat, {}).setdefault(sum(told.read.values()), clue)
        self.by_id.setdefault(told.decision_id, clue)
        by_itself = told.source[2] < 0  # time had passed: it was made on no record
        if not by_itself and self.by_source.setdefault(told.source, clue) is not clue:
            self.also.setdefault(told.source, []).append(clue)


class _When(msgspec.Struct, gc=False):
    decision_id: str
    decided_at: int
    matured_at: int = 0


_WHEN = msgspec.json.Decoder(_When)


class Tick(NamedTuple):
    """A task's time had come this far (epoch ms) when what says so was logged; `clue` where it decided then."""

    seat: Seat
    now: int
    clue: Clue | None


def tick_of(message: Message, clues: Clues) -> Tick | None:
    """What a decision or an outcome tells of its task's clock."""
    if message.topic is not DECISIONS and message.topic is not OUTCOMES:
        return None
    try:
        told = _WHEN.decode(message.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    clue = clues.by_id.get(told.decision_id)
    if clue is None:
        return None
    by_itself = message.topic is DECISIONS and clue.source[2] < 0
    return Tick(clue.seat, told.matured_at or told.decided_at, clue if by_itself else None)
