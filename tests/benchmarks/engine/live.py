"""Events at a steady pace into a running worker, and the actions as a read_committed reader gets them."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

import aiokafka
import orjson

from infra.cluster.partitioner import partition_for
from streams.topics import RECOMMENDATIONS, USER_EVENTS
from tests.benchmarks.engine.job import PARTITIONS, Pair

_BEAT_S: Final = 0.002


class Action(NamedTuple):
    """A slate as it was read. Times are wall clock, in seconds; the broker tells its own to the millisecond."""

    event_id: str
    partition: int
    appended_at: float
    received_at: float


@dataclass(slots=True, kw_only=True)
class Traffic:
    """What was sent and what came back."""

    appended_at: dict[str, float] = field(default_factory=dict[str, float])  # by event id, by the broker's clock
    actions: list[Action] = field(default_factory=list[Action])
    behind_s: float = 0.0  # by how much the sender was late at most

    def latencies_ms(self, since: float) -> tuple[list[float], list[float]]:
        """From an event's append to its action being read, and to its action's own append; of events since then."""
        counted = [action for action in self.actions if self.appended_at.get(action.event_id, 0.0) >= since]
        return (
            [1000 * (action.received_at - self.appended_at[action.event_id]) for action in counted],
            [1000 * (action.appended_at - self.appended_at[action.event_id]) for action in counted],
        )


@asynccontextmanager
async def traffic(
    address: str, source: str, prefix: str, events: Sequence[Pair], per_second: float
) -> AsyncGenerator[Traffic]:
    """Send the events at this pace and read the actions, for as long as the block lasts."""
    clients: Any = aiokafka
    producer = clients.AIOKafkaProducer(bootstrap_servers=address)
    reader = clients.AIOKafkaConsumer(
        prefix + RECOMMENDATIONS.name,
        bootstrap_servers=address,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        group_id=None,
    )
    await producer.start()
    await reader.start()
    made = Traffic()
    tasks = [
        asyncio.create_task(_send(producer, source + USER_EVENTS.name, events, per_second, made)),
        asyncio.create_task(_read(reader, made)),
    ]
    try:
        yield made
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await producer.stop()
        await reader.stop()


async def _send(producer: Any, topic: str, events: Sequence[Pair], per_second: float, made: Traffic) -> None:
    began = time.monotonic()
    for number, (key, value) in enumerate(events):
        due = began + number / per_second
        early = due - time.monotonic()
        if early > 0:
            await asyncio.sleep(max(early, _BEAT_S))
        made.behind_s = max(made.behind_s, -early)
        name: str = orjson.loads(value)["event_id"]
        sent = await producer.send(topic, key=key, value=value, partition=partition_for(key, PARTITIONS))
        sent.add_done_callback(partial(_note, made, name))
    raise RuntimeError("the events were used up: give the traffic more of them")


def _note(made: Traffic, name: str, done: "asyncio.Future[Any]") -> None:
    if not done.cancelled() and done.exception() is None:
        made.appended_at[name] = done.result().timestamp / 1000


async def _read(reader: Any, made: Traffic) -> None:
    while True:
        for records in (await reader.getmany(timeout_ms=500)).values():
            now = time.time()
            made.actions += [
                Action(orjson.loads(row.value)["event_id"], row.partition, row.timestamp / 1000, now) for row in records
            ]
