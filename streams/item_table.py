"""All items in columns: a slate looks at those of hundreds of items at once, by their row.

Rows are given out as names come up, so they are this process's own: nothing that is decided or kept depends on them.
"""

from array import array
from collections.abc import Iterable, Sequence
from typing import Final, cast

import numpy as np
import numpy.typing as npt

from streams.records import ItemStats

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Companions = tuple[Rows, Floats]  # rows, and of an item's purchases the share that had each

NO_CATEGORY: Final = 0
SHORT, LONG, AS_OF, PRICE = range(4)  # purchases over a day and over 60, when counted (epoch ms), price (0: unknown)
_FIELDS: Final = 4
_FIRST: Final = 1024


class ItemTable:
    """Per item: its numbers, its category, its companions, and whether something may speak against showing it."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.categories: list[str] = [""]
        self.numbers: Floats = np.zeros((_FIELDS, _FIRST))
        self.category: Rows = np.zeros(_FIRST, dtype=np.int64)
        self.doubtful: npt.NDArray[np.bool_] = np.zeros(_FIRST, dtype=np.bool_)
        self.marks: npt.NDArray[np.bool_] = np.zeros(_FIRST, dtype=np.bool_)  # whoever marks a row clears it again
        self._scratch: Floats = np.zeros(_FIRST)  # zero between calls
        self._row: dict[str, int] = {}
        self._category: dict[str, int] = {"": NO_CATEGORY}
        self._told: dict[int, Sequence[tuple[str, float]]] = {}
        self._companions: dict[int, Companions] = {}

    def row(self, name: str) -> int:
        """The item's row, a new one where it has none yet."""
        row = self._row.get(name)
        if row is None:
            row = self._row[name] = len(self.names)
            self.names.append(name)
            if row >= len(self.category):
                self._grow()
        return row

    def _grow(self) -> None:
        self.numbers = np.concatenate([self.numbers, np.zeros_like(self.numbers)], axis=1)
        self.category = np.concatenate([self.category, np.zeros_like(self.category)])
        self.doubtful = np.concatenate([self.doubtful, np.zeros_like(self.doubtful)])
        self.marks = np.zeros(len(self.category), dtype=np.bool_)
        self._scratch = np.zeros(len(self.category))

    def rows(self, names: Iterable[str]) -> Rows:
        """The rows of items by name: [n]."""
        return np.array([self.row(name) for name in names], dtype=np.int64)

    def names_of(self, rows: Rows) -> list[str]:
        """The items of these rows."""
        names = self.names
        return [names[row] for row in cast(list[int], rows.tolist())]

    def categories_of(self, codes: Rows) -> list[str]:
        """The categories of these codes."""
        return [self.categories[code] for code in cast(list[int], codes.tolist())]

    def put_stats(self, name: str, stats: ItemStats | None) -> None:
        """Take in what was published of an item; None where that was withdrawn."""
        row = self.row(name)
        self._companions.pop(row, None)
        if stats is None:
            self.numbers[:, row] = 0.0
            self._told.pop(row, None)
            return
        self.numbers[:, row] = (stats.purchases_short, stats.purchases_long, stats.as_of, stats.price or 0.0)
        self._told[row] = stats.companions

    def put_category(self, name: str, category: str) -> None:
        """Say to which category an item belongs; an empty one where it left the catalog."""
        row = self.row(name)  # first: it may make the columns anew
        code = self._category.setdefault(category, len(self.categories))
        if code == len(self.categories):
            self.categories.append(category)
        self.category[row] = code

    def doubt(self, name: str, *, doubtful: bool) -> None:
        """Mark an item that something may speak against showing."""
        row = self.row(name)
        self.doubtful[row] = doubtful

    def companions(self, row: int) -> Companions | None:
        """What is bought with the item of this row; None where nothing is known."""
        found = self._companions.get(row)
        if found is None and row in self._told:
            told = self._told[row]
            shares = array("d", [share for _, share in told])
            found = self._companions[row] = self.rows(name for name, _ in told), np.array(shares)
        return found

    def spread(self, rows: Rows, values: Floats, over: Rows) -> Floats:
        """For each row of `over` the sum of the `values` given for it in `rows`, in their order; 0 where none was."""
        np.add.at(self._scratch, rows, values)
        found = self._scratch[over]
        self._scratch[rows] = 0.0
        return found

    def distinct(self, rows: Rows) -> Rows:
        """The rows without repetition, by where each came up first."""
        places = np.arange(len(rows), 0, -1, dtype=np.float64)
        self._scratch[rows[::-1]] = places[::-1]  # of equal rows the first is written last
        first = self._scratch[rows] == places
        self._scratch[rows] = 0.0
        return rows[first]
