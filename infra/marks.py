"""Which dead letters were put back: marks on a compacted topic, for as long as the letters themselves are kept.

A mark below the point where the dead letters begin now is of a letter that retention has removed. Nobody can put that
one back again: whoever retries looks where they begin after fencing all others, and passes over what lies below
(the point only moves up). So such marks need not be held, and the retry takes them out of the topic.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec

from infra import provision
from infra.cluster.reading import Row, reading
from infra.settings import Settings
from streams.records import DeadLetter


class Mark(msgspec.Struct, frozen=True):
    """That a letter was put back: the place it tells of, so that a new letter in an old place isn't taken for it."""

    topic: str
    partition: int
    offset: int


@dataclass(slots=True)
class Marks:
    """`begins` is where the dead letters begin, by partition. Memory: 16 bytes of content a mark that is held."""

    begins: Mapping[int, int] = field(default_factory=dict[int, int])
    outdated: set[str] = field(default_factory=set[str])  # keys of marks that nobody needs any more
    _held: set[bytes] = field(default_factory=set[bytes])

    def take(self, key: str, value: bytes | None) -> None:
        """One record of the topic, in its order."""
        if value is None:
            self.outdated.discard(key)
        elif self._is_gone(key):
            self.outdated.add(key)
        else:
            self._held.add(_digest(key, value))

    def has(self, partition: int, offset: int, letter: DeadLetter) -> bool:
        """Whether this very letter was put back, or has left the log."""
        key = key_of(partition, offset)
        return self._is_gone(key) or _digest(key, value_of(letter)) in self._held

    def __len__(self) -> int:
        return len(self._held)

    def _is_gone(self, key: str) -> bool:
        partition, _, offset = key.partition("/")
        return int(offset) < self.begins.get(int(partition), 0)


def key_of(partition: int, offset: int) -> str:
    """The key of a mark: the letter's place among the dead letters."""
    return f"{partition}/{offset}"


def value_of(letter: DeadLetter) -> bytes:
    return msgspec.json.encode(Mark(letter.topic, letter.partition, letter.offset))


def marks_topic(settings: Settings) -> str:
    """Where it is marked which letters were put back."""
    return settings.topic(f"{settings.application_id}-retried-letters")


def ensure_marks(settings: Settings) -> None:
    """Make the topic of the marks. Raises UserError."""
    if not _exists(settings):
        with provision.admin(settings) as client:
            provision.make_compacted(client, settings, marks_topic(settings))


def read_marks(settings: Settings) -> Marks:
    """The marks as they are now; none where nobody ever put a letter back. Raises UserError."""
    if not _exists(settings):
        return Marks()
    with reading(settings, settings.topic("dead-letters")) as letters:
        found = Marks({place.partition: begin for place, begin in letters.begins.items()})
    with reading(settings, marks_topic(settings)) as source:
        _take_all(found, source.since(None))
    return found


def _take_all(found: Marks, rows: Iterable[Row]) -> None:
    for row in rows:
        found.take((row.key or b"").decode(), row.value)


def _digest(key: str, value: bytes) -> bytes:
    return blake2b(key.encode() + b" " + value, digest_size=16).digest()


def _exists(settings: Settings) -> bool:
    with provision.admin(settings) as client:
        return provision.exists(client, marks_topic(settings))
