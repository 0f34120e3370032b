"""A reward model of our own, where a log has contexts and no model: ridge regression by action, cross-fitted.

Every action has weights of its own, pulled towards 0 around the mean reward; an action that was rarely logged is so
expected to earn about the mean. Fits are sums: they merge. A row's model was fitted without the fold of its cluster.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from policies.estimators.folds import FOLDS, Regression, folds_of
from policies.estimators.logged import Floats, Hashes, Times

PENALTY: Final = 1.0  # rows' worth, of weights around 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardModel:
    """The sums of a fit on contexts of d numbers, by action."""

    rewards: Floats  # [F, 2] rows and Σ r
    actions: tuple[Regression, ...]  # [A] of 1 + d features

    @classmethod
    def nothing(cls, actions: int, dimension: int) -> "RewardModel":
        return cls(
            rewards=np.zeros((FOLDS, 2)), actions=tuple(Regression.nothing(1 + dimension) for _ in range(actions))
        )

    def add(self, context: Floats, action: Times, reward: Floats, cluster: Hashes) -> "RewardModel":
        """With rows: context [n, d], action [n] in 0 … A − 1, reward [n], cluster [n]."""
        fold, x = folds_of(cluster), _with_one(context)
        counted = np.stack(
            [np.bincount(fold, minlength=FOLDS), np.bincount(fold, weights=reward, minlength=FOLDS)], axis=1
        )
        added = [
            each
            + Regression.of(x[action == a], reward[action == a], np.ones(int((action == a).sum())), fold[action == a])
            if (action == a).any()
            else each
            for a, each in enumerate(self.actions)
        ]
        return replace(self, rewards=self.rewards + counted, actions=tuple(added))

    def __add__(self, other: "RewardModel") -> "RewardModel":
        pairs = zip(self.actions, other.actions, strict=True)
        return RewardModel(rewards=self.rewards + other.rewards, actions=tuple(mine + theirs for mine, theirs in pairs))

    def predict(self, context: Floats, cluster: Hashes) -> Floats:
        """[n, A] q(x, a)."""
        others = self.rewards.sum(axis=0) - self.rewards  # [F, 2]
        mean = others[:, 1] / np.maximum(others[:, 0], 1.0)
        fold, x = folds_of(cluster), _with_one(context)
        found = [(x * _around(each, mean)[fold]).sum(axis=1) for each in self.actions]
        return np.stack(found, axis=1)


def _around(fit: Regression, mean: Floats) -> Floats:
    """[F, 1 + d] weights, pulled towards (mean, 0, …, 0) of the fold."""
    squares, products = fit.squares.sum(axis=0) - fit.squares, fit.products.sum(axis=0) - fit.products
    centre = np.zeros_like(products)
    centre[:, 0] = mean
    ridge = squares + PENALTY * np.eye(products.shape[1])
    found: list[Floats] = [
        centre[f] + np.linalg.solve(ridge[f], products[f] - squares[f] @ centre[f]) for f in range(FOLDS)
    ]
    return np.stack(found)


def _with_one(context: Floats) -> Floats:
    return np.concatenate([np.ones((len(context), 1)), context], axis=1)
