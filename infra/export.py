"""What lies on the topics, as a file of lines that `tradewind replay` reads: a frozen cut, ordered by the log's time.

Read over aiokafka rather than kafka-python, ten times as fast here; committed records only. Memory holds one fetch a
partition: only partitions whose next record isn't known yet are asked for more.
"""

import gzip
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from heapq import heappop, heappush
from pathlib import Path
from typing import IO, Final, Protocol, cast

from aiokafka.errors import KafkaError

from infra.clients import Partition, Raw, Reader, partitions_of, reader, unreachable
from infra.errors import UserError
from infra.replay.lines import write
from infra.replay.message import Message
from infra.settings import Settings
from streams.topics import BY_NAME, TOPICS, Topic

_WAIT_MS: Final = 500
_Head = tuple[int, int, int, Partition]  # timestamp, topic, partition, and where it is
_ORDER: Final = {topic.name: place for place, topic in enumerate(TOPICS)}  # of records of the same millisecond


class _Cluster(Reader, Protocol):
    async def topics(self) -> set[str]: ...


def wanted(names: str | None, *, inputs_only: bool) -> list[Topic]:
    """The topics of these names, separated by commas; for None all of them, or those that Tradewind reads."""
    if names is None:
        return [topic for topic in TOPICS if topic.role == "input" or not inputs_only]
    given = [name.strip() for name in names.split(",") if name.strip()]
    for name in given:
        if name not in BY_NAME:
            raise UserError(f"--topics: there is no topic {name!r}: use some of {', '.join(BY_NAME)}")
    return [BY_NAME[name] for name in given]


async def export(
    settings: Settings,
    topics: Iterable[Topic],
    out: Path,
    *,
    on_total: Callable[[int], None] | None = None,
    on_message: Callable[[], None] = lambda: None,
) -> int:
    """Write every committed record that the topics hold now; returns how many. Raises UserError.

    `on_total` is told how far the offsets go in all; transaction markers and compacted records count there too.
    """
    source = reader(settings)
    try:
        await _start(source, settings)
        names = {settings.topic(topic.name): topic for topic in topics}
        places = await _places(source, names)
        source.assign(places)
        starts, ends = await source.beginning_offsets(places), await source.end_offsets(places)
        await source.seek_to_beginning(*places)
        if on_total is not None:
            on_total(sum(ends[place] - starts[place] for place in places))
        written = 0
        with _opened(out) as file:
            async for raw in _merged(source, ends, names):
                file.write(write(_message(names[raw.topic], raw)))
                on_message()
                written += 1
        return written
    finally:
        await source.stop()


async def _start(source: Reader, settings: Settings) -> None:
    try:
        await source.start()
    except KafkaError as error:
        raise unreachable(settings) from error


async def _places(source: Reader, names: Mapping[str, Topic]) -> list[Partition]:
    there = await cast(_Cluster, source).topics()
    missing = [name for name in names if name not in there]
    if len(missing) == len(names):
        raise UserError(f"none of the topics is there ({', '.join(missing)}): check TRADEWIND_PREFIX and the cluster")
    found: list[Partition] = []
    for name in names:
        if name in there:
            found += [Partition(name, number) for number in sorted(await partitions_of(source, name))]
    return found


def _message(topic: Topic, raw: Raw) -> Message:
    return Message(topic, raw.key, raw.value, raw.timestamp, raw.partition, raw.offset)


async def _merged(source: Reader, ends: Mapping[Partition, int], names: Mapping[str, Topic]) -> AsyncIterator[Raw]:
    """Records up to the frozen ends: within a partition in its order, across partitions by the log's timestamp."""
    waiting: dict[Partition, deque[Raw]] = {}
    heads: list[_Head] = []
    hungry = set(ends)
    while hungry or heads:
        if hungry:
            for place in await _fill(source, hungry, waiting, ends):
                hungry.discard(place)
                if place in waiting:
                    heappush(heads, _head(waiting[place][0], place, names))
            continue
        place = heappop(heads)[-1]
        rows = waiting[place]
        yield rows.popleft()
        if rows:
            heappush(heads, _head(rows[0], place, names))
        else:
            del waiting[place]
            hungry.add(place)


async def _fill(
    source: Reader, hungry: Iterable[Partition], waiting: dict[Partition, deque[Raw]], ends: Mapping[Partition, int]
) -> list[Partition]:
    """Fetch once. Returns the partitions of which now something waits, or nothing more will come."""
    if done := [place for place in sorted(hungry) if await source.position(place) >= ends[place]]:
        return done  # asked before fetching, which would wait for what never comes
    for place, rows in (await source.getmany(*sorted(hungry), timeout_ms=_WAIT_MS)).items():
        if kept := deque(row for row in rows if row.offset < ends[place]):
            waiting[place] = kept
    return [place for place in sorted(hungry) if place in waiting]


def _head(row: Raw, place: Partition, names: Mapping[str, Topic]) -> _Head:
    return row.timestamp, _ORDER[names[row.topic].name], row.partition, place


def _opened(out: Path) -> AbstractContextManager[IO[bytes]]:
    try:
        if out.suffix == ".gz":
            return cast(IO[bytes], gzip.open(out, "wb", compresslevel=5))
        return out.open("wb")
    except OSError as error:
        raise UserError(f"--out: {out} can't be written: {error.strerror or error}") from error
