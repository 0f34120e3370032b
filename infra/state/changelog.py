"""Where the truth about a task's entries is: one partition of a compacted topic, written in its transactions."""

from collections.abc import AsyncIterator
from typing import Final

import msgspec

from agents.contract import Writes
from infra.cluster import rights
from infra.cluster.clients import Bare, BareReader, Lain, Partition, bare_reader
from infra.cluster.outbox import Message
from infra.settings import Settings
from infra.state.entries import Entries
from infra.state.mark import Mark, Progress

PROGRESS: Final = "\x00progress"  # no entry's key begins with a NUL
_CHUNK_BYTES: Final = 32 * 1024 * 1024
_FETCH_BYTES: Final = 4 * 1024 * 1024
_PIECE: Final = 2_000  # records between two chances for the other tasks to run
_TAIL: Final = 100  # offsets at the end of a changelog among which its last Progress is sought first


def changelog_topic(settings: Settings, agent: str) -> str:
    """The name of an agent's changelog topic."""
    return settings.topic(f"{settings.application_id}-{agent}-changelog")


def changes(topic: str, partition: int, writes: Writes, progress: Progress) -> list[Message]:
    """What a step changed, as records of the changelog. The progress is last."""
    where = Partition(topic, partition)
    rows = [Message(where, key.encode(), raw) for key, raw in writes.items()]
    return [*rows, Message(where, PROGRESS.encode(), msgspec.msgpack.encode(progress))]


async def catch_up(settings: Settings, topic: str, partition: int, entries: Entries) -> None:
    """Bring the entries up to the changelog's last stable offset; from its beginning, where they can't be trusted.

    Call it only once the partition's transactional id is fenced: then nobody else can write to it.
    """
    source = bare_reader(settings, partition_fetch_bytes=_FETCH_BYTES)
    await source.start()
    try:
        with rights.told(topics=[topic]):
            await _catch_up(source, Partition(topic, partition), entries)
    finally:
        await source.stop()


async def _catch_up(source: BareReader, where: Partition, entries: Entries) -> None:
    source.assign([where])
    first = (await source.beginning_offsets([where]))[where]
    end = (await source.end_offsets([where]))[where]
    last = await newest(source, where, first, end)
    mark = entries.mark
    if mark.at >= 0 and (last is None or mark.at > last.at or mark.progress.lineage != last.progress.lineage):
        await entries.clear()  # what lies here was kept of another log
    with entries.filling():
        async for rows in _chunks(source, where, max(first, entries.mark.at), end):
            await entries.settled()
            entries.apply(
                {key: row.value for row in rows if (key := _text(row)) != PROGRESS}, entries.mark.progress, -1
            )
    if last is not None:
        entries.apply({}, last.progress, last.at)


async def newest(source: BareReader, where: Partition, first: int, end: int) -> Mark | None:
    """The last Progress in [first, end), with its offset; None where there is none.

    It is among the last records, since a transaction ends with it; after it come the marks of transactions only.
    """
    start, span = end, _TAIL
    found: Mark | None = None
    while start > first and found is None:
        start, span = max(first, end - span), span * 10
        async for rows in _chunks(source, where, start, end):
            for row in rows:
                if _text(row) == PROGRESS:
                    found = Mark(at=row.offset, progress=progress_of(row))
    return found


def progress_of(row: Lain) -> Progress:
    """The progress that a record of a changelog holds."""
    return msgspec.msgpack.decode(row.value or b"\x80", type=Progress)


async def _chunks(source: BareReader, where: Partition, start: int, end: int) -> AsyncIterator[list[Bare]]:
    """What lies in [start, end), in pieces of a bounded size."""
    source.seek(where, start)
    rows: list[Bare] = []
    size = 0
    while start < end and await source.position(where) < end:
        for fetched in (await source.getmany(where, timeout_ms=200, max_records=_PIECE)).values():
            rows += fetched
            size += sum(len(row.value or b"") for row in fetched)
        if size > _CHUNK_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _text(row: Bare) -> str:
    return (row.key or b"").decode()
