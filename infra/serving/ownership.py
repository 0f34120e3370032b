"""Which tasks this worker runs: they come and go with the partitions that the group assigns to it."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from agents.contract import Agent
from infra.cluster.clients import Partition
from infra.serving.inbox import Fetched
from infra.serving.positions import start_of
from infra.serving.task import Surroundings, Task
from infra.serving.transport import Span

_PAUSE_S: Final = 0.5  # of the session timeout: how long a rebalance waits for transactions in flight

log = logging.getLogger(__name__)


class Logs(Protocol):
    """What is asked of the consumer."""

    async def spans(self, partitions: Iterable[Partition]) -> dict[Partition, Span]: ...
    async def move(self, starts: dict[Partition, int]) -> None: ...


class Ownership:
    """The tasks of this worker. `announce` is told whenever all of them have their state and their place.

    They begin only once `warm` is set. `failed` gets the exception that must end the process: nothing is done after it.
    """

    def __init__(
        self,
        agents: Iterable[Agent],
        around: Callable[["Ownership"], Surroundings],
        *,
        warm: asyncio.Event,
        announce: Callable[[str], None],
    ) -> None:
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.assigned = False  # whether the group has said what is this worker's, be it nothing
        self.logs: Logs | None = None
        self._agents = {agent.name: agent for agent in agents}
        self._around = around(self)
        self._warm = warm
        self._announce = announce
        self._reader_of = {
            self._around.settings.topic(topic.name): agent for agent in self._agents.values() for topic in agent.reads
        }
        self._tasks: dict[tuple[str, int], Task] = {}
        self._jobs: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._partitions: dict[tuple[str, int], frozenset[Partition]] = {}

    @property
    def tasks(self) -> list[Task]:
        """The tasks at this moment."""
        return list(self._tasks.values())

    def latest(self) -> int:
        """The greatest event time among this worker's tasks, of whatever agent, epoch ms."""
        return max((task.now for task in self._tasks.values()), default=0)

    def open(self, where: Partition) -> bool:
        task = self._task_of(where)
        return task is not None and task.has_room(where.topic)

    def expected(self, where: Partition) -> int | None:
        task = self._task_of(where)
        return task.expected(where.topic) if task is not None and task.begun else None

    async def accept(self, fetched: Fetched) -> None:
        """Give what was fetched to its task; what belongs to none (a rebalance came between) is somebody else's now."""
        task = self._task_of(Partition(fetched.topic, fetched.partition))
        if task is None or not task.begun or self.failed.done():
            return
        try:
            task.accept(fetched)
        except Exception as error:  # noqa: BLE001 # whatever it is, nothing later may be handled
            self._fail(error)

    async def on_revoked(self) -> None:
        """Stop between two transactions. The tasks keep their state: many of them come back at once."""
        self.assigned = False
        if self._tasks:
            pauses = [asyncio.ensure_future(task.pause()) for task in self._tasks.values()]
            done, _ = await asyncio.wait(pauses, timeout=self._around.settings.session_timeout_s * _PAUSE_S)
            for error in filter(None, (pause.exception() for pause in done)):
                self._fail(error)

    async def on_assigned(self, assigned: Iterable[Partition]) -> None:
        """Go on with the tasks that stay, let go of those that went, and start the new ones in the background."""
        wanted: dict[tuple[str, int], set[Partition]] = {}
        for where in assigned:
            wanted.setdefault((self._reader_of[where.topic].name, where.partition), set()).add(where)
        gone = [place for place in self._tasks if self._partitions[place] != frozenset(wanted.get(place, ()))]
        await asyncio.gather(*(self._drop(place) for place in gone))
        for place, partitions in wanted.items():
            if place in self._tasks:
                self._tasks[place].resume()
            else:
                self._start(place, frozenset(partitions))
        self.assigned = True
        log.info("assigned %d tasks, %d of them new", len(wanted), len(wanted) - sum(t.begun for t in self.tasks))
        self._check_ready()

    async def close(self) -> None:
        """Finish the transactions in flight and let go of everything."""
        await self.on_revoked()
        await asyncio.gather(*(self._drop(place) for place in list(self._tasks)))

    def _task_of(self, where: Partition) -> Task | None:
        agent = self._reader_of.get(where.topic)
        return None if agent is None else self._tasks.get((agent.name, where.partition))

    def _start(self, place: tuple[str, int], partitions: frozenset[Partition]) -> None:
        name, number = place
        task = self._tasks[place] = Task(self._agents[name], number, self._around)
        self._partitions[place] = partitions
        job = self._jobs[place] = asyncio.create_task(self._run(task, partitions), name=str(task))
        job.add_done_callback(self._on_done)

    async def _run(self, task: Task, partitions: frozenset[Partition]) -> None:
        await task.open()
        await self._warm.wait()
        if self.logs is None:
            raise RuntimeError("tasks can't be assigned before the consumer is known")
        spans = await self.logs.spans(partitions)
        starts = {where: start_of(where, task.applied(task.inputs[where.topic]), spans[where]) for where in partitions}
        await self.logs.move(starts)
        task.begin(starts, spans)
        self._check_ready()
        await task.run()

    async def _drop(self, place: tuple[str, int]) -> None:
        task, job = self._tasks.pop(place), self._jobs.pop(place)
        job.cancel()
        await asyncio.wait([job])
        await task.close()

    def _check_ready(self) -> None:
        if all(task.begun for task in self._tasks.values()):
            entries = sum(task.entries for task in self._tasks.values())
            self._announce(f"ready: {len(self._tasks)} partitions, {entries} entries of state")

    def _on_done(self, job: asyncio.Task[None]) -> None:
        if not job.cancelled() and (error := job.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if not self.failed.done():
            self.failed.set_exception(error)
