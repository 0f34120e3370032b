"""What the outer loop learns from: the last few experiences of a bounded sample of entities, as they were. No sums.

Entities are sampled by a hash of their name, so that the sample doesn't depend on the order of arrival, and the memory
it takes is constant. The same hash says who is in which fold, and so who is judged on and never learned from.
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from policies.linalg import Floats

ENTITIES: Final = 512  # of each domain
KEEP: Final = 16  # experiences of each entity
ROWS: Final = 16  # of each experience: the first slots
FOLDS: Final = 4

_LARGEST: Final = 1e30

_Packed = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One experience: contexts φ [n, d], outcomes y [n], propensities [n] or [0]; `at` is event time in ms."""

    at: int
    phi: Floats
    y: Floats
    propensities: Floats

    @property
    def drawn(self) -> bool:
        """Whether it was chosen by a draw whose probabilities are known."""
        return len(self.propensities) == len(self.y) and bool((self.propensities < 1.0).any())


class Ring(msgspec.Struct, array_like=True):
    """One entity's last experiences, oldest first: [at, φ, y, propensities], the last three as raw float32."""

    kept: list[tuple[int, bytes, bytes, bytes]] = []

    def add(
        self, at: int, contexts: list[list[float]], outcomes: list[float], propensities: list[float] | None = None
    ) -> bool:
        """Keep one experience, and say whether it could be: it must be even, and its numbers within float32."""
        if len(contexts) != len(outcomes) or len({len(row) for row in contexts}) != 1:
            return False
        parts = [np.array(part[:ROWS]) for part in (contexts, outcomes, propensities or [])]
        if not all((np.abs(part) < _LARGEST).all() for part in parts):
            return False
        phi, y, p = (part.astype(np.float32).tobytes() for part in parts)
        self.kept = [*self.kept, (at, phi, y, p)][-KEEP:]
        return True

    def episodes(self) -> list[Episode]:
        """All of them that are of one width."""
        found: list[Episode] = []
        for at, phi, y, p in self.kept:
            outcomes = _read(y)
            if len(outcomes):
                contexts = _read(phi).reshape(len(outcomes), -1)
                found.append(Episode(at=at, phi=contexts, y=outcomes, propensities=_read(p)))
        return found


def _read(raw: bytes) -> Floats:
    packed: _Packed = np.frombuffer(raw, dtype=np.float32)
    return packed.astype(np.float64)


class Sample(msgspec.Struct, array_like=True):
    """Who is in the sample: (hash, name), in order of the hash."""

    members: list[tuple[str, str]] = []

    def admit(self, name: str) -> tuple[bool, str | None]:
        """Whether this entity is in the sample from now on, and who has to leave for it."""
        member = (mark(name), name)
        if len(self.members) >= ENTITIES and member > self.members[-1]:
            return False, None
        if member in self.members:
            return True, None
        insort(self.members, member)
        return True, self.members.pop()[1] if len(self.members) > ENTITIES else None

    def leave(self, name: str) -> None:
        member = (mark(name), name)
        if member in self.members:
            self.members.remove(member)


def mark(name: str) -> str:
    """The hash of a name, in hex."""
    return blake2b(name.encode(), digest_size=8).hexdigest()


def fold(name: str) -> int:
    """Which of the `FOLDS` an entity is in; by other bits of the hash than those by which it was sampled."""
    return int(mark(name)[-2:], 16) % FOLDS


Stream = list[Episode]  # one entity's, oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """By entity and by time: what is learned from lies before `cut`, and what is judged on after it, in others."""

    train: list[Stream]
    judged: list[Stream]
    cut: int

    @property
    def as_new(self) -> "Split":
        """The same, with those judged as if they were new at the cut: that is where a prior matters most."""
        fresh = [[one for one in stream if one.at >= self.cut] for stream in self.judged]
        return Split(train=self.train, judged=fresh, cut=self.cut)


def cut_of(streams: Iterable[Stream], share: float) -> int:
    """The time before which this share of the experiences lies."""
    times = np.sort(np.array([one.at for stream in streams for one in stream] or [0], dtype=np.int64))
    return int(times[int(share * (len(times) - 1))])


def split(streams: Sequence[tuple[str, Stream]], judged: int, cut: int) -> Split:
    """Streams by the entity's name, split: those of fold `judged` are judged on, all others learned from."""
    known = [(fold(name), sorted(stream, key=lambda one: one.at)) for name, stream in streams]
    train = [[one for one in stream if one.at < cut] for where, stream in known if where != judged]
    later = [stream for where, stream in known if where == judged and any(one.at >= cut for one in stream)]
    return Split(train=[stream for stream in train if stream], judged=later, cut=cut)
