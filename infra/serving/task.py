"""One agent on one partition number: its entries, its inbox, and one transaction per batch."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agents.contract import Agent, Input, Step
from infra.cluster.clients import Bare, Partition
from infra.cluster.envelope import Traces, traces_of
from infra.cluster.letters import dead_letter
from infra.cluster.outbox import Outbox
from infra.contract.cloudevents import attributes_of, carries_attributes
from infra.mapping.entrance import Entrance
from infra.mapping.fields import Left
from infra.metrics.observed import Observed
from infra.serving.inbox import Fetched, Inbox, Run
from infra.serving.outlet import Outlet
from infra.serving.tally import Tally
from infra.serving.throttle import rest_of, stepped
from infra.serving.transport import Span
from infra.settings import Settings
from infra.state.changelog import changelog_topic, changes
from infra.state.hot import Hot
from infra.state.memory import Memory
from infra.state.store import CorruptStateError
from infra.tracing.spans import Spans, Under
from policies.experiments import NONE, Experiments
from policies.version import PolicyVersion
from streams.codec import MalformedRecord, decode
from streams.records import DeadLetter
from streams.topics import DEAD_LETTERS, Topic
from streams.views import Views

_ALIGN_S: Final = 0.5  # how long a task that catches up waits for an input of which it knows a backlog
_TELL_S: Final = 0.5  # how far behind the group may be in what it knows of a task's place
_LONGEST_REST: Final = 1 / 3  # of the time after which a task that stands still is one that has stalled
_AHEAD: Final = 2  # batches of each input that may wait in memory

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all tasks of a worker share. `latest` is the greatest event time among its tasks.

    `observed` is there where metrics are asked for, `spans` where traces are exported.
    """

    settings: Settings
    folder: Path
    hot: Hot
    group: str
    views: Views
    policy: Callable[[], PolicyVersion]
    experiments: Callable[[], Experiments] = lambda: NONE
    latest: Callable[[], int]
    tally: Tally = field(default_factory=Tally)
    observed: Observed | None = None
    spans: Spans | None = None
    frames: Mapping[str, bytes] = field(default_factory=dict[str, bytes])  # what goes before values, by topic
    entrance: Entrance = field(default_factory=Entrance)


class Task:
    """Runs one agent's step on one partition number.

    `open` fences the former owner and restores the state, `begin` says where each input goes on, `run` handles what
    `accept` brings until it is cancelled. Between `pause` and `resume` no step is made.
    """

    def __init__(self, agent: Agent, partition: int, around: Surroundings) -> None:
        settings = around.settings
        self.agent = agent
        self.partition = partition
        self.inputs: dict[str, Topic] = {settings.topic(topic.name): topic for topic in agent.reads}
        self._mapped = {name: around.entrance.of(topic) for name, topic in self.inputs.items()}
        self.begun = False
        self._around = around
        self._limit = settings.batch_max_records
        self._changelog = changelog_topic(settings, agent.name)
        self._outbox = Outbox(
            settings, transactional_id=f"{settings.identity}-{agent.name}-{partition}", group=around.group
        )
        self._memory = Memory(settings, self._changelog, partition, folder=around.folder, hot=around.hot)
        self._inbox = Inbox()
        self._outlets: dict[str, Outlet] = {}
        self._backlog: dict[str, int] = {}
        self._unread: dict[Partition, int] = {}
        self._told: dict[Partition, int] = {}
        self._told_at = 0.0
        self._running = asyncio.Event()
        self._arrived = asyncio.Event()
        self._first_at = 0.0
        self._busy = asyncio.Lock()

    def __str__(self) -> str:
        return f"{self.agent.name}/{self.partition}"

    @property
    def now(self) -> int:
        """The greatest event time applied, epoch ms; 0 before the first."""
        return self._memory.progress.now

    @property
    def entries(self) -> int:
        """How many entries the state has."""
        return len(self._memory)

    @property
    def place(self) -> object:
        """How far it has come: in its state's changelog, and in its inputs. Changes with every transaction."""
        return self._memory.place

    @property
    def unread(self) -> dict[Partition, int]:
        """The offset at which each input goes on after what is in the state; empty before it has begun."""
        return dict(self._unread)

    def applied(self, topic: Topic) -> int | None:
        """The offset of the last record of this input that is in the state."""
        return self._memory.progress.applied.get(topic.name)

    def entry(self, key: str) -> bytes | None:
        """One entry of the state, as it is committed. Only for a task that has begun."""
        return self._memory.entry(key)

    async def open(self) -> None:
        """Become the only writer of this partition's state, then read it."""
        await self._outbox.start()
        for topic in (*self.agent.emits, DEAD_LETTERS):
            self._outlets[topic.name] = await self._outlet(topic)
        await self._memory.open()

    async def _outlet(self, topic: Topic) -> Outlet:
        settings = self._around.settings
        name = settings.topic(topic.name)
        return Outlet(
            topic,
            name=name,
            partitions=await self._outbox.partitions(name),
            agent=self.agent.name,
            limit=settings.max_record_bytes,
            attributes=attributes_of(topic, name) if carries_attributes(topic, settings) else None,
            frame=self._around.frames.get(topic.name, b""),
        )

    def begin(self, starts: Mapping[Partition, int], spans: Mapping[Partition, Span]) -> None:
        """Say at which offset each input goes on, and what its log was like when that was asked."""
        for where, offset in starts.items():
            self._inbox.expect(where.topic, offset)
        self._unread = dict(starts)
        self._told = {where: span.committed for where, span in spans.items() if span.committed is not None}
        self._backlog = {where.topic: spans[where].end for where, start in starts.items() if start < spans[where].end}
        self.begun = True
        self._running.set()

    def has_room(self, topic: str) -> bool:
        """Whether more of this input may come."""
        return self.begun and self._running.is_set() and self._inbox.waiting(topic) < _AHEAD * self._limit

    def expected(self, topic: str) -> int | None:
        """The offset at which this input goes on after what has arrived."""
        return self._inbox.expected(topic)

    def accept(self, fetched: Fetched) -> None:
        """Queue what was fetched. Raises LostRecordsError where something is missing before it."""
        was_empty = not len(self._inbox)
        if self._inbox.put(fetched):
            if was_empty:
                self._first_at = asyncio.get_running_loop().time()
            self._arrived.set()

    def resume(self) -> None:
        """Go on after `pause`."""
        if self.begun:
            self._running.set()

    async def pause(self) -> None:
        """Make no further step; returns when the transaction in flight has ended."""
        self._running.clear()
        async with self._busy:
            await self._outbox.rest()

    async def close(self) -> None:
        """Let go of the producer. The task can't be used again."""
        await self._outbox.stop()
        await self._memory.close()

    async def run(self) -> None:
        """Handle what arrives, for ever. Any exception means: the outcome is unknown, end the process."""
        while True:
            await self._running.wait()
            idle = not await self._gather()
            await self._rest()
            async with self._busy:
                if not self._running.is_set():
                    continue
                if not idle:
                    await self._handle(self._take())
                elif self._told != self._unread:
                    await self._tell()
                elif self._outbox.is_open:
                    await self._outbox.rest()
                else:
                    await self._tick()

    async def _rest(self) -> None:
        """Wait as long as the agent owes, but not until the watchdog asks: what is left stays owed.

        No transaction is open in the meantime, since the broker would end it.
        """
        seconds = min(rest_of(self.agent), _LONGEST_REST * self._around.settings.stall_timeout_s)
        if seconds > _TELL_S:
            async with self._busy:
                if self._running.is_set() and self._told != self._unread:
                    await self._tell()
                await self._outbox.rest()
        if seconds > 0.0:
            await asyncio.sleep(seconds)

    async def _gather(self) -> bool:
        """Wait until a batch is due, by size or by age. False when nothing came, and there is else to do."""
        unfinished = self._told != self._unread or self._outbox.is_open
        if not await self._wait(_TELL_S if unfinished else self._around.settings.idle_timeout_s):
            return False
        await self._align()
        loop = asyncio.get_running_loop()
        due = self._first_at + self._around.settings.batch_max_age_ms / 1000
        while len(self._inbox) < self._limit and (left := due - loop.time()) > 0:
            self._arrived.clear()
            await self._wait(left)
        return True

    async def _wait(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return False
        return True

    async def _align(self) -> None:
        """While catching up, don't run one input ahead of another whose backlog just hasn't been fetched yet."""
        while self._backlog:
            for topic, end in list(self._backlog.items()):
                if (self.expected(topic) or 0) >= end:
                    del self._backlog[topic]
            if not any(self._inbox.empty(topic) for topic in self._backlog):
                return
            self._arrived.clear()
            if not await self._wait(_ALIGN_S):
                self._backlog.clear()

    def _take(self) -> list[Run]:
        taken = self._inbox.take(self._limit)
        self._first_at = 0.0  # what is left has waited long enough
        if not len(self._inbox):
            self._arrived.clear()
        return taken

    async def _tell(self) -> None:
        """Commit the group's offsets by themselves: no further batch has come to take them along."""
        await self._outbox.commit([], self._unread)
        self._told = dict(self._unread)

    async def _tick(self) -> None:
        """Take the time over from the other tasks: nothing has come here for long.

        From those of other agents too: a campaign starts by the shop's time, before its first auction tells any.
        """
        latest = self._around.latest()
        if latest > self.now:
            await self._commit(await self._step([], latest), {}, [], {})

    async def _handle(self, taken: Sequence[Run]) -> None:
        read: list[Input] = []
        traced: list[tuple[Bare, Input]] = []
        letters: list[DeadLetter] = []
        for run in taken:
            topic, partition = self.inputs[run.topic], self.partition
            mapped = self._mapped[run.topic]
            for raw in run.records:
                try:
                    if mapped is None:
                        key, record = decode(topic, raw.key, raw.value, raw.timestamp)
                    else:
                        key, record = mapped(partition, raw)
                except MalformedRecord as problem:
                    letters.append(dead_letter(topic, partition, raw, problem))
                except Left:
                    self._around.tally.ignored["left aside by the mapping"] += 1
                else:
                    given = Input(topic, partition, raw.offset, key, record)
                    read.append(given)
                    if raw.headers:
                        traced.append((raw, given))
        spans = self._begin(traced)
        step = await self._step(read, self.now)
        traces = traces_of(traced) if spans is None else spans.traces
        await self._commit(step, traces, letters, {run.topic: run.records[-1].offset for run in taken})
        self._handled(taken, spans)

    def _begin(self, traced: list[tuple[Bare, Input]]) -> Under | None:
        spans = self._around.spans
        return spans.begin(self.agent.name, traced) if traced and spans is not None else None

    def _handled(self, taken: Sequence[Run], under: Under | None) -> None:
        """Tell those who watch of records that are committed."""
        around = self._around
        for run in taken:
            around.tally.records[self.inputs[run.topic].name, self.agent.name] += len(run.records)
        if around.observed is not None:
            around.observed.handled(self.agent.name, self.partition, taken)
        if around.spans is not None and under is not None:
            around.spans.end(under)

    async def _step(self, inputs: Sequence[Input], now: int) -> Step:
        views, policy, experiments = self._around.views, self._around.policy(), self._around.experiments()
        try:
            return await stepped(self.agent, self._memory.state(views, experiments), inputs, policy, now)
        except CorruptStateError:
            await self._memory.rebuild()  # nothing of the step has happened: it is made again
            return await stepped(self.agent, self._memory.state(views, experiments), inputs, policy, now)

    async def _commit(self, step: Step, traces: Traces, letters: list[DeadLetter], offsets: dict[str, int]) -> None:
        outputs: dict[str, list[Any]] = {}
        for made in step.outputs:
            outputs.setdefault(made.topic.name, []).append(made.record)
        messages = self._outlets[DEAD_LETTERS.name].messages(letters, {})
        for topic, records in outputs.items():
            messages += self._outlets[topic].messages(records, traces)
        applied = {self.inputs[topic].name: offset for topic, offset in offsets.items()}
        progress = self._memory.after(step, applied)
        messages += changes(self._changelog, self.partition, step.writes, progress)
        positions = self._unread | {Partition(topic, self.partition): offset + 1 for topic, offset in offsets.items()}
        placed = await self._outbox.commit(messages, self._due(positions))
        self._unread = positions
        await self._memory.commit(step, progress, placed.get(Partition(self._changelog, self.partition), -1))
        self._around.tally.committed(outputs, letters, step.ignored)

    def _due(self, positions: dict[Partition, int]) -> dict[Partition, int]:
        """What is to be told to the group with this batch: all positions every half second, else nothing.

        Where a task goes on is in its own state, in every transaction. The group's offsets are for those who look at
        the lag from outside, and cost two of five requests.
        """
        now = asyncio.get_running_loop().time()
        if now - self._told_at < _TELL_S:
            return {}
        self._told, self._told_at = dict(positions), now
        return positions
