"""What an agent is: topics in, topics out, and a pure step between. No Kafka, no clock, no dice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import msgspec

from policies.version import PolicyVersion
from streams.topics import Topic
from streams.views import Views

Writes = dict[str, bytes | None]
Struct = TypeVar("Struct", bound=msgspec.Struct)


class Input(NamedTuple):
    """One record as it lay in the log. `record` is None for a deletion on a compacted topic."""

    topic: Topic
    partition: int
    offset: int
    key: str
    record: Any

    @property
    def source(self) -> tuple[str, int, int]:
        return self.topic.name, self.partition, self.offset


class Output(NamedTuple):
    """One record to append. Its key is `topic.key(record)`."""

    topic: Topic
    record: Any


@dataclass(frozen=True, slots=True)
class State:
    """What an agent knows: `entries` is its own, by key; `views` are the compacted topics that all workers share."""

    entries: Mapping[str, bytes]
    views: Views


@dataclass(frozen=True, slots=True)
class Step:
    """What a step wants done: `writes` to its own entries (None removes one), `outputs` in order, and its new time."""

    writes: Writes
    outputs: list[Output]
    now: int
    ignored: dict[str, int] = field(default_factory=dict[str, int])  # inputs deliberately not acted on, by reason


class Agent(Protocol):
    """One agent. `step` must be a pure function: the same arguments give the same Step, and none of them is changed.

    For any way to cut a sequence of inputs into batches, the concatenated outputs and the merged writes must be
    equal; a second copy of an event must change nothing.
    """

    @property
    def name(self) -> str: ...
    @property
    def reads(self) -> tuple[Topic, ...]: ...
    @property
    def watches(self) -> tuple[Topic, ...]: ...
    @property
    def emits(self) -> tuple[Topic, ...]: ...

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step: ...


@dataclass(slots=True)
class Draft:
    """A step's working copy of its entries: each is decoded once, and encoded once at the end."""

    entries: Mapping[str, bytes]
    _open: dict[str, msgspec.Struct | None] = field(default_factory=dict[str, msgspec.Struct | None])

    def edit(self, key: str, kind: type[Struct]) -> Struct:
        """The entry under `key`, new where there was none. What the caller changes in it is written."""
        found = self.find(key, kind)
        if found is None:
            found = self._open[key] = kind()
        return found

    def find(self, key: str, kind: type[Struct]) -> Struct | None:
        """The entry under `key`, or None. What the caller changes in it is written."""
        if key in self._open:
            return cast(Struct | None, self._open[key])
        raw = self.entries.get(key)
        if raw is None:
            return None
        found = self._open[key] = msgspec.msgpack.decode(raw, type=kind)
        return found

    def remove(self, key: str) -> None:
        self._open[key] = None

    def writes(self) -> Writes:
        """What has changed, by key: encoded, or None where an entry was removed."""
        now = {key: None if entry is None else msgspec.msgpack.encode(entry) for key, entry in self._open.items()}
        return {key: raw for key, raw in now.items() if raw != self.entries.get(key)}


@dataclass(slots=True, kw_only=True)
class Work:
    """A step under way: its draft, what it has put out so far, and how many inputs it has left aside, by reason."""

    draft: Draft
    outputs: list[Output] = field(default_factory=list[Output])
    ignored: dict[str, int] = field(default_factory=dict[str, int])

    def put(self, topic: Topic, record: object) -> None:
        self.outputs.append(Output(topic, record))

    def ignore(self, why: str) -> None:
        self.ignored[why] = self.ignored.get(why, 0) + 1

    def done(self, now: int) -> Step:
        return Step(self.draft.writes(), self.outputs, now, self.ignored)
