"""What is kept in bounded memory: counts by second, and tables that forget what was touched longest ago."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

Row = TypeVar("Row")

SPAN_S: Final = 300  # seconds that a ring holds


class Ring:
    """Counts by second over the last `span` seconds. Times are epoch ms; what is older than that isn't counted.

    >>> ring = Ring(span=3)
    >>> for at in (1_000, 2_000, 2_500, 4_000): ring.add(at)
    >>> ring.last(3, now=4_999)
    [2, 0, 1]
    """

    def __init__(self, span: int = SPAN_S) -> None:
        self._counts = [0] * span
        self._newest = -1  # second

    def add(self, at: int, count: int = 1) -> None:
        second, span = at // 1000, len(self._counts)
        if second > self._newest:
            for passed in range(max(self._newest + 1, second - span + 1), second + 1):
                self._counts[passed % span] = 0
            self._newest = second
        if second > self._newest - span:
            self._counts[second % span] += count

    def last(self, seconds: int, now: int) -> list[int]:
        """Counts of the last `seconds` up to and including the second of `now`, oldest first."""
        end, span = now // 1000, len(self._counts)
        oldest = self._newest - span
        return [
            self._counts[second % span] if oldest < second <= self._newest else 0
            for second in range(end - seconds + 1, end + 1)
        ]


class Table(Generic[Row]):
    """Rows by key, made when they are first asked for; beyond `size`, the row touched longest ago goes."""

    def __init__(self, make: Callable[[], Row], size: int) -> None:
        self._make, self._size = make, size
        self._rows: OrderedDict[str, Row] = OrderedDict()
        self.dropped = 0

    def touch(self, key: str) -> Row:
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = self._make()
            if len(self._rows) > self._size:
                self._rows.popitem(last=False)
                self.dropped += 1
        else:
            self._rows.move_to_end(key)
        return row

    def get(self, key: str) -> Row | None:
        return self._rows.get(key)

    def remove(self, key: str) -> None:
        self._rows.pop(key, None)

    def items(self) -> Iterator[tuple[str, Row]]:
        return iter(self._rows.items())

    def newest(self, count: int) -> list[str]:
        """The keys touched last, newest first."""
        keys = reversed(self._rows)
        return [key for key, _ in zip(keys, range(count), strict=False)]

    def __len__(self) -> int:
        return len(self._rows)
