"""All that a step wants done, as one transaction of one producer: it happens whole, or not at all.

A transaction is a row of requests, one after the other: tell the coordinator which partitions it will write to, write,
commit. The first of them needs nothing of the batch, and has to wait until the brokers have finished the transaction
before. So it is made ahead: once a batch is committed, the next transaction is opened on the same partitions. One that
has written nothing holds nothing back from readers; `rest` ends it where no batch comes.
"""

import asyncio
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, Final, Self, cast

import msgspec
from aiokafka.errors import IllegalOperation, InvalidProducerEpoch, KafkaError, MessageSizeTooLargeError, ProducerFenced
from aiokafka.producer import sender

from infra.cluster.clients import Batch, Partition, Producer, producer
from infra.cluster.rights import told
from infra.errors import UserError
from infra.settings import Settings

_BATCH_BYTES: Final = 512 * 1024
_REQUEST_BYTES: Final = 64 * 1024 * 1024
_RETRY_MS: Final = 3  # a transaction that follows at once often finds the last one still being finished
_STOP_S: Final = 5.0

Headers = list[tuple[str, bytes]]  # what the client takes: it wants a list
_NONE: Final[Headers] = []


class Message(msgspec.Struct, frozen=True, gc=False):
    """One record to append at a named place. A value of None deletes, on a compacted topic."""

    place: Partition
    key: bytes
    value: bytes | None
    headers: Headers = _NONE


class FencedError(UserError):
    """Another worker has taken over this partition: nothing of what this one still held was written."""


# What the client waits in that case is a constant of its own, made for transactions that don't follow one another.
sender.BACKOFF_OVERRIDE = _RETRY_MS / 1000


class Outbox:
    """A transactional producer. Starting it fences whoever used the same `transactional_id` before."""

    def __init__(self, settings: Settings, *, transactional_id: str, group: str) -> None:
        self._id = transactional_id
        self._group = group
        self.is_open = False  # whether the next transaction is
        self._producer = producer(
            settings,
            client_id=transactional_id,
            transactional_id=transactional_id,
            transaction_timeout_ms=int(settings.transaction_timeout_s * 1000),
            max_batch_size=_BATCH_BYTES,
            max_request_size=_REQUEST_BYTES,
            retry_backoff_ms=_RETRY_MS,
        )

    async def start(self) -> Self:
        """Connect, end what a former owner left open, and fence it."""
        with told(transactional_id=self._id):
            await self._producer.start()
        return self

    async def stop(self) -> None:
        """Disconnect. What was not committed never happened."""
        await asyncio.wait([asyncio.ensure_future(self._producer.stop())], timeout=_STOP_S)

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        return len(await self._producer.partitions_for(topic))

    async def commit(self, messages: Iterable[Message], offsets: Mapping[Partition, int]) -> dict[Partition, int]:
        """Append the messages and commit the group's offsets, all or nothing.

        Returns the offset of the last record on each partition, as far as the broker told it. Raises FencedError when
        another owner has taken over, UserError for a record that a topic won't take. After any exception the outcome is
        unknown, and this outbox must not be used again.
        """
        batches = self._pack(messages)
        topics = {tp.topic for tp, _ in batches}
        with self._explained(topics):
            placed = await self._transact(batches, offsets)
            if batches:
                await self._open(place for place, _ in batches)
            return placed

    async def rest(self) -> None:
        """End the transaction that was opened ahead: no batch has come for it. Raises what `commit` does."""
        with self._explained(set()):
            if await self._took_open():
                await self._producer.commit_transaction()

    async def _took_open(self) -> bool:
        """Whether there is a transaction that was opened ahead, to be used now.

        What went wrong with it meanwhile (its broker may have been away) went wrong with nothing in it: it is dropped.
        """
        was_open, self.is_open = self.is_open, False
        book = _transactions(self._producer)
        if not was_open or book.is_in_transaction():
            return was_open
        refused = _refusal(self._producer)
        if book.is_fatal_error() and refused is not None:
            raise refused
        await self._producer.abort_transaction()
        return False

    async def _open(self, places: Iterable[Partition]) -> None:
        """Begin the next transaction, and have the coordinator told of these partitions in the background."""
        await self._producer.begin_transaction()
        self.is_open = True
        for place in places:
            _transactions(self._producer).maybe_add_partition_to_txn(place)

    @contextmanager
    def _explained(self, topics: set[str]) -> Generator[None]:
        """What the client says of a failed transaction, as what it means."""
        try:
            with told(topics=topics, operation="WRITE", group=self._group, transactional_id=self._id):
                yield
        except (ProducerFenced, InvalidProducerEpoch) as error:
            raise FencedError(self._fenced()) from error
        except MessageSizeTooLargeError as error:
            named = ", ".join(sorted(topics))
            raise UserError(f"a record is over the broker's limit: raise max.message.bytes of {named}") from error
        except (KafkaError, AssertionError) as error:
            if _is_fenced(self._producer):
                raise FencedError(self._fenced()) from error
            raise

    async def _transact(
        self, batches: list[tuple[Partition, Batch]], offsets: Mapping[Partition, int]
    ) -> dict[Partition, int]:
        producer = self._producer
        if not await self._took_open():
            await producer.begin_transaction()
        try:
            sent = [await producer.send_batch(batch, tp.topic, partition=tp.partition) for tp, batch in batches]
        except IllegalOperation as error:
            # The brokers refused what was sent before, which the client says only of the transaction as a whole.
            raise _refusal(producer) or error from error
        # The brokers verify a transaction when its first records come. Meanwhile the coordinator must not be changing
        # it, or they send the records back to be tried again later: so the offsets wait until the records are in.
        placed = await asyncio.gather(*sent)
        if offsets:
            await producer.send_offsets_to_transaction(dict(offsets), self._group)
        await producer.commit_transaction()
        return {
            tp: appended.offset + batch.record_count() - 1
            for (tp, batch), appended in zip(batches, placed, strict=True)
            if appended is not None and appended.offset >= 0
        }

    def _pack(self, messages: Iterable[Message]) -> list[tuple[Partition, Batch]]:
        open_batches: dict[Partition, Batch] = {}
        full: list[tuple[Partition, Batch]] = []
        for one in messages:
            place, key, value, headers = one.place, one.key, one.value, one.headers
            batch = open_batches.get(place)
            # The first record of a batch is always taken, so that one larger than a batch goes out alone.
            if batch is None or batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                if batch is not None:
                    full.append((place, batch))
                batch = open_batches[place] = self._producer.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=headers)
        return full + list(open_batches.items())

    def _fenced(self) -> str:
        return (
            f"another worker has taken over {self._id}, so this one stops; nothing that it still held was written. If "
            "no other worker runs these agents, a transaction took longer than TRADEWIND_TRANSACTION_TIMEOUT_S"
        )


def _transactions(producer: Producer) -> Any:
    """The client's book of the transaction under way; there is no public way to it."""
    return cast(Any, producer)._txn_manager  # noqa: SLF001


def _refusal(producer: Producer) -> BaseException | None:
    """What put the transaction under way into error, if anything did."""
    waiter = _transactions(producer)._transaction_waiter  # noqa: SLF001
    return waiter.exception() if waiter is not None and waiter.done() and not waiter.cancelled() else None


def _is_fenced(producer: Producer) -> bool:
    """Whether the producer's background task ended by being fenced; the error that surfaces then may be another one."""
    task = cast(Any, producer)._sender.sender_task  # noqa: SLF001 # there is no public way to ask
    if task is None or not task.done() or task.cancelled():
        return False
    return isinstance(task.exception(), ProducerFenced | InvalidProducerEpoch)
