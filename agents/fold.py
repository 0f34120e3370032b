"""The walk that every step makes: events in order, and before each of them the timers that its time has passed."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final
from zlib import crc32

import msgspec

from agents.contract import Draft, Input
from streams.times import HOUR

RESOLUTION: Final = HOUR  # a timer fires with the first event at or after the full hour that follows it
SHARDS: Final = 16  # a bucket is rewritten whole when a timer is added: shards keep that small

_CLOCK: Final = "clock"


class Clock(msgspec.Struct):
    """The greatest event time seen."""

    now: int = 0


class Bucket(msgspec.Struct):
    """Timers of one hour, in the order in which they were set."""

    names: list[str] = []


class Hour(msgspec.Struct):
    """Which shards of an hour hold timers, so that an empty hour costs one look."""

    shards: list[int] = []


def fold(
    draft: Draft,
    batch: Sequence[Input],
    now: int,
    *,
    on_record: Callable[[Input, int], None],
    on_timer: Callable[[str, int], None],
) -> int:
    """Walk the batch and return its time. `now` moves the clock of an idle partition on; it never moves it back.

    `on_record(input, now)` and `on_timer(name, at)` see the clock as it stands at their place in the order, so that
    what they do can't depend on where a batch was cut.
    """
    clock = draft.edit(_CLOCK, Clock)
    _advance(draft, clock, now, on_timer)
    for given in batch:
        draft.take(given)
        _advance(draft, clock, getattr(given.record, "occurred_at", 0), on_timer)
        on_record(given, clock.now)
    return clock.now


def _advance(draft: Draft, clock: Clock, to: int, on_timer: Callable[[str, int], None]) -> None:
    if to <= clock.now:
        return
    first, clock.now = clock.now, int(to)
    if first == 0:
        return
    for hour in range(first // RESOLUTION + 1, clock.now // RESOLUTION + 1):
        for name in _take(draft, hour):
            on_timer(name, hour * RESOLUTION)


def _take(draft: Draft, hour: int) -> Iterator[str]:
    held = draft.find(f"timers/{hour}", Hour)
    if held is None:
        return
    draft.remove(f"timers/{hour}")
    for shard in sorted(held.shards):
        key = f"timers/{hour}/{shard}"
        bucket = draft.edit(key, Bucket)
        draft.remove(key)
        yield from bucket.names


def set_timer(draft: Draft, name: str, at: int) -> None:
    """Have `on_timer(name, …)` called once event time has passed `at` (epoch ms), to the hour above it.

    To be called for a record that has a time: before the first of those there is no clock to fire by.
    """
    hour, shard = _place(draft, name, at)
    held = draft.edit(f"timers/{hour}", Hour)
    if shard not in held.shards:
        held.shards.append(shard)
    draft.edit(f"timers/{hour}/{shard}", Bucket).names.append(name)


def cancel_timer(draft: Draft, name: str, at: int) -> None:
    """Take back a timer that was set for `at` under this name. One that has fired, or was never set, is none."""
    hour, shard = _place(draft, name, at)
    key = f"timers/{hour}/{shard}"
    held, bucket = draft.find(f"timers/{hour}", Hour), draft.find(key, Bucket)
    if held is None or bucket is None or name not in bucket.names:
        return
    bucket.names.remove(name)
    if not bucket.names:
        draft.remove(key)
        held.shards.remove(shard)
    if not held.shards:
        draft.remove(f"timers/{hour}")


def _place(draft: Draft, name: str, at: int) -> tuple[int, int]:
    """The hour at which a timer set for `at` fires, and its shard. The same for as long as it hasn't fired."""
    now = draft.edit(_CLOCK, Clock).now
    return max(-(-at // RESOLUTION), now // RESOLUTION + 1), crc32(name.encode()) % SHARDS
