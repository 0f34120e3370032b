"""How a neighbour meets Tradewind: records to topics in batches, records from topics committed. No meaning.

Keys are the topics' own, partitions those of Kafka's default partitioner, so that any other producer would agree.
"""

import asyncio
import signal
import sys
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Final, Literal, NoReturn, Self, cast

import aiokafka
import orjson
from aiokafka.partitioner import murmur2  # pyright: ignore[reportUnknownVariableType]  # untyped: kept behind Outbox and Inbox

from infra.errors import UserError
from streams.codec import MalformedRecord, decode, encode
from streams.topics import Topic

BATCH_BYTES: Final = 262_144
LINGER_MS: Final = 2
UNCONFIRMED: Final = 64  # batches on their way before `flush` waits for the oldest
POLL_MS: Final = 200
POLL_RECORDS: Final = 2_000

_murmur2 = cast(Callable[[bytes], int], murmur2)


@lru_cache(maxsize=65_536)
def partition_of(key: str, partitions: int) -> int:
    """Where Kafka's default partitioner puts a key."""
    return (_murmur2(key.encode()) & 0x7FFFFFFF) % partitions


class Outbox:
    """Collects records, and sends them by partition with `flush`; within a partition they keep the order of `put`."""

    def __init__(self, bootstrap: str, prefix: str, topics: Sequence[Topic]) -> None:
        client: Any = aiokafka
        self._names = {topic: prefix + topic.name for topic in topics}
        self._producer: Any = client.AIOKafkaProducer(
            bootstrap_servers=bootstrap, enable_idempotence=True, linger_ms=LINGER_MS, max_batch_size=BATCH_BYTES
        )
        self._partitions: dict[Topic, int] = {}
        self._waiting: dict[tuple[str, int], list[tuple[bytes, bytes]]] = {}
        self._unconfirmed: deque[Any] = deque()
        self.sent: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        await self._producer.start()
        for topic, name in self._names.items():
            self._partitions[topic] = len(await self._producer.partitions_for(name))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    def put(self, topic: Topic, record: object) -> None:
        key, value = topic.key(record), encode(record)
        place = self._names[topic], partition_of(key, self._partitions[topic])
        self._waiting.setdefault(place, []).append((key.encode(), value))
        self.sent[topic.name] += 1
        self.bytes[topic.name] += len(value)

    async def flush(self) -> None:
        """Hand over what was put. Returns before the broker confirms, unless much is unconfirmed."""
        waiting, self._waiting = self._waiting, {}
        for (name, partition), messages in waiting.items():
            await self._send(name, partition, messages)
        while len(self._unconfirmed) > UNCONFIRMED:
            await self._unconfirmed.popleft()

    async def confirm(self) -> None:
        """Return once the broker has everything that was put; raises what went wrong."""
        await self.flush()
        while self._unconfirmed:
            await self._unconfirmed.popleft()

    async def _send(self, name: str, partition: int, messages: Sequence[tuple[bytes, bytes]]) -> None:
        batch: Any = self._producer.create_batch()
        for key, value in messages:
            if batch.append(key=key, value=value, timestamp=None) is None:
                self._unconfirmed.append(await self._producer.send_batch(batch, name, partition=partition))
                batch = self._producer.create_batch()
                if batch.append(key=key, value=value, timestamp=None) is None:
                    raise ValueError(f"{name}: a record of {len(value)} bytes does not fit in a batch")
        self._unconfirmed.append(await self._producer.send_batch(batch, name, partition=partition))


class Inbox:
    """Reads topics whole: every partition, committed records only, in a consumer of its own group-less kind."""

    def __init__(self, bootstrap: str, prefix: str, topics: Sequence[Topic]) -> None:
        client: Any = aiokafka
        self._by_name = {prefix + topic.name: topic for topic in topics}
        self.malformed = 0
        self._consumer: Any = client.AIOKafkaConsumer(
            *self._by_name,
            bootstrap_servers=bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_records=POLL_RECORDS,
        )

    async def start(self, at: Literal["beginning", "end"]) -> None:
        """Positions are fixed when this returns: what is committed later is read."""
        await self._consumer.start()
        await (self._consumer.seek_to_end() if at == "end" else self._consumer.seek_to_beginning())
        for partition in self._consumer.assignment():
            await self._consumer.position(partition)

    async def stop(self) -> None:
        await self._consumer.stop()

    async def batches(self, rest_s: float = 0.0) -> AsyncIterator[list[tuple[Topic, Any]]]:
        """Records as they come, in order within a partition; never an empty list. What can't be read is counted.

        `rest_s` between two polls spares the broker: what is not fetched at once is fetched together.
        """
        while True:
            await asyncio.sleep(rest_s)
            fetched: dict[Any, list[Any]] = await self._consumer.getmany(timeout_ms=POLL_MS)
            found = [record for raws in fetched.values() for raw in raws for record in self._read(raw)]
            if found:
                yield found

    def _read(self, raw: Any) -> list[tuple[Topic, Any]]:
        topic = self._by_name[raw.topic]
        try:
            return [(topic, decode(topic, raw.key, raw.value, raw.timestamp)[1])]
        except MalformedRecord:
            self.malformed += 1
            return []


@asynccontextmanager
async def inbox(
    bootstrap: str, prefix: str, topics: Sequence[Topic], at: Literal["beginning", "end"]
) -> AsyncGenerator[Inbox]:
    """An Inbox that is ready, and stopped at the end."""
    opened = Inbox(bootstrap, prefix, topics)
    try:
        await opened.start(at)
        yield opened
    finally:
        await opened.stop()


def stop_requested() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set. Call it within the running loop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def serve(neighbour: Coroutine[Any, Any, dict[str, Any]]) -> NoReturn:
    """Run a neighbour to its end as a program: its counts are one line of JSON; a UserError is one sentence."""
    try:
        summary = asyncio.run(neighbour)
    except UserError as error:
        sys.exit(str(error))
    sys.stdout.write(orjson.dumps(summary).decode() + "\n")
    sys.exit(0)
