"""What every worker reads whole: the watched topics into the shared views, and the policy in force."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Final

from agents.versions import Refused, Serving
from infra.cluster.clients import Partition, Raw, Reader, partitions_of, reader
from infra.cluster.rights import told
from infra.mapping.entrance import Entrance
from infra.mapping.fields import Left
from infra.settings import Settings
from policies.experiments import NONE, Experiments
from policies.version import PolicyVersion
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

    def __init__(self, settings: Settings, topics: Iterable[Topic], entrance: Entrance | None = None) -> None:
        self.views = Views()
        self.warm = asyncio.Event()  # everything that stood in the topics at the start is in
        self._settings = settings
        self._topics = {settings.topic(topic.name): topic for topic in {*topics, POLICY_VERSIONS}}
        self.entrance = entrance or Entrance()
        self._mapped = {topic.name: self.entrance.of(topic) for topic in self._topics.values()}
        running = {one.domain: one for one in settings.experiments}
        self.serving = Serving(wanted=frozenset[int]().union(*(one.numbers for one in running.values())))
        self._running = running
        self._made = Experiments(running=running, versions=self.serving.kept)
        self.verdicts: dict[str, dict[str, Any]] = {}  # what the gate last found, as its evidence, by domain

    def policy(self) -> PolicyVersion:
        """The version of the policy that serves."""
        return self.serving.current

    def experiments(self) -> Experiments:
        """The experiments that run, with their versions as far as they are there."""
        if not self._running:
            return NONE
        if self._made.versions is not self.serving.kept:
            self._made = Experiments(running=self._running, versions=self.serving.kept)
        return self._made

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
            if not behind and not self.warm.is_set():
                self._tell_missing()
                self.warm.set()
            await asyncio.sleep(0)

    def _tell_missing(self) -> None:
        for name, numbers in self.experiments().missing.items():
            log.error(
                "experiment %s takes version %s, which the log doesn't hold: its entities get what serves",
                name,
                ", ".join(map(str, numbers)),
            )

    async def _places(self, source: Reader) -> list[Partition]:
        found: list[Partition] = []
        for name in self._topics:
            partitions = await partitions_of(source, name)
            found += [Partition(name, number) for number in sorted(partitions)]
        return found

    def _take(self, rows: list[Raw]) -> None:
        topic = self._topics[rows[0].topic]
        mapped = self._mapped[topic.name]
        latest = {row.key: row for row in rows}.values() if topic.compacted else rows
        for row in latest:
            try:
                if mapped is None:
                    key, record = decode(topic, row.key, row.value, row.timestamp)
                else:
                    key, record = mapped(row.partition, row)
            except MalformedRecord as problem:
                log.warning("%s partition %d offset %d: %s", row.topic, row.partition, row.offset, problem)
            except Left:
                continue  # counted where the topic is read in the group
            else:
                self._put(topic, key, record, row.timestamp)
        if topic is not POLICY_VERSIONS:
            self.views.reached(topic.name, rows[0].partition, rows[-1].offset + 1)

    def _put(self, topic: Topic, key: str, record: Any, logged_at: int) -> None:
        if topic is not POLICY_VERSIONS:
            self.views.apply(topic, key, record, logged_at)
        elif record is not None:
            if record.act in ("publish", "reject"):
                self.verdicts[str(record.evidence.get("domain", ""))] = record.evidence
            follow(self.serving, record)


def follow(serving: Serving, record: PolicyVersionRecord) -> None:
    """Go by one more record of `policy-versions`. One that can't serve is told of, and what serves goes on serving."""
    try:
        if serving.take(record):
            log.info("policy version %d serves (%s by %s)", serving.current.number, record.act, record.by)
    except Refused as refused:
        log.log(  # a late one is no fault: somebody rolled back, or an older learner was still at it
            logging.INFO if refused.reason == "older" else logging.ERROR,
            "policy version %d is refused: %s; version %d goes on serving",
            record.number,
            refused,
            serving.current.number,
        )
