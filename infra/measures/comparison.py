"""Sums of what each policy scored on the same cases, and how far Tradewind is ahead of each. Numbers only."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from math import sqrt
from typing import Final

TRADEWIND: Final = "tradewind"
_NONE: Final = (0.0, 0.0)


@dataclass(slots=True)
class Sums:
    """Over judged baskets, by policy; `ahead` holds Tradewind's recall minus the policy's, and its square."""

    baskets: int = 0
    recall: dict[str, float] = field(default_factory=dict[str, float])
    ndcg: dict[str, float] = field(default_factory=dict[str, float])
    ahead: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])

    def add(self, scores: dict[str, tuple[float, float]]) -> None:
        """One basket: recall and nDCG by policy, Tradewind's among them."""
        self.baskets += 1
        mine = scores[TRADEWIND][0]
        for name, (hits, gain) in scores.items():
            self.recall[name] = self.recall.get(name, 0.0) + hits
            self.ndcg[name] = self.ndcg.get(name, 0.0) + gain
            by, squares = self.ahead.get(name, _NONE)
            self.ahead[name] = by + mine - hits, squares + (mine - hits) ** 2

    def plus(self, other: "Sums") -> "Sums":
        names = list(dict.fromkeys([*self.recall, *other.recall]))
        pairs = {name: (self.ahead.get(name, _NONE), other.ahead.get(name, _NONE)) for name in names}
        return Sums(
            self.baskets + other.baskets,
            {name: self.recall.get(name, 0.0) + other.recall.get(name, 0.0) for name in names},
            {name: self.ndcg.get(name, 0.0) + other.ndcg.get(name, 0.0) for name in names},
            {name: (a[0] + b[0], a[1] + b[1]) for name, (a, b) in pairs.items()},
        )

    def recalls(self) -> dict[str, float]:
        return {name: hits / self.baskets for name, hits in self.recall.items()}

    def policies(self) -> dict[str, dict[str, float]]:
        """Means by policy; for the others also how far Tradewind's recall is ahead, and the standard error of that."""
        return {name: self._means(name) for name in self.recall}

    def _means(self, name: str) -> dict[str, float]:
        means = {"recall_at_10": self.recall[name] / self.baskets, "ndcg_at_10": self.ndcg[name] / self.baskets}
        if name == TRADEWIND:
            return means
        by = self.ahead[name][0] / self.baskets
        variance = max(0.0, self.ahead[name][1] / self.baskets - by**2)  # as if baskets were independent
        return {**means, "tradewind_ahead_by": by, "standard_error": sqrt(variance / self.baskets)}


def total(sums: Iterable[Sums]) -> Sums:
    return reduce(Sums.plus, sums, Sums())
