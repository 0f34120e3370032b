"""Counts by item that fade with event time, and the highest of them. The baselines' only state; times in epoch ms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Final

_FAR: Final = 400.0  # half-lives from the origin at which the weights are brought back to it


@dataclass(slots=True)
class Clock:
    """Weights of one half-life (ms): an event weighs 2^((at − origin) / half_life), so that no sum has to be aged."""

    half_life: float
    origin: int | None = None

    def weight(self, at: int) -> float:
        if self.origin is None:
            self.origin = at
        return 2.0 ** min((at - self.origin) / self.half_life, 1_000.0)

    def is_far(self, at: int) -> bool:
        return self.origin is not None and at - self.origin > _FAR * self.half_life


@dataclass(slots=True)
class FadingCounts:
    """Decayed counts by item over a whole stream, with the highest `size` of them always at hand.

    Weights only rise between two rebasings, so whatever fell below the lowest of the top comes back only by a new
    event: the top is exact.
    """

    half_life: float
    size: int = 24
    weights: dict[str, float] = field(default_factory=dict[str, float])
    total: float = 0.0
    _clock: Clock = field(init=False)
    _top: dict[str, float] = field(default_factory=dict[str, float])
    _floor: float = 0.0
    _sorted: list[str] | None = None

    def __post_init__(self) -> None:
        self._clock = Clock(self.half_life)

    def add(self, item: str, at: int) -> None:
        if self._clock.is_far(at):
            self._rebase(at)
        weight = self._clock.weight(at)
        now = self.weights[item] = self.weights.get(item, 0.0) + weight
        self.total += weight
        if now > self._floor or item in self._top:
            self._top[item] = now
            self._sorted = None
            if len(self._top) > 2 * self.size:
                self._prune()

    def share(self, item: str) -> float:
        """The item's part of all that was counted, decayed: it does not depend on when one asks."""
        return self.weights.get(item, 0.0) / self.total if self.total > 0 else 0.0

    def top(self) -> list[str]:
        """The highest `size` items, highest first; ties by item id."""
        if self._sorted is None:
            self._sorted = highest(self._top, self.size)
        return self._sorted

    def _prune(self) -> None:
        self._top = {item: self._top[item] for item in highest(self._top, self.size)}
        self._floor = min(self._top.values())

    def _rebase(self, at: int) -> None:
        scale = 1.0 / self._clock.weight(at)
        self._clock.origin = at
        self.weights = {item: kept for item, weight in self.weights.items() if (kept := weight * scale) > 1e-30}
        self.total = sum(self.weights.values())
        self._top, self._floor = dict(self.weights), 0.0
        self._sorted = None


def highest(scores: Mapping[str, float], k: int, then: Mapping[str, float] | None = None) -> list[str]:
    """The k items of the highest score, highest first; ties by what comes `then`, and by item id.

    >>> highest({"b": 1.0, "a": 1.0, "c": 2.0}, 2), highest({"b": 1.0, "a": 1.0, "c": 2.0}, 2, then={"b": 0.5})
    (['c', 'a'], ['c', 'b'])
    """
    if k <= 0:
        return []
    if len(scores) > 4 * k:  # a plain cut first: building tuples for every item is what costs
        bar = nlargest(k, scores.values())[-1]
        scores = {item: score for item, score in scores.items() if score >= bar}
    after = then or {}
    return sorted(scores, key=lambda item: (-scores[item], -after.get(item, 0.0), item))[:k]
