"""Empirical-likelihood intervals that know that weights are 1 on average, and that larger ones can come.

Karampatziakis, Langford and Mineiro, Empirical likelihood for contextual bandits, 2020; Owen, Empirical likelihood,
2001. An interval holds the values v for which some reweighting of the log, not too unlikely, has mean value v *and*
mean weight 1. That second condition makes it narrower than a normal interval where weights vary, and it needs no
symmetry, so that it also covers where they are heavy-tailed. Two atoms of little likelihood, at the largest weight with
a low and a high reward, stand for what the log happened not to show.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from policies.estimators.logged import Floats

ATOM: Final = 0.1  # likelihood of an atom, in rows
_STEPS: Final = 60
_EXACT: Final = 1e-4  # of the log-likelihood ratio, at an end
ROUNDING: Final = 1e-9  # of a weight
_FAR: Final = 25.0  # times the ratio of an end: how far out it is needn't be known better


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What is reweighted: rows, or sums of a few rows each, and the atoms."""

    x: Floats  # [m] Σ (value − centre) of a point's rows
    control: Floats  # [m] Σ (w − 1)
    rows: Floats  # [m] how many rows
    mass: Floats  # [m] 1; less for atoms


class _Side(NamedTuple):
    first: Floats  # [m]
    second: Floats
    mass: Floats
    floor: float  # below it the logarithm goes on as a parabola (Owen 2001, 12.3)


def interval(points: Points, critical: float) -> tuple[float, float]:
    """The ends of {v: −2 log R(v) ≤ critical}, relative to the centre. `critical` is a quantile of F(1, ·)."""
    scale_x, c = _scale(points.x), _control(points)
    floor = 0.5 / float(points.mass.sum())
    free, tilt = _profile(c, points.mass, floor)
    share = points.mass / np.maximum(1 + tilt * c, floor)
    middle = float((share * points.x).sum() / max((share * points.rows).sum(), 1e-300))
    start = _spread(points.x - middle * points.rows, c, points.mass) / float((points.mass * points.rows).sum())
    ends: list[float] = []
    for sign in (-1.0, 1.0):
        search = _Search(points, c, scale_x, floor)
        ends.append(middle + sign * search.reach(middle, sign, max(2 * start, 1e-15 * scale_x), free + critical, free))
    return ends[0], ends[1]


def _control(points: Points) -> Floats:
    """The weights less 1, scaled; nothing where they are off by rounding only, which tells nothing of the rewards.

    Nor where all lie on one side of 0: then no reweighting has a mean weight of 1, and none can be asked for.
    """
    told = points.control
    scale = _scale(told)
    tells = scale > ROUNDING * _scale(points.rows) and told.min() < 0.0 < told.max()
    return told / scale if tells else np.zeros_like(told)


def _scale(x: Floats) -> float:
    size = float(np.sqrt(np.mean(x * x)))
    return size if size > 0 else 1.0


def _spread(y: Floats, c: Floats, mass: Floats) -> float:
    """The standard deviation of Σ y once its regression on c is taken out."""
    square = float((mass * c * c).sum())
    rest = y - c * (float((mass * c * y).sum()) / square if square > 0 else 0.0)
    return float(np.sqrt((mass * rest * rest).sum()))


class _Search:
    """Looks for the end of the interval on one side, with the dual variables of the last value as a start."""

    def __init__(self, points: Points, c: Floats, scale: float, floor: float) -> None:
        self._points, self._c, self._scale, self._floor = points, c, scale, floor
        self._dual = np.zeros(2)

    def reach(self, middle: float, sign: float, step: float, wanted: float, free: float) -> float:
        """How far from `middle` the likelihood ratio is `wanted`; it is `free` there, and grows about as a square."""
        low, high = 0.0, np.inf
        for _ in range(_STEPS):
            found, dual = self._ratio(middle + sign * step, free + _FAR * (wanted - free))
            if abs(found - wanted) < _EXACT or high - low < 1e-9 * step:
                break
            if found < wanted:
                low, self._dual = step, dual
            else:
                high = step
            guess = step * float(np.sqrt((wanted - free) / (found - free))) if found > free else 2 * step
            step = _between(guess, low, high)
        return step

    def _ratio(self, value: float, enough: float) -> tuple[float, Floats]:
        h = (self._points.x - value * self._points.rows) / self._scale
        return _dual(_Side(h, self._c, self._points.mass, self._floor), self._dual, enough)


def _between(guess: float, low: float, high: float) -> float:
    if not np.isfinite(high):
        return min(max(guess, 1.1 * low), 4 * low) if low > 0 else guess
    return guess if low < guess < high else (low + high) / 2


def _logs(z: Floats, side: _Side) -> tuple[float, Floats, Floats]:
    """Σ mass·log z, with its slopes and curvatures by point; below the floor a parabola, defined everywhere."""
    under = z < side.floor
    safe = np.where(under, 1.0, z)
    e = side.floor
    logs = np.where(under, np.log(e) - 1.5 + 2 * z / e - z * z / (2 * e * e), np.log(safe))
    slopes = np.where(under, 2 / e - z / (e * e), 1 / safe)
    bends = np.where(under, 1 / (e * e), 1 / (safe * safe))
    return float((side.mass * logs).sum()), side.mass * slopes, side.mass * bends


def _dual(side: _Side, start: Floats, enough: float = np.inf) -> tuple[float, Floats]:
    """2 max_λ Σ mass·log(1 + λ₁ first + λ₂ second), and λ: Newton's method, with halved steps.

    It ends where `enough` is passed: at a value that no reweighting has, there is no maximum.
    """
    dual = start
    best, slopes, bends = _logs(1 + dual[0] * side.first + dual[1] * side.second, side)
    for _ in range(_STEPS):
        step, gain = _newton(side, slopes, bends)
        if not gain > 1e-10 or 2 * best > enough:
            break
        for _ in range(40):
            tried = _logs(1 + (dual[0] + step[0]) * side.first + (dual[1] + step[1]) * side.second, side)
            if tried[0] > best:
                break
            step = step / 2
        else:
            break
        dual = dual + step
        best, slopes, bends = tried
    return 2 * best, dual


def _newton(side: _Side, slopes: Floats, bends: Floats) -> tuple[Floats, float]:
    """The step in λ, and what it gains by the slopes."""
    g0, g1 = float((slopes * side.first).sum()), float((slopes * side.second).sum())
    a, b = float((bends * side.first**2).sum()), float((bends * side.first * side.second).sum())
    d = float((bends * side.second**2).sum())
    a, d = a * (1 + 1e-10) + 1e-300, d * (1 + 1e-10) + 1e-300
    determinant = a * d - b * b
    step = np.array([(d * g0 - b * g1), (a * g1 - b * g0)]) / determinant if determinant > 0 else np.array([g0 / a, 0])
    return step, float(g0 * step[0] + g1 * step[1])


def _profile(c: Floats, mass: Floats, floor: float) -> tuple[float, float]:
    """The same where only the mean weight is asked to be 1."""
    found, dual = _dual(_Side(np.zeros(len(c)), c, mass, floor), np.zeros(2))
    return found, float(dual[1])
