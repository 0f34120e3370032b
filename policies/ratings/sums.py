"""Sums over groups of ratings, in bounded memory."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from policies.linalg import Floats

Numbers = npt.NDArray[np.int64]

AT_ONCE: Final = 100_000  # ratings


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Rows in the order of their group."""

    order: Numbers  # [N] rows, those of a group together
    group: Numbers  # [N] the group of each of `order`
    counts: Numbers  # [n]

    @classmethod
    def of(cls, group: Numbers, groups: int) -> "Grouping":
        order = np.argsort(group, kind="stable")
        return cls(order=order, group=group[order], counts=np.bincount(group, minlength=groups))

    def sums(self, terms: Callable[[Numbers], Floats]) -> Floats:
        """[n, k] Σ over each group of the terms [len(rows), k] that `terms` gives for rows.

        >>> by = Grouping.of(np.array([1, 0, 1]), 3)
        >>> by.sums(lambda rows: np.array([[1.0], [2.0], [4.0]])[rows])[:, 0].tolist()
        [2.0, 5.0, 0.0]
        """
        parts = [self._part(start, terms) for start in range(0, len(self.order), AT_ONCE)]
        total = np.zeros((len(self.counts), parts[0][1].shape[1]))
        for groups, sums in parts:
            total[groups] += sums
        return total

    def _part(self, start: int, terms: Callable[[Numbers], Floats]) -> tuple[Numbers, Floats]:
        group = self.group[start : start + AT_ONCE]
        firsts = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
        return group[firsts], np.add.reduceat(terms(self.order[start : start + AT_ONCE]), firsts, axis=0)


def outer(x: Floats) -> Floats:
    """[N, d] → [N, d, d] of x xᵀ."""
    return x[:, :, None] * x[:, None, :]
