"""Counts that fade with event time. Exponential decay by half-life; late events count for what is left of them."""

from collections.abc import Iterable
from math import exp, log, log2
from typing import Final

import msgspec

LN2: Final = log(2.0)


class Decayed(msgspec.Struct, array_like=True):
    """A count as of `at` (epoch ms)."""

    value: float = 0.0
    at: int = 0

    def add(self, amount: float, at: int, half_life: float) -> None:
        """Add `amount` at `at`; `half_life` in milliseconds.

        >>> count = Decayed(); count.add(1.0, 1000, 500); count.add(1.0, 1500, 500); count.value
        1.5
        """
        if at >= self.at:
            self.value = self.value * faded(at - self.at, half_life) + amount
            self.at = at
        else:
            self.value += amount * faded(self.at - at, half_life)

    def read(self, now: int, half_life: float) -> float:
        """The count as it stands at `now`."""
        return self.value * faded(max(0, now - self.at), half_life)


def readings(counts: Iterable[Decayed], now: int, half_life: float) -> list[float]:
    """What `Decayed.read` says of each of many."""
    return [count.value * (exp(-LN2 * (now - count.at) / half_life) if now > count.at else 1.0) for count in counts]


def faded(elapsed: float, half_life: float) -> float:
    """What is left of 1 after `elapsed`, in the unit of `half_life`."""
    return exp(-LN2 * elapsed / half_life)


def rank_of(value: float, at: int, half_life: float) -> float:
    """An order of decayed counts that time doesn't change: log₂ of the count carried back to the epoch."""
    return log2(value) + at / half_life if value > 0 else float("-inf")


def highest(ranks: dict[str, float], count: int) -> list[str]:
    """The names of the `count` highest ranks, in the order they stood in; ties go by name."""
    kept = set(sorted(ranks, key=lambda name: (-ranks[name], name))[:count])
    return [name for name in ranks if name in kept]
