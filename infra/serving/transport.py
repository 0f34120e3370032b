"""Faust's Kafka transport, in batches: one synthetic message per partition and fetch, and nothing is committed by it.

Faust keeps what it is good at: the group, the assignment, the lifecycle, the agents. What it must not do is said by
overriding it: no commits (a task's own transaction does that), no seeking to the committed offset (a task's state
says where it goes on), no fetching for a task that has no room.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, Protocol, cast

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import IllegalStateError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Producer, Transport
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode import Service
from mode.utils.futures import maybe_async

from infra.cluster.clients import Bare, Partition, as_it_lies, client_options
from infra.cluster.rights import told
from infra.serving.assignor import TaskAssignor
from infra.serving.inbox import Fetched
from infra.settings import Settings

_IMPATIENT_S: Final = 0.02  # while some partition is shut: look again soon whether it has room
_FETCH_WAIT_MS: Final = 100  # how long the broker may hold a fetch: one that waits keeps others of its node waiting
_MEMBERSHIP_S: Final = 1.0


class Span(NamedTuple):
    """A partition's log: its first offset, the one after its last stable record, and the group's committed one."""

    first: int
    end: int
    committed: int | None


class Feed(Protocol):
    """What the transport asks of those who take the records."""

    def open(self, where: Partition) -> bool:
        """Whether more of this partition may come now."""
        ...

    def expected(self, where: Partition) -> int | None:
        """Where this partition goes on; None as long as its task isn't ready."""
        ...


class BatchConsumerThread(AIOKafkaConsumerThread):
    """Holds the client; a thread by its base class only.

    Faust runs the client in a loop and a thread of its own, and hands every call over and back. Where fetches are whole
    batches that is what costs, not the work that it would take off the main loop: so here it lives in the main loop.
    """

    async def start(self) -> None:
        """Start the client, and wait until it has."""
        self._thread_started.set()
        running: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._thread_running = running
        self.add_future(self._keepalive2())  # pyright: ignore[reportUnknownMemberType] # Faust's own types are incomplete
        self._serving = asyncio.create_task(self._serve(), name="client")
        self._serving.add_done_callback(_looked_at)  # what ends it is told by `crash`
        await running

    async def call_thread(self, fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Do it right here."""
        return await maybe_async(fun(*args, **kwargs))

    async def _gather_remaining_tasks(self) -> None:
        """Faust cancels all that is left in the thread's loop at its end; this one is everybody's."""

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        source = cast(BatchTransport, transport)
        settings = source.settings
        seconds = settings.session_timeout_s
        return AIOKafkaConsumer(
            **client_options(settings),
            group_id=self.app.conf.id,
            group_instance_id=settings.group_instance_id,
            client_id=self.app.conf.id,
            partition_assignment_strategy=[source.assignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            value_deserializer=as_it_lies,
            max_poll_records=settings.batch_max_records * 4,
            max_poll_interval_ms=300_000,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            session_timeout_ms=int(seconds * 1000),
            rebalance_timeout_ms=int(max(seconds, 30) * 1000),
            heartbeat_interval_ms=int(seconds * 1000 / 5),
        )

    async def spans(self, partitions: Iterable[Partition]) -> dict[Partition, Span]:
        """Where the logs begin and end, and what the group has committed."""
        client: Any = self._ensure_consumer()
        wanted = [faust_partition(where) for where in partitions]
        first = await client.beginning_offsets(wanted)
        end = await client.end_offsets(wanted)
        return {Partition(*tp): Span(first[tp], end[tp], await client.committed(tp)) for tp in wanted}

    async def ends(self, partitions: Iterable[Partition]) -> dict[Partition, tuple[int, int]]:
        """Where the logs end, and where fetching goes on; without those that were taken away meanwhile."""
        client: Any = self._ensure_consumer()
        wanted = [tp for tp in map(faust_partition, partitions) if tp in client.assignment()]
        end = await client.end_offsets(wanted)
        return {Partition(*tp): (end[tp], await client.position(tp)) for tp in wanted if tp in client.assignment()}

    async def answers(self) -> None:
        """Have a broker asked, whatever is assigned. Raises KafkaError."""
        client: Any = self._ensure_consumer()
        await client.end_offsets([TP(topic, 0) for topic in sorted(client.subscription())[:1]])

    async def check_membership(self) -> None:
        """Raise what ended this client's part in the group, or stands in its way."""
        client: Any = self._consumer
        coordinator = None if client is None else client._coordinator  # noqa: SLF001 # only fetching through it would tell
        if coordinator is not None:
            coordinator.check_errors()

    async def seek_all(self, starts: Mapping[Partition, int]) -> None:
        """Move on to these offsets; a partition that was taken away meanwhile is left alone."""
        client: Any = self._ensure_consumer()
        for where, offset in starts.items():
            try:
                client.seek(faust_partition(where), offset)
            except IllegalStateError:
                continue


class BatchConsumer(Consumer):
    """Hands on whole fetches."""

    _positions: dict[Partition, int]

    def _new_consumer_thread(self) -> BatchConsumerThread:
        self._positions = {}
        mine: Any = self
        return BatchConsumerThread(self, loop=mine.loop, thread_loop=mine.loop, beacon=mine.beacon)

    @property
    def _feed(self) -> Feed:
        return cast(BatchTransport, self.transport).feed

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109 # Faust's
        active = active_partitions or set()
        wanted = {tp for tp in active if self._feed.open(Partition(*tp))}
        if not wanted:
            await asyncio.sleep(min(timeout, _IMPATIENT_S))
            return {}
        patience = timeout if len(wanted) == len(active) else _IMPATIENT_S
        with told(topics={tp.topic for tp in wanted}):
            fetched = await super()._getmany(wanted, patience)
        return {TP(*tp): [self._wrap(Partition(*tp), records)] for tp, records in fetched.items() if records}

    def _wrap(self, where: Partition, records: list[Bare]) -> Fetched:
        start = self._positions.get(where, records[0].offset)
        self._positions[where] = records[-1].offset + 1
        return Fetched(where.topic, where.partition, start, records)

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        last = record.records[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            None,
            None,
            record,
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def spans(self, partitions: Iterable[Partition]) -> dict[Partition, Span]:
        """Where the logs begin and end, and what the group has committed."""
        thread: Any = self._thread
        wanted = list(partitions)
        with told(topics={where.topic for where in wanted}, group=self.app.conf.id):
            return await thread.spans(wanted)

    async def ends(self, unread: Mapping[Partition, int]) -> dict[Partition, int]:
        """The ends of those logs that hold records at or after these offsets. Marks of transactions are none."""
        thread: Any = self._thread
        found: dict[Partition, tuple[int, int]] = await thread.ends(list(unread))
        return {
            where: end
            for where, (end, position) in found.items()
            if position < end or (self._feed.expected(where) or 0) > unread[where]
        }

    async def answers(self) -> None:
        """Have a broker asked, whatever is assigned. Raises KafkaError."""
        thread: Any = self._thread
        await thread.answers()

    @Service.task
    async def _watch_membership(self) -> None:
        """Faust fetches past the group's errors: without this, a worker that the group refuses would stand still."""
        while not self.should_stop:
            await self.sleep(_MEMBERSHIP_S)
            thread: Any = self._thread
            with told(group=self.app.conf.id):
                await thread.check_membership()

    async def move(self, starts: Mapping[Partition, int]) -> None:
        """Go on at these offsets, whatever was fetched before."""
        self._positions.update(starts)
        self._read_offset.update({faust_partition(where): None for where in starts})
        thread: Any = self._thread
        await thread.seek_all(starts)

    async def perform_seek(self) -> None:
        """Faust calls this after each rebalance, to go back to what is committed; here the tasks say where."""
        places = {where: self._feed.expected(where) for where in (Partition(*tp) for tp in self.assignment())}
        await self.move({where: offset for where, offset in places.items() if offset is not None})

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:  # noqa: ARG002 # Faust's signature
        return True

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's watch for slow streams reads its own commits, which there are none of."""


class SilentProducer(Producer):
    """Faust's own producer, by which nothing is ever sent: it connects to nothing, and needs no rights."""

    async def on_start(self) -> None:
        pass


class BatchTransport(Transport):
    """What `faust.App` is given as its transport."""

    Consumer = BatchConsumer  # pyright: ignore[reportAssignmentType] # narrower than the interface, as Faust's own
    Producer = SilentProducer

    settings: Settings
    feed: Feed
    assignor: TaskAssignor


class Whole(faust.Schema[Any, Any]):
    """Hands a batch through as it is: records are decoded by the task, once, where a bad one has a place to go."""

    def loads_key(self, *_: Any, **__: Any) -> None:
        return None

    def loads_value(self, app: Any, message: Any, **_: Any) -> Fetched:  # noqa: ARG002 # Faust's signature
        return message.value


def _looked_at(done: "asyncio.Task[Any]") -> None:
    if not done.cancelled():
        done.exception()


def faust_partition(where: Partition) -> TP:
    """The same place in Faust's own type."""
    return TP(where.topic, where.partition)
