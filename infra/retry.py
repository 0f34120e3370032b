"""Dead letters read, and put back where they came from once they can be read: each once, over any restart.

A letter that was put back is marked on a compacted topic of its own, in the same transaction. Whoever retries first
fences any other who still does, and then reads all marks: so a retry that was killed, or whose end is unknown, goes on
where it was.
"""

from base64 import b64decode
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal, NamedTuple, Self

import msgspec
from kafka import KafkaProducer
from kafka.errors import InvalidProducerEpochError, KafkaError, ProducerFencedError

from infra.cluster.clients import admin_options
from infra.cluster.envelope import schema_header
from infra.cluster.partitioner import partition_for
from infra.cluster.reading import Reading, Row
from infra.errors import UserError
from infra.mapping.entrance import Entrance, Mapped, Original
from infra.mapping.fields import Left
from infra.marks import ensure_marks, key_of, marks_topic, read_marks, value_of
from infra.names import FOREIGN
from infra.settings import Settings
from streams.codec import MalformedRecord, decode, encode, unframed
from streams.records import DeadLetter
from streams.topics import BY_NAME, Topic

_AT_ONCE: Final = 100
_UNMARKED_AT_ONCE: Final = 5_000
_LARGEST: Final = 16 * 1024 * 1024

Fate = Literal["read", "unreadable", "left", "bytes-not-kept", "unknown-topic", "retried"]


class Letter(NamedTuple):
    """A dead letter, and where it lies among the dead letters."""

    partition: int
    offset: int
    record: DeadLetter

    @property
    def place(self) -> str:
        return key_of(self.partition, self.offset)


class Out(NamedTuple):
    """What is to be written for one letter. A partition of None: by the key."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None
    headers: list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which letters: of a reason, of a topic, from a moment on (epoch ms, the letters' own log). None means any."""

    reason: str | None = None
    topic: str | None = None
    since: int | None = None

    def takes(self, letter: DeadLetter) -> bool:
        names = {None, letter.topic, letter.topic.removeprefix(FOREIGN)}
        return self.reason in {None, letter.reason} and self.topic in names


def letters(source: Reading, wanted: Wanted) -> Iterator[Letter]:
    """The letters that are asked for, in the order of the log. One that can't be read itself is passed over."""
    for row in source.since(wanted.since):
        letter = letter_of(row)
        if letter is not None and wanted.takes(letter.record):
            yield letter


def letter_of(row: Row) -> Letter | None:
    """The letter of one row."""
    try:
        # Not by the codec, which refuses what is large: a letter carries the bytes of what was too large.
        record = msgspec.json.decode(unframed(row.value) or b"", type=DeadLetter)
    except ValueError:
        return None
    return Letter(row.partition, row.offset, record)


def fate(letter: Letter, entrance: Entrance) -> Fate:
    """What would become of the letter's message now."""
    return _judged(letter, entrance)[0]


def outputs(settings: Settings, letter: Letter, entrance: Entrance, *, force: bool = False) -> list[Out] | None:
    """What to write for a letter: its own bytes on their own topic and partition; None where it makes no sense.

    A message of a topic that the mapping reads from isn't put back there, where others would read it twice: what it
    becomes goes to our topics. `force` puts back what still can't be read.
    """
    found, record = _judged(letter, entrance)
    if isinstance(record, Mapped):
        made = [(topic, topic.key(one).encode(), encode(one)) for topic, one in record.made]
        return [Out(settings.topic(topic.name), key, value, None, [schema_header(topic)]) for topic, key, value in made]
    foreign = letter.record.topic.startswith(FOREIGN)
    if found == "read" or (force and found == "unreadable" and not foreign):
        original = _original(letter)
        name = settings.topic(letter.record.topic)
        return [Out(name, original.key, original.value, letter.record.partition, [])]
    return None


def retry(
    settings: Settings,
    chosen: Iterable[Letter],
    entrance: Entrance,
    *,
    force: bool = False,
    on_done: Callable[[int], None] = lambda _: None,
) -> int:
    """Put the letters back that can be read now, and mark them. Returns how many; raises UserError.

    Marks of letters that are no longer in the log are taken away first.
    """
    ensure_marks(settings)
    done = 0
    with _Returning(settings) as returning:
        marked = read_marks(settings)
        returning.unmark(marked.outdated)
        rest = iter(letter for letter in chosen if not marked.has(letter.partition, letter.offset, letter.record))
        while batch := list(islice(rest, _AT_ONCE)):
            told = [(letter, outputs(settings, letter, entrance, force=force)) for letter in batch]
            ready = [(letter, out) for letter, out in told if out is not None]
            if ready:
                returning.put(ready)
                done += len(ready)
                on_done(done)
    return done


class _Returning:
    """A transactional producer that writes letters' messages and their marks together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._partitions: dict[str, int] = {}
        self._client: Any = None

    def __enter__(self) -> Self:
        settings = self._settings
        try:
            self._client = KafkaProducer(
                **admin_options(settings),
                metrics_enabled=False,
                acks="all",
                transactional_id=f"{settings.identity}-dead-letters",
                transaction_timeout_ms=int(settings.transaction_timeout_s * 1000),
                max_request_size=_LARGEST,
            )
            self._client.init_transactions()
        except KafkaError as error:
            raise UserError(f"letters can't be put back: {error}") from error
        return self

    def put(self, ready: list[tuple[Letter, list[Out]]]) -> None:
        """All of these with their marks, or none. Raises UserError."""
        with self._transaction():
            for letter, outs in ready:
                for out in outs:
                    self._send(out, letter.record.at)
                self._mark(letter.place, value_of(letter.record))

    def unmark(self, keys: Iterable[str]) -> None:
        """Take these marks away. Raises UserError."""
        rest = iter(sorted(keys))
        while some := list(islice(rest, _UNMARKED_AT_ONCE)):
            with self._transaction():
                for key in some:
                    self._mark(key, None)

    def _mark(self, key: str, value: bytes | None) -> None:
        self._client.send(marks_topic(self._settings), key=key.encode(), value=value, partition=0)

    @contextmanager
    def _transaction(self) -> Generator[None]:
        try:
            self._client.begin_transaction()
            yield
            self._client.commit_transaction()
        except (ProducerFencedError, InvalidProducerEpochError) as error:
            raise UserError("somebody else retries dead letters now: look again when that is done") from error
        except KafkaError as error:
            raise UserError(f"letters can't be put back: {error}; run it again: none goes twice") from error

    def _send(self, out: Out, at: int) -> None:
        number = out.partition
        if number is None or number >= self._count(out.topic):
            number = partition_for(out.key or b"", self._count(out.topic))
        self._client.send(
            out.topic, key=out.key, value=out.value, partition=number, headers=out.headers, timestamp_ms=max(at, 0)
        )

    def _count(self, topic: str) -> int:
        if topic not in self._partitions:
            self._partitions[topic] = len(self._client.partitions_for(topic))
        return self._partitions[topic]

    def __exit__(self, *error: object) -> None:
        self._client.close()


def _judged(letter: Letter, entrance: Entrance) -> tuple[Fate, Any]:
    """What would become of it, and the record that it would be."""
    topic = _topic(letter.record.topic, entrance)
    if topic is None:
        return "unknown-topic", None
    if letter.record.value is None and letter.record.reason != "null-value":
        return "bytes-not-kept", None
    original = _original(letter)
    reader = entrance.of(topic)
    try:
        if reader is None:
            return "read", decode(topic, original.key, original.value, original.timestamp)[1]
        return "read", reader(letter.record.partition, original)[1]
    except Left:
        return "left", None
    except MalformedRecord:
        return "unreadable", None


def _topic(name: str, entrance: Entrance) -> Topic | None:
    if not name.startswith(FOREIGN):
        return BY_NAME.get(name)
    known = name.removeprefix(FOREIGN) in entrance.rules.sources
    return Topic(name=name, record=Mapped, key=str, role="input") if known else None


def _original(letter: Letter) -> Original:
    record = letter.record
    return Original(record.offset, record.at, _bytes(record.key), _bytes(record.value))


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)
