"""Records of many partitions in the log's order of time, while what lies in the log already is read. No client."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from infra.cluster.clients import Partition, Raw


@dataclass(slots=True)
class Merge:
    """Up to `ends`, the offset after the last record of each partition. Holds one fetch of each at the most.

    Time is the log's own, so that an action comes after the events it follows from, whichever topic is read first.
    Within a partition the order is the partition's.
    """

    ends: Mapping[Partition, int]
    _waiting: dict[Partition, deque[Raw]] = field(init=False)
    _heads: list[tuple[int, Partition]] = field(default_factory=list[tuple[int, Partition]])  # a heap
    _starved: set[Partition] = field(init=False)
    _ended: set[Partition] = field(default_factory=set[Partition])

    def __post_init__(self) -> None:
        self._waiting = {place: deque() for place in self.ends}
        self._starved = set(self.ends)

    @property
    def starved(self) -> list[Partition]:
        """Of these nothing is at hand and more is to come: without them it isn't known which record is next."""
        return sorted(self._starved)

    @property
    def done(self) -> bool:
        return not self._starved and not self._heads

    def reached(self, place: Partition, position: int) -> None:
        """The reader has come so far: at the end nothing more is waited for."""
        if position >= self.ends[place]:
            self._ended.add(place)
            self._starved.discard(place)

    def put(self, found: Mapping[Partition, Sequence[Raw]]) -> None:
        for place, rows in found.items():
            waiting = self._waiting[place]
            if rows and not waiting:
                heappush(self._heads, (rows[0].timestamp, place))
                self._starved.discard(place)
            waiting += rows

    def ready(self, most: int) -> Iterator[tuple[Partition, Raw]]:
        """The next records in order of time, as far as it is known; at most so many."""
        for _ in range(most):
            if self._starved or not self._heads:
                return
            _, place = heappop(self._heads)
            waiting = self._waiting[place]
            row = waiting.popleft()
            if waiting:
                heappush(self._heads, (waiting[0].timestamp, place))
            elif place not in self._ended:
                self._starved.add(place)
            yield place, row
