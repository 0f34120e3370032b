"""Reads the demo's topics as any subscriber would, committed records only, and keeps the score."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from time import monotonic, time
from typing import Final

from infra.cluster.clients import Partition, Raw, partitions_of, reader
from infra.measures.scoreboard import Scoreboard
from infra.settings import Settings
from streams.topics import TOPICS, Topic

WATCHED: Final = tuple(topic for topic in TOPICS if topic.role != "internal")
POLL_RECORDS: Final = 5_000
QUIET_S: Final = 2.0


@dataclass(slots=True)
class Onlooker:
    """Feeds a scoreboard from a thread of its own, between `start` and `stop`."""

    settings: Settings
    board: Scoreboard
    _stop: Event = field(default_factory=Event)
    _open: Event = field(default_factory=Event)
    _thread: Thread | None = None
    _heard_at: float = 0.0
    _failure: BaseException | None = None

    def start(self) -> None:
        """Return once every topic is open: nothing that is written from now on is missed."""
        self._thread = Thread(target=self._run, name="onlooker", daemon=True)
        self._thread.start()
        self._open.wait()
        self.check()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def await_quiet(self, at_most_s: float, tell: Callable[[], None]) -> None:
        """Wait until no message has come for two seconds: the last actions are in."""
        until = monotonic() + at_most_s
        while monotonic() - self._heard_at < QUIET_S and monotonic() < until:
            self.check()
            tell()
            self._stop.wait(0.25)

    def _run(self) -> None:
        try:
            asyncio.run(self._read())
        except BaseException as error:  # noqa: BLE001  # it is told where the demo waits: a thread has no caller
            self._failure = error
        finally:
            self._open.set()

    async def _read(self) -> None:
        source = reader(self.settings)
        await source.start()
        try:
            by_name = {self.settings.topic(topic.name): topic for topic in WATCHED}
            places = [Partition(name, p) for name in by_name for p in await partitions_of(source, name)]
            source.assign(places)
            await source.seek_to_beginning(*places)
            for place in places:
                await source.position(place)
            self._heard_at = monotonic()
            self._open.set()
            while not self._stop.is_set():
                found = await source.getmany(timeout_ms=100, max_records=POLL_RECORDS)
                if found:
                    self._heard_at = monotonic()
                received = int(time() * 1000)
                for place, records in found.items():
                    self._observe(by_name[place.topic], records, received)
        finally:
            with suppress(Exception):
                await source.stop()

    def _observe(self, topic: Topic, records: Sequence[Raw], received: int) -> None:
        for record in records:
            self.board.observe(topic, record.key, record.value, record.timestamp, received)
