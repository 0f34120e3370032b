"""How to choose, given draws of what each action may be worth: by the information it brings, or in proportion.

`information_directed` is variance-based information-directed sampling (Russo, Van Roy 2014, §6): the distribution with
the least (expected regret)² per variance that knowing the best action would take away, among the actions that may be
best. Both are functions of the draws alone, so the probabilities are exact.
"""

from itertools import combinations

import numpy as np

from policies.linalg import Floats


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
    won = (winners[:, None] == best).astype(np.float64)  # [M, A*]
    together = (values[best] - values[0, 0]) @ won  # Σ of a's value over the draws that a* wins, [A*, A*]
    mean = np.add.reduce(together, axis=1) / draws
    gap = np.add.reduce(together.diagonal()) / draws - mean  # Δ(a): expected regret
    # v(a), what knowing a* would take off the variance of a's value: Σ P(a*) E[value of a | a*]² − E[value of a]²
    gain = np.square(together) @ (1.0 / (draws * wins[best])) - mean * mean
    first, second, of_first = least_ratio(gap.tolist(), gain.tolist())
    chosen[best[first]] += of_first
    chosen[best[second]] += 1.0 - of_first
    return chosen


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
        if not front or (gain[at] > gain[front[-1]] and gap[at] > gap[front[-1]]):
            front.append(at)
    return front


def _ratio(gap: float, gain: float) -> float:
    """Where nothing is to be learned, the smallest regret is best."""
    return gap * gap / (gain + 1e-12)
