"""Ends a worker that has work to do and doesn't do it: an orchestrator can start another, a standstill it can't see."""

import asyncio
import faulthandler
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final, Protocol

from aiokafka.errors import KafkaError

from infra.cluster.clients import Partition
from infra.errors import UserError

_LOOKS: Final = 12  # within the patience
_START: Final = 5  # times the patience, for a task to take the next step towards its beginning
_WHAT_NOW: Final = (
    "this worker ends, so that its partitions can go on elsewhere; TRADEWIND_STALL_TIMEOUT_S is how long it waits"
)


class Watched(Protocol):
    """A task, as far as it is watched."""

    @property
    def place(self) -> object:
        """How far it has come: in its inputs, or in reading its state. Changes with every transaction."""
        ...

    @property
    def unread(self) -> Mapping[Partition, int]:
        """The offset at which each input goes on after what is in the state; empty before it has begun."""
        ...


class Logs(Protocol):
    """Where the inputs' logs end."""

    async def ends(self, unread: Mapping[Partition, int]) -> dict[Partition, int]:
        """The ends of those logs that hold records at or after these offsets. Marks of transactions are none."""
        ...


@dataclass(slots=True)
class _Seen:
    """What a task was like when it was last seen to move."""

    place: object
    ends: dict[Partition, int]
    at: float


class Watchdog:
    """Raises where a task's place stands still for `patience_s` while the log of one of its inputs grows.

    A process that doesn't even come to look for as long is ended on the spot, with the stack of each thread on standard
    error.
    """

    def __init__(self, tasks: Callable[[], Iterable[Watched]], logs: Logs, patience_s: float) -> None:
        self._tasks = tasks
        self._logs = logs
        self._patience = patience_s
        self._seen: dict[Watched, _Seen] = {}
        self._ends: dict[Partition, int] = {}

    async def run(self) -> None:
        """Look again and again, until cancelled. Raises UserError."""
        alive = asyncio.create_task(self._stay_alive())
        try:
            while True:
                await asyncio.sleep(self._patience / _LOOKS)
                with suppress(KafkaError):  # brokers that are away for a while are no standstill of ours
                    await self.look(monotonic())
        finally:
            alive.cancel()
            faulthandler.cancel_dump_traceback_later()

    async def _stay_alive(self) -> None:
        while True:
            faulthandler.dump_traceback_later(self._patience, exit=True)
            await asyncio.sleep(self._patience / _LOOKS)

    async def look(self, now: float) -> None:
        """Look once; `now` in seconds. Raises UserError."""
        tasks = list(self._tasks())
        ends = await self._logs.ends({where: offset for task in tasks for where, offset in task.unread.items()})
        self._ends = ends
        for task in tasks:
            behind = {where: ends[where] for where in task.unread if where in ends}
            seen = self._seen.get(task)
            if seen is None or seen.place != task.place or (task.unread and not (behind and seen.ends)):
                self._seen[task] = _Seen(task.place, behind, now)
            else:
                seen.ends = behind | seen.ends
                self._judge(task, behind, seen, now - seen.at)
        self._seen = {task: seen for task, seen in self._seen.items() if task in tasks}

    def standstills(self, now: float) -> list[str]:
        """What there is to raise by what the last look has found; the next one may be long in coming."""
        found: list[str] = []
        for task, seen in self._seen.items():
            if seen.place == task.place and (seen.ends or not task.unread):
                try:
                    behind = {where: self._ends[where] for where in task.unread if where in self._ends}
                    self._judge(task, behind, seen, now - seen.at)
                except UserError as standstill:
                    found.append(str(standstill))
        return found

    def _judge(self, task: Watched, behind: Mapping[Partition, int], seen: _Seen, stood_s: float) -> None:
        if not task.unread and stood_s >= _START * self._patience:
            raise UserError(f"{task} has not begun, nor come nearer to it, for {stood_s:.0f} s; {_WHAT_NOW}")
        grown = [where for where, end in behind.items() if end > seen.ends[where]]
        if grown and stood_s >= self._patience:
            where = grown[0]
            raise UserError(
                f"{task} has stood still for {stood_s:.0f} s: it would go on at offset {task.unread[where]} of "
                f"partition {where.partition} of {where.topic}, whose log has grown to {behind[where]}; {_WHAT_NOW}"
            )
