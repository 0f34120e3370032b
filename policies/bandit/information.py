"""How to choose, given draws of what each action may be worth: by the information it brings, or in proportion.

`information_directed` is variance-based information-directed sampling (Russo, Van Roy 2014, §6): the distribution with
the least (expected regret)² per variance that knowing the best action would take away, among the actions that may be
best. Both are functions of the draws alone, so the probabilities are exact.
"""

from functools import cache
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from policies.linalg import Floats

FEW: Final = 64  # actions

Ints = npt.NDArray[np.intp]


def thompson(values: Floats) -> Floats:
    """The share of draws in which each action is best: values [A, M] → [A]."""
    return np.bincount(values.argmax(axis=0), minlength=len(values)) / values.shape[1]


def information_directed(values: Floats) -> Floats:
    """The distribution [A] over at most two actions with the least information ratio: values [A, M].

    >>> information_directed(np.array([[1.0, 1.0], [0.0, 0.0]]))  # whatever is drawn, the first is best
    array([1., 0.])
    """
    draws = values.shape[1]
    chosen = np.zeros(len(values))
    winners = values.argmax(axis=0)
    wins = np.bincount(winners, minlength=len(values))
    best = wins.nonzero()[0]
    if len(best) == 1:
        chosen[best[0]] = 1.0
        return chosen
    likely = values.take(best, axis=0)
    likely -= likely.item(0)
    together = likely.dot(_won(winners, best, len(values)))  # Σ of a's value over the draws that a* wins, [A*, A*]
    gap, gain = _gap_and_gain(together.tolist(), wins.take(best).tolist(), draws)
    first, second, of_first = least_ratio(gap, gain)
    chosen[best[first]] = of_first
    chosen[best[second]] += 1.0 - of_first
    return chosen


def _won(winners: Ints, best: Ints, actions: int) -> Floats:
    """1 where a draw was won by an action, of those that won any: [M, A*]."""
    if actions > FEW:
        return np.equal(winners[:, None], best).astype(np.float64)
    return _identity(actions).take(best, axis=0).take(winners, axis=1).T  # faster, but square in the actions


@cache
def _identity(size: int) -> Floats:
    return np.eye(size)


def _gap_and_gain(together: list[list[float]], wins: list[int], draws: int) -> tuple[list[float], list[float]]:
    """Δ(a), expected regret, and v(a), what knowing a* would take off the variance of a's value:
    Σ P(a*) E[value of a | a*]² − E[value of a]². Plain numbers: few actions are ever likely to be best.
    """
    means: list[float] = []
    gain: list[float] = []
    highest, shares = 0.0, [1.0 / won for won in wins]
    for place, row in enumerate(together):
        highest += row[place]
        mean = sum(row) / draws
        means.append(mean)
        explained = [one * one * share for one, share in zip(row, shares, strict=True)]
        gain.append(sum(explained) / draws - mean * mean)
    return [highest / draws - mean for mean in means], gain


def least_ratio(gap: list[float], gain: list[float]) -> tuple[int, int, float]:
    """The i, j and q that minimise (qΔᵢ + (1−q)Δⱼ)² / (qvᵢ + (1−q)vⱼ). Gaps Δ ≥ 0, gains v ≥ 0.

    >>> least_ratio([0.25, 0.75], [0.0, 1.0])  # a little regret brings nothing: mix in some of what does
    (1, 0, 0.5)
    """
    front = _front(gap, gain)
    found = (front[0], front[0], 1.0)
    least = _ratio(gap[front[0]], gain[front[0]])
    for j, i in combinations(front, 2):
        steps, rises = gap[i] - gap[j], gain[i] - gain[j]  # both positive on the front
        share = gap[j] / steps - 2.0 * gain[j] / rises  # the ratio is convex in q: where its slope is zero
        share = min(1.0, max(0.0, share))
        ratio = _ratio(gap[j] + share * steps, gain[j] + share * rises)
        if ratio < least:
            found, least = (i, j, share), ratio
    return found


def _front(gap: list[float], gain: list[float]) -> list[int]:
    """Those than which no other has both a smaller gap and a larger gain, by rising gap."""
    front: list[int] = []
    for at in sorted(range(len(gap)), key=gap.__getitem__):
        if not front:
            front.append(at)
        elif gain[at] > gain[front[-1]]:
            if gap[at] == gap[front[-1]]:
                front.pop()
            front.append(at)
    return front


def _ratio(gap: float, gain: float) -> float:
    """Where nothing is to be learned, the smallest regret is best."""
    return gap * gap / (gain + 1e-12)
