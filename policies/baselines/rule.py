"""What the plain rules share: refusing what isn't finite, and the distributions that they draw from."""

from math import isfinite

import numpy as np

from policies.bandit.picking import pick
from policies.contract import Choice, Situation, Transition
from policies.linalg import Floats


def refuse_unless_finite(transition: Transition) -> None:
    """Raises ValueError for a transition that nothing should be learned from."""
    before, after = transition.before, transition.after
    seen = [before.actions, before.state, *([] if after is None else [after.actions, after.state])]
    if not (isfinite(transition.reward) and all(np.isfinite(one).all() for one in seen)):
        raise ValueError("a transition to learn from must be finite")


def rows_of(situation: Situation) -> Floats:
    """What a model of values sees of each action: the state, its features, and a one. [A, s + d + 1]."""
    actions, state = situation.actions, situation.state
    return np.concatenate([np.broadcast_to(state, (len(actions), len(state))), actions, np.ones((len(actions), 1))], 1)


def greedy(values: Floats, epsilon: float = 0.0) -> Floats:
    """The highest values share 1 − ε, all share ε: [A] → [A].

    >>> greedy(np.array([0.0, 1.0]), epsilon=0.1)
    array([0.05, 0.95])
    """
    highest = values >= values.max()
    return epsilon / len(values) + (1.0 - epsilon) * highest / highest.sum()


def softmax(preferences: Floats) -> Floats:
    odds = np.exp(preferences - preferences.max())
    return odds / odds.sum()


def drawn(distribution: Floats, seed: int) -> Choice:
    return Choice(action=pick(distribution, seed), distribution=distribution)


def fading(start: float, floor: float, steps: float, half: float) -> float:
    """An exploration rate that halves when `half` steps were made, and falls as one over the steps to its floor."""
    return max(floor, start / (1.0 + steps / half))
