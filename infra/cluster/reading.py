"""A topic read by a person's command: from a moment on, or its last records, to its end or for ever. No group."""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from kafka import KafkaConsumer
from kafka.errors import KafkaError, KafkaTimeoutError, TopicAuthorizationFailedError
from kafka.structs import TopicPartition

from infra.cluster.clients import admin_options
from infra.cluster.knocking import knock, unreachable
from infra.cluster.letters import ROOM
from infra.cluster.rights import told
from infra.errors import UserError
from infra.names import FOREIGN, did_you_mean
from infra.settings import Settings
from streams.topics import BY_NAME, Topic

_POLL_MS: Final = 200
_STILL_S: Final = 30.0


class Row(Protocol):
    """A record as the client fetched it."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> list[tuple[str, bytes]]: ...


def named(settings: Settings, name: str) -> Topic:
    """One of our topics, by our name for it or by the cluster's. Raises UserError."""
    on_cluster = {settings.topic(topic.name): topic for topic in BY_NAME.values()}
    found = BY_NAME.get(name) or on_cluster.get(name)
    if found is None:
        raise UserError(f"there is no topic {name!r}{did_you_mean(name, [*BY_NAME, *on_cluster])}")
    return found


def name_of(settings: Settings, name: str) -> str:
    """What a topic is called on the cluster: ours by either name, and a shop's own as it is."""
    return settings.topic(name) if name in BY_NAME or name.startswith(FOREIGN) else name


class Reading:
    """A topic's partitions, with their ends as they were when it was opened."""

    def __init__(self, client: Any, topic: str) -> None:
        self._client = client
        self._topic = topic
        numbers: set[int] = client.partitions_for_topic(topic) or set()
        if not numbers:
            raise UserError(f"topic {topic} is missing: check TRADEWIND_PREFIX, or make it (`tradewind topics create`)")
        self._places = [TopicPartition(topic, number) for number in sorted(numbers)]
        client.assign(self._places)
        self.begins: dict[TopicPartition, int] = client.beginning_offsets(self._places)
        self.ends: dict[TopicPartition, int] = client.end_offsets(self._places)

    def since(self, at: int | None) -> Iterator[Row]:
        """What lies there from a moment on (epoch ms; None: from the beginning), in the order of each partition."""
        self._seek(self.begins if at is None else self._offsets_at(at))
        yield from self._to_the_end()

    def last(self, count: int) -> list[Row]:
        """The newest records, oldest first. Marks of transactions take offsets too, so it may look further back."""
        window = count
        while True:
            starts = {place: max(self.begins[place], end - window) for place, end in self.ends.items()}
            self._seek(starts)
            found = sorted(self._to_the_end(), key=lambda row: (row.timestamp, row.partition, row.offset))
            if len(found) >= count or starts == self.begins:
                return found[-count:] if count else []
            window = max(window * 4, 100)

    def follow(self) -> Iterator[Row]:
        """What comes from now on, for ever."""
        while True:
            yield from self._poll()

    def at(self, partition: int, offset: int) -> Row | None:
        """The record of one place, if it is still there."""
        place = TopicPartition(self._topic, partition)
        if not self.begins.get(place, 0) <= offset < self.ends.get(place, 0):
            return None
        self._seek({**self.ends, place: offset})
        return next((row for row in self._to_the_end() if row.offset == offset), None)

    def _seek(self, starts: dict[TopicPartition, int]) -> None:
        for place, offset in starts.items():
            self._client.seek(place, offset)

    def _offsets_at(self, at: int) -> dict[TopicPartition, int]:
        found = self._client.offsets_for_times(dict.fromkeys(self._places, at))
        return {place: self.ends[place] if told is None else told.offset for place, told in found.items()}

    def _to_the_end(self) -> Iterator[Row]:
        still_since = time.monotonic()
        while any(self._client.position(place) < end for place, end in self.ends.items()):
            for row in self._poll():
                still_since = time.monotonic()
                if row.offset < self.ends[TopicPartition(row.topic, row.partition)]:
                    yield row
            if time.monotonic() - still_since > _STILL_S:
                raise UserError(f"topic {self._topic} could not be read to its end: no broker has answered for 30 s")

    def _poll(self) -> list[Row]:
        fetched: dict[Any, list[Row]] = self._client.poll(timeout_ms=_POLL_MS)
        return sorted((row for rows in fetched.values() for row in rows), key=lambda row: (row.timestamp, row.offset))


@contextmanager
def reading(settings: Settings, topic: str) -> Generator[Reading]:
    """A reading of a topic, by its name on the cluster. Raises UserError."""
    knock(settings)
    try:
        client: Any = KafkaConsumer(
            **admin_options(settings),
            metrics_enabled=False,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            max_partition_fetch_bytes=ROOM,
        )
    except (KafkaTimeoutError, OSError) as error:
        raise unreachable(settings) from error
    try:
        with told(topics=[topic]):
            yield Reading(client, topic)
    except TopicAuthorizationFailedError as error:
        raise UserError(f"the brokers refuse this user: grant it READ on topic {topic}") from error
    except KafkaError as error:
        raise UserError(f"topic {topic} can't be read: {error}") from error
    finally:
        client.close()
