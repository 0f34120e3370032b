"""Shoppers as linear contextual bandits from one population: each has weights of its own, which may change mid-task.

Task i: θᵢ ~ N(m, S), and in each round K actions with features φ ~ N(0, I/d) and reward φ·θᵢ + ε, ε ~ N(0, σ²). The
population itself is drawn from the seed: m ~ N(0, I), S with scales that fall from 1 to 0.1 along random directions, so
that shoppers differ much in a few ways and little in most. With drift, θᵢ is drawn anew at an unknown round between a
quarter and three quarters of the task. The same seed and number give the same task, whoever plays it.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from policies.linalg import Floats

Drift = Literal["none", "midtask"]

NOISE: Final = 1.0  # σ
LARGEST_SCALE: Final = 1.0
SMALLEST_SCALE: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shoppers:
    """One population: θ ~ N(mean, root rootᵀ). `fixed_actions`: the same in all rounds of a task."""

    mean: Floats  # [d]
    root: Floats  # [d, d]
    noise: float  # σ
    rounds: int
    arms: int
    drift: Drift
    seed: int
    fixed_actions: bool = False

    @property
    def dim(self) -> int:
        return len(self.mean)

    @property
    def covariance(self) -> Floats:
        return self.root @ self.root.T

    @property
    def hazard(self) -> float:
        """Changes of the weights per round, on average."""
        return 1.0 / self.rounds if self.drift == "midtask" else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """All rounds of one shopper, drawn at once: what is open, what it is worth on average, and what would be paid."""

    actions: Floats  # [R, K, d]
    expected: Floats  # [R, K]
    rewards: Floats  # [R, K]
    changes_at: int | None

    def regret(self, taken: "list[int]") -> Floats:
        """What each choice fell short of the best, on average over the noise: [R]."""
        rounds = np.arange(len(taken))
        return self.expected[: len(taken)].max(axis=1) - self.expected[rounds, taken]


def population(*, dim: int, arms: int, rounds: int, drift: Drift, seed: int, fixed_actions: bool = False) -> Shoppers:
    """The population of this seed.

    >>> shoppers = population(dim=6, arms=10, rounds=40, drift="none", seed=1)
    >>> task(shoppers, 0).expected.shape
    (40, 10)
    """
    rng = np.random.default_rng([seed, 0])
    directions, _ = np.linalg.qr(rng.normal(size=(dim, dim)))
    return Shoppers(
        mean=rng.normal(size=dim),
        root=directions * np.geomspace(LARGEST_SCALE, SMALLEST_SCALE, dim),
        noise=NOISE,
        rounds=rounds,
        arms=arms,
        drift=drift,
        seed=seed,
        fixed_actions=fixed_actions,
    )


def task(shoppers: Shoppers, number: int) -> Task:
    """The task of this number."""
    rng = np.random.default_rng([shoppers.seed, 1, number])
    rounds, arms, dim = shoppers.rounds, shoppers.arms, shoppers.dim
    weights = shoppers.mean + rng.normal(size=(2, dim)) @ shoppers.root.T  # [2, d]: at first, and after a change
    actions = rng.normal(size=(1 if shoppers.fixed_actions else rounds, arms, dim)) / np.sqrt(dim)
    actions = np.broadcast_to(actions, (rounds, arms, dim))
    noise = shoppers.noise * rng.normal(size=rounds)
    changes_at = int(rng.integers(rounds // 4, 3 * rounds // 4 + 1)) if shoppers.drift == "midtask" else None
    own = np.zeros(rounds, dtype=np.int64)
    if changes_at is not None:
        own[changes_at:] = 1
    expected = np.einsum("rkd,rd->rk", actions, weights[own])
    return Task(actions=actions, expected=expected, rewards=expected + noise[:, None], changes_at=changes_at)
