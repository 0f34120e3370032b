"""Gaussian beliefs of many, and the normal that they come from, its mean linear in what is known of each beforehand."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from policies.linalg import Floats
from policies.ratings.table import Numbers

PSEUDO: Final = 3.0  # beliefs that the first guess of a covariance, and of a slope of 0, counts for


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """Gaussian beliefs of many: means [n, D] and covariances [n, D, D]."""

    mean: Floats
    cov: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """What they have in common. `mean` is [D], or [n, D] where something is known of each."""

    mean: Floats
    cov: Floats  # [D, D]


def posterior(prior: Normal, second: Floats, first: Floats) -> Guess:
    """Beliefs given each one's Σ φφᵀ/σ² [n, D, D] and Σ φy/σ² [n, D]."""
    precision = np.linalg.inv(prior.cov)
    cov = np.asarray(np.linalg.inv(precision + second), dtype=np.float64)
    return Guess(mean=(cov @ (prior.mean @ precision + first)[:, :, None])[:, :, 0], cov=cov)


def in_common(guess: Guess, told: Numbers, first: Floats, about: Floats) -> Normal:
    """The normal that those come from of whom `told` [n] is positive; `about` [n, k] is known of all, 1 first.

    `first` [D, D] is a first guess of the covariance.
    """
    seen = told > 0
    shrink = PSEUDO * np.eye(about.shape[1])
    shrink[0, 0] = 0.0
    z = about[seen]
    mean = about @ np.linalg.solve(z.T @ z + shrink, z.T @ guess.mean[seen])
    apart = guess.mean[seen] - mean[seen]
    scatter = guess.cov[seen].sum(axis=0) + apart.T @ apart + PSEUDO * first
    return Normal(mean=mean, cov=np.asarray(scatter / (int(seen.sum()) + PSEUDO), dtype=np.float64))
