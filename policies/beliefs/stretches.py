"""The outcomes of one entity, and the sums of any stretch of them, worked out when they are asked for.

Most stretches are never asked for: of every outcome a hypothesis is born that it was the first of its kind, and nearly
all die young. So an outcome is written down once, whoever counts it, and added up for those that are left.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from policies.linalg import Floats

ROOM: Final = 64  # outcomes that are written down before they have to be folded into sums


class Stretch(NamedTuple):
    """Sums Σaaᵀ [(d + 2)²] with a = (φ, y, 1) of what is folded, and where in `Outcomes.rows` the others lie."""

    folded: Floats
    first: int
    last: int


@dataclass(slots=True)
class Outcomes:
    """The latest outcomes, a row (φ, y, 1) for each of the first `count`: [ROOM, d + 2]."""

    rows: Floats
    count: int = 0

    @classmethod
    def none(cls, dim: int) -> "Outcomes":
        return cls(np.ones((ROOM, dim + 2)))

    @property
    def full(self) -> bool:
        return self.count == ROOM

    def add(self, phi: Floats, y: float) -> None:
        """Raises IndexError where it is full: what is written down has to be folded before."""
        row = self.rows[self.count]
        row[:-2] = phi
        row[-2] = y
        self.count += 1

    def sums(self, stretch: Stretch) -> Floats:
        if stretch.first == stretch.last:
            return stretch.folded
        rows = self.rows[stretch.first : stretch.last]
        return stretch.folded + rows.T.dot(rows).ravel()
