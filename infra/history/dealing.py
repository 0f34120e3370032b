"""A history dealt into shares, and shares to workers. Which shares there are never depends on how many workers.

Of topics with equal partition counts a share is a partition number: Kafka's partitioner puts one key on one number in
all of them, and a worker reads its partitions only. Otherwise, and of files, a share is what a hash of the key says,
and every worker reads all and leaves what isn't its own.
"""

from typing import Final, Literal
from zlib import crc32

import msgspec
from msgspec.structs import replace

from infra.history.message import Found, Rejected
from infra.history.part import LogPart, Part

KEY_SHARES: Final = 8  # of a history that is dealt by key: that many workers can be of use


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker does: these shares of this part. Of shares by key there are `of`."""

    part: Part
    shares: tuple[int, ...]
    by: Literal["partition", "key"]
    of: int

    def share_of(self, found: Found) -> int:
        """Which share a message is of. What was none is of the first."""
        if isinstance(found, Rejected):
            return 0
        if self.by == "partition":
            return found.partition
        return crc32(found.key) % self.of if found.key else 0


def dealt(part: Part, workers: int) -> list[Unit]:
    """At most so many units, none of them empty: together they are all shares of the history."""
    if isinstance(part, LogPart) and _is_aligned(part):
        return _by_partition(part, workers)
    hands = [tuple(range(KEY_SHARES))[first::workers] for first in range(min(workers, KEY_SHARES))]
    return [Unit(part=part, shares=shares, by="key", of=KEY_SHARES) for shares in hands]


def whole(part: Part) -> list[Unit]:
    """All as one share, in the order of time."""
    return [Unit(part=part, shares=(0,), by="key", of=1)]


def _is_aligned(part: LogPart) -> bool:
    numbers: dict[str, set[int]] = {}
    for one in part.slices:
        numbers.setdefault(one.topic, set()).add(one.partition)
    return len(set(map(frozenset, numbers.values()))) == 1


def _by_partition(part: LogPart, workers: int) -> list[Unit]:
    """The longest partitions are dealt first, each to the worker that has least."""
    lengths: dict[int, int] = {}
    for one in part.slices:
        lengths[one.partition] = lengths.get(one.partition, 0) + one.end - one.start
    hands: list[list[int]] = [[] for _ in range(min(workers, len(lengths)))]
    for number in sorted(lengths, key=lambda number: (-lengths[number], number)):
        min(hands, key=lambda hand: sum(lengths[one] for one in hand)).append(number)
    return [
        Unit(
            part=replace(part, slices=tuple(one for one in part.slices if one.partition in hand)),
            shares=tuple(sorted(hand)),
            by="partition",
            of=len(lengths),
        )
        for hand in hands
    ]
