"""River's online statistics, made to be put away and taken up again as plain values. No pickle, no event."""

from collections.abc import Callable
from math import inf
from typing import Any, Final, Protocol

from river import stats

# River has no public way to put a statistic away without pickle: `_inside` is where this file reaches for its state.

Stored = list[Any]  # numbers and bytes only: what msgpack carries


class Statistic(Protocol):
    """One online statistic of a scalar. `load(dump())` gives back exactly the same statistic."""

    def update(self, x: float, /) -> None: ...
    def read(self) -> float: ...
    def dump(self) -> Stored: ...
    def load(self, stored: Stored) -> None: ...


class Count:
    """How many values there were."""

    def __init__(self) -> None:
        self._n = stats.Count()

    def update(self, x: float) -> None:
        self._n.update(x)

    def read(self) -> float:
        return float(self._n.get())

    def dump(self) -> Stored:
        return [self._n.n]

    def load(self, stored: Stored) -> None:
        (self._n.n,) = stored


class Mean:
    """The mean of all values."""

    def __init__(self) -> None:
        self._mean = stats.Mean()

    def update(self, x: float) -> None:
        self._mean.update(x)

    def read(self) -> float:
        return float(self._mean.get())

    def dump(self) -> Stored:
        return [self._mean.n, self._mean.get()]

    def load(self, stored: Stored) -> None:
        self._mean = _mean(*stored)


class EWMean:
    """The exponentially weighted mean; `weight` is the share of the newest value."""

    def __init__(self, weight: float) -> None:
        self._core = _EW_MEAN(weight)
        self.update: Callable[[float], None] = self._core.update
        self.read: Callable[[], float] = self._core.get

    def dump(self) -> Stored:
        return [self._core.__getstate__()]

    def load(self, stored: Stored) -> None:
        self._core.__setstate__(*stored)


class EWVar:
    """The exponentially weighted variance; `weight` is the share of the newest value."""

    def __init__(self, weight: float) -> None:
        self._core = _EW_VAR(weight)
        self.update: Callable[[float], None] = self._core.update
        self.read: Callable[[], float] = self._core.get

    def dump(self) -> Stored:
        return [self._core.__getstate__()]

    def load(self, stored: Stored) -> None:
        self._core.__setstate__(*stored)


class Trend:
    """A fast exponentially weighted mean less a slow one: above 0 while the values rise."""

    def __init__(self, fast: float, slow: float) -> None:
        self._fast, self._slow = EWMean(fast), EWMean(slow)

    def update(self, x: float) -> None:
        self._fast.update(x)
        self._slow.update(x)

    def read(self) -> float:
        return self._fast.read() - self._slow.read()

    def dump(self) -> Stored:
        return self._fast.dump() + self._slow.dump()

    def load(self, stored: Stored) -> None:
        self._fast.load(stored[:1])
        self._slow.load(stored[1:])


class Drift:
    """How often the level has changed, by the Page–Hinkley test on both sides (Page 1954; Gama et al. 2014, §4.3).

    `threshold` is how far the sum of deviations from the running mean may go from its extreme before that is a change.
    River has this test too; to import it there takes as long as half of a worker's start.
    """

    _TOLERATED: Final = 0.005  # a deviation this small is none
    _FADING: Final = 0.9999
    _AT_LEAST: Final = 30  # values before a change can be told

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._changes = 0
        self._begin()

    def _begin(self) -> None:
        self._n, self._mean = 0.0, 0.0
        self._up = self._down = 0.0
        self._least, self._most = inf, -inf

    def update(self, x: float) -> None:
        self._n += 1.0
        self._mean += (x - self._mean) / self._n
        deviation = x - self._mean
        self._up = up = self._FADING * self._up + deviation - self._TOLERATED
        self._down = down = self._FADING * self._down + deviation + self._TOLERATED
        self._least = min(self._least, up)
        self._most = max(self._most, down)
        far = up - self._least > self._threshold or self._most - down > self._threshold
        if far and self._n >= self._AT_LEAST:
            self._changes += 1
            self._begin()

    def read(self) -> float:
        return float(self._changes)

    def dump(self) -> Stored:
        return [self._changes, self._n, self._mean, self._up, self._down, self._least, self._most]

    def load(self, stored: Stored) -> None:
        self._changes, self._n, self._mean, self._up, self._down, self._least, self._most = stored


def _inside(statistic: object, name: str) -> Any:
    return getattr(statistic, name)


# River's compiled statistics within their Python faces: those can give and take their state as bytes.
_EW_MEAN: Final = _inside(stats.EWMean(), "_ewmean").__class__
_EW_VAR: Final = _inside(stats.EWVar(), "_ewvar").__class__


def _mean(n: float, mean: float) -> stats.Mean:
    made = stats.Mean()
    made.n = n
    setattr(made, "_mean", mean)
    return made


def ew_mean(last: float) -> Callable[[], Statistic]:
    """The mean over about the last `last` values."""
    return lambda: EWMean(2.0 / (last + 1.0))


def ew_var(last: float) -> Callable[[], Statistic]:
    """The variance over about the last `last` values."""
    return lambda: EWVar(2.0 / (last + 1.0))


def trend(fast: float, slow: float) -> Callable[[], Statistic]:
    """The mean over about the last `fast` values less that over the last `slow`."""
    return lambda: Trend(2.0 / (fast + 1.0), 2.0 / (slow + 1.0))


def changes(threshold: float) -> Callable[[], Statistic]:
    """How many changes of level Page–Hinkley has found."""
    return lambda: Drift(threshold)
