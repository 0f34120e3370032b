"""What an agent is: topics in, topics out, and a pure step between. No Kafka, no clock, no dice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import msgspec

from policies.experiments import NONE, Experiments
from policies.version import PolicyVersion
from streams.topics import Topic
from streams.views import Views

Writes = dict[str, bytes | None]
Struct = TypeVar("Struct", bound=msgspec.Struct)


class Input(msgspec.Struct, frozen=True, gc=False):
    """One record as it lay in the log. `record` is None for a deletion on a compacted topic."""

    topic: Topic
    partition: int
    offset: int
    key: str
    record: Any

    @property
    def source(self) -> tuple[str, int, int]:
        return self.topic.name, self.partition, self.offset


class Output(msgspec.Struct, frozen=True, gc=False):
    """One record to append. Its key is `topic.key(record)`."""

    topic: Topic
    record: Any


class Decoded(NamedTuple):
    """An entry as a value, and the bytes that it stands for."""

    raw: bytes
    value: msgspec.Struct


class Entries(Protocol):
    """An agent's own entries, by key."""

    def get(self, key: str, /) -> bytes | None: ...


class Memo(Protocol):
    """Entries that needn't be decoded."""

    def pop(self, key: str, default: None, /) -> Decoded | None: ...


@dataclass(frozen=True, slots=True)
class State:
    """What an agent knows: `entries` is its own, by key; `views` are the compacted topics that all workers share.

    `memo` saves decoding: it may hold entries as values, and what a step takes out of it is the step's. It never says
    anything else than `entries` does, so that a step's result doesn't depend on what it holds. `read` is how far each
    input has been taken in, by topic: the next offset; None where nobody keeps count. It is for the log only.
    `experiments` say for whom another version decides than the one that serves.
    """

    entries: Entries
    views: Views
    memo: Memo = field(default_factory=dict[str, Decoded])
    read: Mapping[str, int] | None = None
    experiments: Experiments = NONE


@dataclass(frozen=True, slots=True)
class Step:
    """What a step wants done: `writes` to its own entries (None removes one), `outputs` in order, and its new time.

    `opened` are the entries that it had in hand, as they are once it is committed: for the memo of the next step.
    """

    writes: Writes
    outputs: list[Output]
    now: int
    ignored: dict[str, int] = field(default_factory=dict[str, int])  # inputs deliberately not acted on, by reason
    opened: dict[str, Decoded] = field(default_factory=dict[str, Decoded])


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


class Kept(Protocol):
    """A live part of an entry that isn't plain data: made from what it put away, and put away again."""

    def __init__(self, stored: Any) -> None: ...
    def put_away(self) -> Any: ...


def _put_away(live: Any) -> Any:
    return cast(Kept, live).put_away()


def _take_up(kind: type, stored: Any) -> Any:
    return cast(type[Kept], kind)(stored)


@cache
def _decoder(kind: type[Struct]) -> msgspec.msgpack.Decoder[Struct]:
    return msgspec.msgpack.Decoder(kind, dec_hook=_take_up)


_encoder = msgspec.msgpack.Encoder(enc_hook=_put_away)


@dataclass(slots=True)
class Draft:
    """A step's working copy of its entries: each is decoded at most once, and encoded once at the end."""

    entries: Entries
    memo: Memo = field(default_factory=dict[str, Decoded])
    given: Input | None = None  # the record in hand; None while time passes by itself
    read: dict[str, int] | None = None  # by input topic the next offset, where somebody keeps count
    _open: dict[str, msgspec.Struct | None] = field(default_factory=dict[str, msgspec.Struct | None])
    _before: dict[str, bytes | None] = field(default_factory=dict[str, bytes | None])

    def source(self, usual: tuple[str, int, int]) -> tuple[str, int, int]:
        """Where the record in hand lay; where time passes by itself, offset -1 of the `usual` place."""
        return (usual[0], usual[1], -1) if self.given is None else self.given.source

    def take(self, given: Input) -> None:
        """Take a record in hand."""
        self.given = given
        if self.read is not None:
            self.read[given.topic.name] = given.offset + 1

    def so_far(self) -> dict[str, int]:
        """How far each input has been taken in, with the record in hand: as a decision logs it."""
        return dict(self.read or {})

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
        held = self.memo.pop(key, None)
        if held is None:
            raw = self._before[key] = self.entries.get(key)
            if raw is None:
                return None
            held = Decoded(raw, _decoder(kind).decode(raw))
        self._before[key], self._open[key] = held
        return cast(Struct, held.value)

    def put(self, key: str, value: msgspec.Struct) -> None:
        """Have this under `key`, whatever was there."""
        self.remove(key)
        self._open[key] = value

    def remove(self, key: str) -> None:
        if key not in self._before:
            held = self.memo.pop(key, None)
            self._before[key] = held.raw if held is not None else self.entries.get(key)
        self._open[key] = None

    def done(self) -> tuple[Writes, dict[str, Decoded]]:
        """What has changed, by key: encoded, or None where an entry was removed; and all entries still open.

        The draft must not be used after it.
        """
        writes: Writes = {}
        opened: dict[str, Decoded] = {}
        for key, value in self._open.items():
            raw = None if value is None else _encoder.encode(value)
            if raw != self._before.get(key):
                writes[key] = raw
            if raw is not None and value is not None:
                opened[key] = Decoded(raw, value)
        return writes, opened

    def writes(self) -> Writes:
        """The first half of `done`."""
        return self.done()[0]


def counted(state: State) -> dict[str, int] | None:
    """A step's own count of how far its inputs have been taken in."""
    return None if state.read is None else dict(state.read)


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
        writes, opened = self.draft.done()
        return Step(writes, self.outputs, now, self.ignored, opened)
