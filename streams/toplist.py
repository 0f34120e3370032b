"""The K highest ranks, kept as they come. Ranks of an item only ever rise, so that what falls out stays out."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(slots=True)
class TopList:
    """Items by rank, highest first; ties by item id, so that the order never depends on arrival.

    Each item is put with its row in the table of all items, so that a list can be had as rows at once.
    """

    size: int
    _order: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    _rows: "array[int]" = field(default_factory=lambda: array("q"))  # beside _order
    _rank: dict[str, float] = field(default_factory=dict[str, float])

    def put(self, item: str, rank: float, row: int) -> None:
        self.drop(item)
        if len(self._order) >= self.size and -rank > self._order[-1][0]:
            return
        place = bisect_left(self._order, (-rank, item))
        self._order.insert(place, (-rank, item))
        self._rows.insert(place, row)
        self._rank[item] = rank
        if len(self._order) > self.size:
            del self._rank[self._order.pop()[1]]
            self._rows.pop()

    def drop(self, item: str) -> None:
        rank = self._rank.pop(item, None)
        if rank is not None:
            place = bisect_left(self._order, (-rank, item))
            del self._order[place], self._rows[place]

    def rank(self, item: str) -> float | None:
        """The item's rank; None where it isn't among them."""
        return self._rank.get(item)

    def rows(self, count: int | None = None) -> npt.NDArray[np.int64]:
        """The rows of the `count` highest, or of all."""
        return np.array(self._rows if count is None else self._rows[:count])

    def __iter__(self) -> Iterator[str]:
        return (item for _, item in self._order)

    def __len__(self) -> int:
        return len(self._order)
