"""The K highest ranks, kept as they come. Ranks of an item only ever rise, so that what falls out stays out."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class TopList:
    """Items by rank, highest first; ties by item id, so that the order never depends on arrival."""

    size: int
    _order: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    _rank: dict[str, float] = field(default_factory=dict[str, float])

    def put(self, item: str, rank: float) -> None:
        self.drop(item)
        if len(self._order) >= self.size and -rank > self._order[-1][0]:
            return
        insort(self._order, (-rank, item))
        self._rank[item] = rank
        if len(self._order) > self.size:
            del self._rank[self._order.pop()[1]]

    def drop(self, item: str) -> None:
        rank = self._rank.pop(item, None)
        if rank is not None:
            del self._order[bisect_left(self._order, (-rank, item))]

    def __iter__(self) -> Iterator[str]:
        return (item for _, item in self._order)

    def __len__(self) -> int:
        return len(self._order)
