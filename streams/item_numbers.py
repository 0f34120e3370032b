"""The numbers of all items in columns: a slate looks up those of a hundred items at once."""

from typing import Final

import numpy as np
import numpy.typing as npt

from streams.records import ItemStats

_FIRST: Final = 1024
_FIELDS: Final = 4


class ItemNumbers:
    """Purchases over about a day and about 60 days, when they were counted (epoch ms), and the price (0: unknown)."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._columns = np.zeros((_FIELDS, _FIRST))  # row 0 is that of items of which nothing is known

    def put(self, item: str, stats: ItemStats | None) -> None:
        """Take in what was published of an item; None where that was withdrawn."""
        row = self._rows.setdefault(item, len(self._rows) + 1)
        if row >= self._columns.shape[1]:
            self._columns = np.concatenate([self._columns, np.zeros_like(self._columns)], axis=1)
        if stats is None:
            self._columns[:, row] = 0.0
        else:
            self._columns[:, row] = (
                stats.purchases_short,
                stats.purchases_long,
                stats.as_of,
                stats.price or 0.0,
            )

    def read(self, items: list[str]) -> npt.NDArray[np.float64]:
        """[4, n], in the order of the class's description."""
        find = self._rows.get
        return self._columns[:, [find(item, 0) for item in items]]
