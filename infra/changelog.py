"""Where a task's entries and its progress are kept: one partition of a compacted topic, written in its transactions."""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from agents.contract import Writes
from infra.clients import Partition, Reader, reader
from infra.outbox import Message
from infra.settings import Settings

PROGRESS: Final = "\x00progress"  # no entry's key begins with a NUL


class Progress(msgspec.Struct):
    """How far a task has come: the last offset applied of each input topic (without prefix), and its event time."""

    applied: dict[str, int] = {}
    now: int = 0


@dataclass(slots=True)
class Restored:
    """A task's state as it stood after its last transaction."""

    entries: dict[str, bytes] = field(default_factory=dict[str, bytes])
    progress: Progress = field(default_factory=Progress)


def changelog_topic(settings: Settings, agent: str) -> str:
    """The name of an agent's changelog topic."""
    return settings.topic(f"{settings.application_id}-{agent}-changelog")


def changes(topic: str, partition: int, writes: Writes, progress: Progress) -> list[Message]:
    """What a step changed, as records of the changelog."""
    rows = [Message(topic, partition, key.encode(), raw) for key, raw in writes.items()]
    return [*rows, Message(topic, partition, PROGRESS.encode(), msgspec.msgpack.encode(progress))]


async def restore(settings: Settings, topic: str, partition: int) -> Restored:
    """Read one partition of a changelog from its beginning to its last stable offset.

    Call it only once the partition's transactional id is fenced: then nobody else can write to it.
    """
    source = reader(settings)
    await source.start()
    try:
        return await _read(source, Partition(topic, partition))
    finally:
        await source.stop()


async def _read(source: Reader, where: Partition) -> Restored:
    state = Restored()
    source.assign([where])
    first = (await source.beginning_offsets([where]))[where]
    end = (await source.end_offsets([where]))[where]
    if first >= end:
        return state
    await source.seek_to_beginning(where)
    while await source.position(where) < end:
        for rows in (await source.getmany(where, timeout_ms=200)).values():
            for row in rows:
                _apply(state, (row.key or b"").decode(), row.value)
    return state


def _apply(state: Restored, key: str, value: bytes | None) -> None:
    if key == PROGRESS:
        state.progress = msgspec.msgpack.decode(value or b"\x80", type=Progress)
    elif value is None:
        state.entries.pop(key, None)
    else:
        state.entries[key] = value
