"""A contestant's place on the broker: shared topics that are read, its own that are written, and what was handled when.

The broker stamps what is appended with its own clock (`LogAppendTime`), so that nobody watches a contestant while it
runs: how fast it was is read from the log afterwards, for all of them in the same way.
"""

import asyncio
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, Final

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from agents.wiring import FLOWS
from infra.cluster.clients import Batch, Partition, producer, reader
from infra.cluster.partitioner import partition_for
from infra.settings import Settings
from streams.topics import POLICY_VERSIONS, Topic
from tests.benchmarks.engine.job import PARTITIONS, SHARED, Pair

_JOB: Final = FLOWS["recommendation"]
READ: Final = (*_JOB.reads, *_JOB.watches, POLICY_VERSIONS)
WRITES: Final = _JOB.emits
_READ: Final = {topic.name for topic in READ}
_STAMPED: Final = {"message.timestamp.type": "LogAppendTime"}
_BATCH_BYTES: Final = 512 * 1024
_ON_THEIR_WAY: Final = 64  # batches


class Placed(Settings):
    """A worker's settings with the topics that are only read taken from the shared place."""

    bench_shared: str = SHARED

    def topic(self, name: str) -> str:
        return (self.bench_shared if name in _READ else self.prefix) + name


@contextmanager
def admin(address: str) -> Generator[Any]:
    """kafka-python's admin client."""
    client: Any = KafkaAdminClient(bootstrap_servers=address)
    try:
        yield client
    finally:
        client.close()


def create(address: str, prefix: str, topics: Iterable[Topic]) -> None:
    """Make topics, stamped by the broker."""
    wanted: dict[str, dict[str, Any]] = {}
    for topic in topics:
        options = _STAMPED | ({"cleanup.policy": "compact"} if topic.compacted else {})
        partitions = 1 if topic.single else PARTITIONS
        wanted[prefix + topic.name] = {"num_partitions": partitions, "replication_factor": 1, "configs": options}
    with admin(address) as client:
        client.create_topics(wanted, wait_for_metadata=True)


def drop(address: str, prefix: str) -> None:
    """Delete the topics that begin so, and the space that they take."""
    with admin(address) as client:
        gone = [name for name in client.list_topics() if name.startswith(prefix)]
        if gone:
            client.delete_topics(gone)


def handled(client: Any, group: str, topic: str) -> int:
    """How many records of a topic the group says it is done with."""
    try:
        found: dict[Any, Any] = client.list_group_offsets({group: None}).get(group, {})
    except KafkaError:  # a broker that has just started finds its coordinator by and by
        return 0
    return sum(max(0, at.offset) for where, at in found.items() if where.topic == topic)


async def fill(address: str, topic: str, messages: Iterable[Pair], *, partitions: int = PARTITIONS) -> None:
    """Append the messages, each where Kafka's default partitioner puts its key, in their order."""
    await fill_placed(address, topic, ((partition_for(pair[0], partitions), pair) for pair in messages))


async def fill_placed(address: str, topic: str, messages: Iterable[tuple[int, Pair]]) -> None:
    """Append the messages to the partitions that they name, in their order."""
    client = producer(Settings(bootstrap_servers=address), max_batch_size=_BATCH_BYTES)
    await client.start()
    waiting: list[Any] = []
    open_batches: dict[int, Batch] = {}
    try:
        for number, (key, value) in messages:
            batch = open_batches.get(number)
            if batch is None or batch.append(timestamp=None, key=key, value=value, headers=[]) is None:
                if batch is not None:
                    waiting.append(await client.send_batch(batch, topic, partition=number))
                batch = open_batches[number] = client.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=[])
            if len(waiting) > _ON_THEIR_WAY:
                await asyncio.gather(*waiting)
                waiting.clear()
        for number, batch in open_batches.items():
            waiting.append(await client.send_batch(batch, topic, partition=number))
        await asyncio.gather(*waiting)
    finally:
        await client.stop()


async def stamps(address: str, topics: Sequence[str], *, partitions: int = PARTITIONS) -> list[int]:
    """When each committed record of these topics was appended, in order, epoch ms."""
    client = reader(Settings(bootstrap_servers=address))
    await client.start()
    try:
        places = [Partition(topic, number) for topic in topics for number in range(partitions)]
        client.assign(places)
        ends = await client.end_offsets(places)
        await client.seek_to_beginning(*places)
        found: list[int] = []
        behind = {place for place in places if ends[place]}
        while behind:
            for rows in (await client.getmany(timeout_ms=200)).values():
                found += [row.timestamp for row in rows]
            behind = {place for place in behind if await client.position(place) < ends[place]}
        return sorted(found)
    finally:
        await client.stop()
