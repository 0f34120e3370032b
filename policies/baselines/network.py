"""A small network of one hidden layer, and Adam (Kingma, Ba 2015), as plain arrays: weights are one flat vector."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from policies.linalg import Floats

HIDDEN: Final = 32


def started(inputs: int, seed: int) -> Floats:
    """Weights to start from, [inputs · HIDDEN + HIDDEN]; the inputs bring their own constant one.

    The outputs are small, so that at first all actions are worth about the same.
    """
    rng = np.random.default_rng(seed)
    first = rng.normal(size=inputs * HIDDEN) / np.sqrt(inputs)
    return np.concatenate([first, 0.1 * rng.normal(size=HIDDEN) / np.sqrt(HIDDEN)])


def forward(weights: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Outputs [B] and hidden units [B, HIDDEN] at x [B, inputs]."""
    first, second = weights[:-HIDDEN].reshape(-1, HIDDEN), weights[-HIDDEN:]
    hidden = np.tanh(x @ first)
    return hidden @ second, hidden


def backward(weights: Floats, x: Floats, hidden: Floats, slope: Floats) -> Floats:
    """Σ_b slope[b] ∂output[b]/∂weights, flat."""
    into = slope[:, None] * weights[-HIDDEN:] * (1.0 - hidden * hidden)  # [B, HIDDEN]
    return np.concatenate([(x.T @ into).ravel(), hidden.T @ slope])


@dataclass(slots=True)
class Adam:
    """Weights, and the moments of their gradients."""

    weights: Floats
    rate: float
    steps: int = 0
    first: Floats = field(init=False)
    second: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.first, self.second = np.zeros_like(self.weights), np.zeros_like(self.weights)

    def step(self, gradient: Floats) -> None:
        """One step down this gradient."""
        self.steps += 1
        self.first = 0.9 * self.first + 0.1 * gradient
        self.second = 0.999 * self.second + 0.001 * gradient * gradient
        mean, power = self.first / (1.0 - 0.9**self.steps), self.second / (1.0 - 0.999**self.steps)
        self.weights = self.weights - self.rate * mean / (np.sqrt(power) + 1e-8)

    def arrays(self) -> dict[str, Floats]:
        return {
            "weights": self.weights,
            "moments": np.stack([self.first, self.second]),
            "adam": np.array([float(self.steps)]),
        }

    def with_arrays(self, arrays: Mapping[str, Floats]) -> "Adam":
        found = Adam(arrays["weights"].copy(), self.rate, int(arrays["adam"][0]))
        found.first, found.second = arrays["moments"].copy()
        return found
