"""Where the truth about a task's entries is: one partition of a compacted topic, written in its transactions."""

from collections.abc import AsyncIterator
from typing import Final

import msgspec

from agents.contract import Writes
from infra.clients import Partition, Raw, Reader, reader
from infra.outbox import Message
from infra.settings import Settings
from infra.state.entries import Entries
from infra.state.mark import Progress

PROGRESS: Final = "\x00progress"  # no entry's key begins with a NUL
_PROGRESS_KEY: Final = PROGRESS.encode()
_CHUNK_BYTES: Final = 8 * 1024 * 1024


class _OtherLineageError(Exception):
    """The store's entries are those of another changelog."""


def changelog_topic(settings: Settings, agent: str) -> str:
    """The name of an agent's changelog topic."""
    return settings.topic(f"{settings.application_id}-{agent}-changelog")


def changes(topic: str, partition: int, writes: Writes, progress: Progress) -> list[Message]:
    """What a step changed, as records of the changelog. The progress is last."""
    rows = [Message(topic, partition, key.encode(), raw) for key, raw in writes.items()]
    return [*rows, Message(topic, partition, PROGRESS.encode(), msgspec.msgpack.encode(progress))]


async def catch_up(settings: Settings, topic: str, partition: int, entries: Entries) -> None:
    """Bring the entries up to the changelog's last stable offset; from its beginning, where they can't be trusted.

    Call it only once the partition's transactional id is fenced: then nobody else can write to it.
    """
    source = reader(settings)
    await source.start()
    try:
        await _catch_up(source, Partition(topic, partition), entries)
    finally:
        await source.stop()


async def _catch_up(source: Reader, where: Partition, entries: Entries) -> None:
    source.assign([where])
    first = (await source.beginning_offsets([where]))[where]
    end = (await source.end_offsets([where]))[where]
    if entries.mark.at >= end:
        await entries.clear()
    try:
        await _read(source, where, max(first, entries.mark.at), end, entries)
    except _OtherLineageError:
        await entries.clear()
        await _read(source, where, first, end, entries)


async def _read(source: Reader, where: Partition, start: int, end: int, entries: Entries) -> None:
    """Apply what lies in [start, end): from the last Progress that is in the entries, or the beginning, on."""
    expected = entries.mark.progress.lineage if entries.mark.at >= 0 else None
    async for rows in _chunks(source, where, start, end):
        told = [row for row in rows if _is_progress(row)]
        if expected is not None and (not told or _progress(told[0]).lineage != expected):
            raise _OtherLineageError
        expected = None
        latest = {(row.key or b"").decode(): row.value for row in rows if not _is_progress(row)}
        await entries.settled()
        if told:
            entries.apply(latest, _progress(told[-1]), told[-1].offset)
        else:
            entries.apply(latest, entries.mark.progress, -1)
    if expected is not None:
        raise _OtherLineageError


async def _chunks(source: Reader, where: Partition, start: int, end: int) -> AsyncIterator[list[Raw]]:
    """What lies in [start, end), in pieces that hold a Progress each, but for the last one."""
    source.seek(where, start)
    rows: list[Raw] = []
    size = 0
    complete = False
    while start < end and await source.position(where) < end:
        for fetched in (await source.getmany(where, timeout_ms=200)).values():
            rows += fetched
            size += sum(len(row.value or b"") for row in fetched)
            complete = complete or any(_is_progress(row) for row in fetched)
        if complete and size > _CHUNK_BYTES:
            yield rows
            rows, size, complete = [], 0, False
    if rows:
        yield rows


def _is_progress(row: Raw) -> bool:
    return row.key == _PROGRESS_KEY


def _progress(row: Raw) -> Progress:
    return msgspec.msgpack.decode(row.value or b"\x80", type=Progress)
