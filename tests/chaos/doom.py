"""A signal to oneself at a chosen moment of a chosen transaction: the one fault that timing alone can't hit."""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast, get_args

from infra.cluster import outbox
from infra.cluster.clients import Batch, Partition, Producer, producer
from infra.settings import Settings

Stage = Literal["sent", "offsets", "committed"]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doom:
    """`at`: once the records are at the broker, once the offsets are too, or once the commit is answered."""

    at: Stage
    transaction: int  # or the first after it that comes to this; counted from 1 over all producers of the process
    signal: signal.Signals

    def __str__(self) -> str:
        return f"{self.at}:{self.transaction}:{self.signal.name}"


def parse(text: str) -> Doom:
    """What `str` of a Doom says, back."""
    at, transaction, name = text.split(":")
    return Doom(at=cast(Stage, at), transaction=int(transaction), signal=signal.Signals[name])


def arrange(doom: Doom | None) -> None:
    """Have every producer that an outbox makes from now on carry the doom."""
    if doom is None:
        return
    counted = _Counted(doom)

    def doomed(settings: Settings, **options: Any) -> Producer:
        return cast(Producer, _Doomed(producer(settings, **options), counted))

    outbox.producer = doomed


class _Counted:
    def __init__(self, doom: Doom) -> None:
        self._doom = doom
        self._begun = 0
        self._done = False

    def begin(self) -> int:
        self._begun += 1
        return self._begun

    def reach(self, stage: Stage, transaction: int) -> None:
        if stage == self._doom.at and transaction >= self._doom.transaction and not self._done:
            self._done = True
            os.kill(os.getpid(), self._doom.signal)


class _Doomed:
    """A producer that tells where it stands; everything else is the real one's. Counts what carries records."""

    def __init__(self, real: Producer, counted: _Counted) -> None:
        self._real = real
        self._counted = counted
        self._transaction = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def begin_transaction(self) -> None:
        self._transaction = 0
        await self._real.begin_transaction()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> "asyncio.Future[Any]":
        self._transaction = self._transaction or self._counted.begin()
        return await self._real.send_batch(batch, topic, partition=partition)

    async def send_offsets_to_transaction(self, offsets: Mapping[Partition, int], group_id: str) -> None:
        self._counted.reach("sent", self._transaction)  # the outbox goes on once the records are in
        await self._real.send_offsets_to_transaction(offsets, group_id)
        self._counted.reach("offsets", self._transaction)

    async def commit_transaction(self) -> None:
        self._counted.reach("sent", self._transaction)
        await self._real.commit_transaction()
        self._counted.reach("committed", self._transaction)
