"""What every worker reads whole: the watched topics into the shared views, and the policy in force."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Final

from infra.clients import Partition, Raw, Reader, partitions_of, reader
from infra.rights import told
from infra.settings import Settings
from policies.version import SHIPPED, PolicyVersion
from streams.codec import MalformedRecord, decode
from streams.records import PolicyVersionRecord
from streams.topics import POLICY_VERSIONS, Topic
from streams.views import Views

_CHUNK: Final = 1_000  # records applied between two chances for the tasks to run
_WAIT_MS: Final = 500

log = logging.getLogger(__name__)


class Watcher:
    """Follows the watched topics. A record that can't be read is logged and passed over: the tasks that read the
    topic in the group are who writes dead letters, once."""

    def __init__(self, settings: Settings, topics: Iterable[Topic]) -> None:
        self.views = Views()
        self.warm = asyncio.Event()  # everything that stood in the topics at the start is in
        self._settings = settings
        self._topics = {settings.topic(topic.name): topic for topic in {*topics, POLICY_VERSIONS}}
        self._policy = SHIPPED

    def policy(self) -> PolicyVersion:
        """The newest version of the policy that held its hash."""
        return self._policy

    async def run(self) -> None:
        """Read everything, then follow, until cancelled."""
        source = reader(self._settings)
        await source.start()
        try:
            with told(topics=self._topics):
                await self._follow(source)
        finally:
            await source.stop()

    async def _follow(self, source: Reader) -> None:
        places = await self._places(source)
        source.assign(places)
        ends = await source.end_offsets(places)
        await source.seek_to_beginning(*places)
        behind = set(places)
        while True:
            for rows in (await source.getmany(timeout_ms=_WAIT_MS, max_records=_CHUNK)).values():
                self._take(rows)
            behind = {place for place in behind if await source.position(place) < ends[place]}
            if not behind:
                self.warm.set()
            await asyncio.sleep(0)

    async def _places(self, source: Reader) -> list[Partition]:
        found: list[Partition] = []
        for name in self._topics:
            partitions = await partitions_of(source, name)
            found += [Partition(name, number) for number in sorted(partitions)]
        return found

    def _take(self, rows: list[Raw]) -> None:
        topic = self._topics[rows[0].topic]
        latest = {row.key: row for row in rows}.values() if topic.compacted else rows
        for row in latest:
            try:
                key, record = decode(topic, row.key, row.value, row.timestamp)
            except MalformedRecord as problem:
                log.warning("%s partition %d offset %d: %s", row.topic, row.partition, row.offset, problem)
            else:
                self._put(topic, key, record, row.timestamp)

    def _put(self, topic: Topic, key: str, record: Any, logged_at: int) -> None:
        if topic is not POLICY_VERSIONS:
            self.views.apply(topic, key, record, logged_at)
        elif record is not None:
            self._policy = newer(self._policy, record)


def newer(current: PolicyVersion, offered: PolicyVersionRecord) -> PolicyVersion:
    """The version to go on with: the offered one if its number is higher and its hash holds."""
    version = PolicyVersion(
        number=offered.number,
        parent=offered.parent,
        priors=offered.priors,
        published_at=offered.published_at,
        evidence=offered.evidence,
    )
    if version.number <= current.number:
        return current
    if version.sha256 != offered.sha256:
        log.error("policy version %d is refused: its weights don't have the hash it names", version.number)
        return current
    log.info("policy version %d replaces %d", version.number, current.number)
    return version
