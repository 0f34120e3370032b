"""Topics into the model: committed records, without a group. Where the broker is away it says so, and tries again."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar, cast

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from agents.wiring import FLOWS, SERVING
from infra.cluster.clients import Partition, Raw, Reader, client_options, partitions_of, reader
from infra.dashboard.following import Behind, Following
from infra.dashboard.merge import Merge
from infra.dashboard.model import READ, WHOLE, Model, Place
from infra.errors import UserError
from infra.settings import Settings
from streams.codec import unframed
from streams.topics import Topic

_CHUNK: Final = 500  # records taken in between two chances for a page to be served
_POLL_MS: Final = 250
_LOOK_S: Final = 2.0  # between two looks at how far the workers are
_ANSWER_S: Final = 5.0  # a broker that hasn't answered by then is away
_AGAIN_S: Final = 2.0
_STOP_S: Final = 3.0
_REST: Final = 1.0  # of the time spent on history is rested: whoever shares this machine comes first

Answer = TypeVar("Answer")
log = logging.getLogger(__name__)


class _NewTopicError(Exception):
    """A topic that was missing is there now: a new session reads it too."""


class Follower:
    """Feeds one model until cancelled. `since` is the log's time (epoch ms) to start from; None is the beginning."""

    def __init__(self, settings: Settings, model: Model, following: Following, since: int | None) -> None:
        self._settings = settings
        self._model = model
        self._following = following
        self._since = since
        self._topics: dict[str, Topic] = {settings.topic(topic.name): topic for topic in READ}
        self._next: dict[Partition, int] = {}  # the offset after the last record taken in
        self._missing: set[str] = set()
        self._expected = [topic for name in SERVING for topic in FLOWS[name].reads if topic in READ]

    async def run(self) -> None:
        """Follow the topics; after a failure, from where it was. Ends by being cancelled."""
        while True:
            try:
                await self._session()
            except _NewTopicError:
                continue
            except (KafkaError, OSError, TimeoutError, UserError) as problem:
                self._tell(problem)
            await asyncio.sleep(_AGAIN_S)

    def _tell(self, problem: Exception) -> None:
        servers = self._settings.bootstrap_servers
        told = str(problem) if isinstance(problem, UserError) else f"no Kafka broker answers at {servers}"
        if self._following.told != told:
            log.warning("%s; trying again", told)
        self._following.turn("away", _now(), told)

    async def _session(self) -> None:
        source = reader(self._settings)
        admin: Any = AIOKafkaAdminClient(**client_options(self._settings))
        try:
            await _answered(source.start())
            await _answered(admin.start())
            places = await self._open(source, admin)
            looking = asyncio.ensure_future(self._look(source, admin, places))
            try:
                await self._follow(source, places, looking)
            finally:
                looking.cancel()
        finally:
            # aiokafka 0.14 waits for ever for a fetch that was on its way when its partitions were assigned anew.
            closing = [asyncio.ensure_future(source.stop()), asyncio.ensure_future(admin.close())]
            await asyncio.wait(closing, timeout=_STOP_S)

    async def _open(self, source: Reader, admin: Any) -> list[Partition]:
        there = set(await _answered(admin.list_topics()))
        self._missing = set(self._topics) - there
        if not there & set(self._topics):
            some = ", ".join(sorted(self._missing)[:3])
            raise UserError(f"none of the topics is there ({some} …): `tradewind topics create` makes them")
        places = [
            Partition(name, number)
            for name in self._topics
            if name in there
            for number in sorted(await _answered(partitions_of(source, name)))
        ]
        source.assign(places)
        starts = await self._starts(source, places)
        for place in places:
            source.seek(place, self._next.get(place, starts[place]))
        return places

    async def _starts(self, source: Reader, places: list[Partition]) -> dict[Partition, int]:
        """Where each partition begins to be read: whole, or from the first record at `since`, or at its end."""
        starts = await _answered(source.beginning_offsets(places))
        if self._since is None:
            return starts
        late = [place for place in places if self._topics[place.topic] not in WHOLE]
        ends = await _answered(source.end_offsets(late))
        asked = dict.fromkeys(late, self._since)
        found: Mapping[Partition, Any] = await _answered(cast(Any, source).offsets_for_times(asked))
        return starts | {place: ends[place] if found[place] is None else found[place].offset for place in late}

    async def _follow(self, source: Reader, places: list[Partition], looking: "asyncio.Future[None]") -> None:
        ends = await _answered(source.end_offsets(places))
        await self._catch_up(source, ends, looking)
        self._model.waits.since = _now()
        self._following.left = 0
        self._following.turn("live", _now())
        while True:
            await self._take(source, looking)

    async def _catch_up(self, source: Reader, ends: Mapping[Partition, int], looking: "asyncio.Future[None]") -> None:
        """Read what lies in the log already, in its order of time; rest as long as it works: there is no hurry."""
        self._model.waits.since = None
        merge = Merge(ends)
        while True:
            _raise_from(looking)
            for place in merge.starved:
                merge.reached(place, await source.position(place))
            if merge.done:
                return
            self._following.left = await _left(source, ends)
            self._following.turn("catching up", _now())
            began = time.process_time()
            if merge.starved:
                merge.put(await source.getmany(*merge.starved, timeout_ms=_POLL_MS, max_records=_CHUNK))
            for place, row in merge.ready(_CHUNK):
                self._put(place, row, _now())
            await asyncio.sleep(_REST * (time.process_time() - began))

    async def _take(self, source: Reader, looking: "asyncio.Future[None]") -> None:
        _raise_from(looking)
        found = await source.getmany(timeout_ms=_POLL_MS, max_records=_CHUNK)
        received = _now()
        for place, rows in found.items():
            for row in rows:
                self._put(place, row, received)
        await asyncio.sleep(0)

    def _put(self, place: Partition, row: Raw, received: int) -> None:
        where = Place(place.partition, row.offset, tuple(row.headers))
        self._model.observe(self._topics[place.topic], row.key, unframed(row.value), row.timestamp, received, where)
        self._next[place] = row.offset + 1

    async def _look(self, source: Reader, admin: Any, places: list[Partition]) -> None:
        """Look now and then how far the workers are behind; ends by raising, where nobody answers."""
        while True:
            ends = await _answered(source.end_offsets(places))
            groups = await self._groups(admin)
            found = [one for group in groups for one in await self._behind(admin, group, ends)]
            self._following.behind = found or self._unread()
            await asyncio.sleep(_LOOK_S)
            if self._missing and self._missing & set(await _answered(admin.list_topics())):
                raise _NewTopicError

    async def _groups(self, admin: Any) -> list[str]:
        """The workers' group, those of workers that run some of the agents only, and the learner's."""
        ours = self._settings.identity
        found = [str(row[0]) for row in await _answered(admin.list_consumer_groups())]
        return sorted({ours, *(name for name in found if name.startswith(f"{ours}."))})

    def _unread(self) -> list[Behind]:
        """What is to be told where no group has committed anything: nobody has read what workers read."""
        group = self._settings.identity
        return [Behind(group=group, topic=topic.name, records=None) for topic in self._expected]

    async def _behind(self, admin: Any, group: str, ends: Mapping[Partition, int]) -> list[Behind]:
        answer: Mapping[Partition, Any] = await _answered(admin.list_consumer_group_offsets(group))
        done = {place: int(at.offset) for place, at in answer.items() if at.offset >= 0}
        read = {place.topic for place in done}
        return [
            Behind(group=group, topic=topic.name, records=_left_of(name, done, ends))
            for name, topic in self._topics.items()
            if name in read
        ]


def _left_of(topic: str, done: Mapping[Partition, int], ends: Mapping[Partition, int]) -> int:
    return sum(max(0, end - done.get(place, 0)) for place, end in ends.items() if place.topic == topic)


def _raise_from(looking: "asyncio.Future[None]") -> None:
    """Raise what went wrong with looking."""
    if looking.done():
        looking.result()


async def _left(source: Reader, ends: Mapping[Partition, int]) -> int:
    """How many records lie between where the reader is and these offsets."""
    return sum([max(0, end - await source.position(place)) for place, end in ends.items()])


async def _answered(asked: Awaitable[Answer]) -> Answer:
    """The answer. Raises TimeoutError, or what the client raises."""
    return await asyncio.wait_for(asked, _ANSWER_S)


def _now() -> int:
    return time.time_ns() // 1_000_000


async def stop(running: "asyncio.Task[None]") -> None:
    """End a follower's task."""
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
