"""What exactly once costs: the product's outbox without its transactions. For comparison only; it may do things twice.

The producer is idempotent, a batch is done once the broker has all of it, and the position is committed every half
second, to a group without members, since a plain commit to the worker's own group would need Faust's consumer.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from aiokafka import AIOKafkaConsumer

from infra.cluster import outbox
from infra.cluster.clients import Partition, client_options, producer
from infra.cluster.outbox import Message, Outbox
from infra.settings import Settings

_COMMIT_S: Final = 0.5


class PlainOutbox(Outbox):
    """Sends a batch and waits for it; offsets are committed in the background."""

    def __init__(self, settings: Settings, *, transactional_id: str, group: str) -> None:
        super().__init__(settings, transactional_id=transactional_id, group=group)
        self._producer = producer(
            settings,
            client_id=transactional_id,
            enable_idempotence=True,
            max_batch_size=outbox._BATCH_BYTES,  # pyright: ignore[reportPrivateUsage] # as the product's own
            max_request_size=outbox._REQUEST_BYTES,  # pyright: ignore[reportPrivateUsage]
        )
        self._positions = AIOKafkaConsumer(
            **client_options(settings), group_id=f"{group}.positions", enable_auto_commit=False
        )
        self._due: dict[Partition, int] = {}
        self._committing: asyncio.Task[None] | None = None

    async def start(self) -> "PlainOutbox":
        await super().start()
        await self._positions.start()
        return self

    async def stop(self) -> None:
        if self._committing is not None:
            self._committing.cancel()
        await self._positions.stop()
        await super().stop()

    async def commit(self, messages: Iterable[Message], offsets: Mapping[Partition, int]) -> dict[Partition, int]:
        batches = self._pack(messages)
        sent = [await self._producer.send_batch(batch, tp.topic, partition=tp.partition) for tp, batch in batches]
        placed = await asyncio.gather(*sent)
        self._due |= offsets
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_positions())
        return {
            tp: appended.offset + batch.record_count() - 1
            for (tp, batch), appended in zip(batches, placed, strict=True)
            if appended is not None and appended.offset >= 0
        }

    async def _commit_positions(self) -> None:
        """Now and then, as such clients do. What it reads from there is nobody's concern: so it reads nothing."""
        client = cast(Any, self._positions)
        while True:
            await asyncio.sleep(_COMMIT_S)
            due, self._due = self._due, {}
            if due.keys() - client.assignment():
                client.assign(sorted(due))
                client.pause(*due)
            if due:
                await client.commit(due)
