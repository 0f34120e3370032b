"""What one user has bought, item by item, in columns: a slate looks at all of them at once."""

from array import array
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.decay import faded, highest, rank_of
from streams.item_table import ItemTable, Rows

SLACK: Final = 1.2  # pruned once a fifth above the limit, so that it is rare

Floats = npt.NDArray[np.float64]


class Purchases:
    """The items with the highest decayed counts. Times in epoch milliseconds; a count fades by half in `half_life`."""

    def __init__(self, stored: Sequence[Any] = ((), b"", b"", b"", b"", b"")) -> None:
        """Take up what `put_away` gave; nothing starts with no item."""
        names, weight, share, at, first_at, times = stored
        self._rows: dict[str, int] = {name: row for row, name in enumerate(names)}
        self._weight: array[float] = array("f", weight)  # decayed count of purchases, …
        self._share: array[float] = array("f", share)  # and of the baskets that it filled, by its part in each, …
        self._at: array[int] = array("q", at)  # … as of the last one
        self._first_at: array[int] = array("q", first_at)
        self._times: array[int] = array("i", times)
        self._table: ItemTable | None = None
        self._in_table: array[int] = array("q")  # the first items' rows in that table

    def put_away(self) -> list[Any]:
        columns = (self._weight, self._share, self._at, self._first_at, self._times)
        return [list(self._rows), *(column.tobytes() for column in columns)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Purchases) and self.put_away() == other.put_away()

    __hash__ = None  # pyright: ignore[reportAssignmentType] # it changes

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __contains__(self, item: str) -> bool:
        return item in self._rows

    def add(self, item: str, at: int, *, half_life: float, limit: int) -> None:
        """Count one purchase; a late one fades to its own time."""
        row = self._rows.get(item)
        if row is None:
            self._append(item, at)
            if len(self._rows) > limit * SLACK:
                self._prune(limit, half_life)
            return
        elapsed = at - self._at[row]
        if elapsed >= 0:
            left = faded(elapsed, half_life)
            self._weight[row] = self._weight[row] * left + 1.0
            self._share[row] *= left
            self._at[row] = at
        else:
            self._weight[row] += faded(-elapsed, half_life)
        self._times[row] += 1

    def close_basket(self, items: Sequence[str]) -> None:
        """Divide one basket among its items: each has the weight that a measure of recall gives it."""
        for item in items:
            row = self._rows.get(item)
            if row is not None:
                self._share[row] += 1.0 / len(items)

    def rows_in(self, table: ItemTable) -> Rows:
        """The row of each item in the table of all items: [rows]."""
        if self._table is not table:
            self._table, self._in_table = table, array("q")
        if len(self._in_table) < len(self._rows):
            self._in_table.extend(table.row(item) for item in islice(self._rows, len(self._in_table), None))
        return np.array(self._in_table)

    def faded(self, now: int, half_life: float) -> Floats:
        """The decayed counts and shares of baskets as they stand at `now`, by row: [2, rows]."""
        ages = np.maximum(0, now - np.array(self._at)).astype(np.float64)
        return np.array([np.array(self._weight), np.array(self._share)], dtype=np.float64) * np.exp2(-ages / half_life)

    def history(self, into: Floats) -> None:
        """Fill in last purchase, first purchase, and how many there were, by row: [3, rows]."""
        into[0], into[1], into[2] = np.array(self._at), np.array(self._first_at), np.array(self._times)

    def bought_at(self) -> npt.NDArray[np.int64]:
        """When each was last bought, by row, epoch ms: [rows]."""
        return np.array(self._at)

    def _append(self, item: str, at: int) -> None:
        self._rows[item] = len(self._rows)
        self._weight.append(1.0)
        self._share.append(0.0)
        self._at.append(at)
        self._first_at.append(at)
        self._times.append(1)

    def _prune(self, limit: int, half_life: float) -> None:
        ranks = {name: rank_of(self._weight[row], self._at[row], half_life) for name, row in self._rows.items()}
        names = highest(ranks, limit)
        kept = [self._rows[name] for name in names]
        self._table = None
        self._rows = {name: row for row, name in enumerate(names)}
        self._weight = array("f", [self._weight[row] for row in kept])
        self._share = array("f", [self._share[row] for row in kept])
        self._at = array("q", [self._at[row] for row in kept])
        self._first_at = array("q", [self._first_at[row] for row in kept])
        self._times = array("i", [self._times[row] for row in kept])
