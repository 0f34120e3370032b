"""Medians, spreads and ratios of repeated measurements. Numbers in, numbers out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The median of some repeats, and the least and greatest of them."""

    median: float
    low: float
    high: float
    repeats: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Raises ValueError where there is none.

        >>> Spread.of([3.0, 1.0, 2.0])
        Spread(median=2.0, low=1.0, high=3.0, repeats=3)
        """
        found = list(values)
        if not found:
            raise ValueError("nothing was measured")
        return cls(median=median(found), low=min(found), high=max(found), repeats=len(found))

    def text(self, form: str = ".1f", unit: str = "") -> str:
        """The median, and the span in brackets.

        >>> Spread.of([1.0, 2.5]).text(unit=" ms")
        '1.8 ms (1.0–2.5)'
        """
        return f"{self.median:{form}}{unit} ({self.low:{form}}–{self.high:{form}})"


def ratios(rounds: Sequence[Mapping[str, float]], one: str, other: str) -> list[float]:
    """`one` over `other` within each round that has both: what else the machine did in it touched both.

    >>> ratios([{"a": 6.0, "b": 2.0}, {"a": 5.0}, {"a": 4.0, "b": 2.0}], "a", "b")
    [3.0, 2.0]
    """
    return [each[one] / each[other] for each in rounds if one in each and other in each]


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least this share of them doesn't exceed (the nearest rank).

    >>> percentile([4.0, 1.0, 3.0, 2.0], 0.5)
    2.0
    """
    found = sorted(values)
    return found[max(0, -(-int(share * 1e9) * len(found) // 1_000_000_000) - 1)]
