"""MAML and Reptile over the same item features: a learned start, from which a new user's weights take gradient steps.

MAML: Finn, Abbeel & Levine 2017, one inner step, exact outer gradient (the model is linear, so it is closed), the inner
rate learned too. Reptile: Nichol, Achiam & Schulman 2018.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from policies.linalg import Floats
from policies.ratings.regression import RatingModel
from policies.ratings.table import Numbers, Ratings

EPOCHS: Final = 5  # passes over the users
SHOTS: Final = 20  # at most so many ratings in an inner set
OUTER: Final = 0.05
RATE: Final = 0.1  # of the inner step; of MAML's, where it starts
STEPS: Final = 5  # of Reptile's inner descent


@dataclass(frozen=True, slots=True, kw_only=True)
class Descent:
    """Weights by `steps` gradient steps of `rate` on the mean squared error, from `start`."""

    model: RatingModel
    start: Floats  # [1 + F]
    rate: float
    steps: int

    def adapt(self, item: Numbers, rating: Floats) -> Floats:
        phi, y = _as_regression(self.model, item, rating)
        return self.descend(phi, y)

    def descend(self, phi: Floats, y: Floats) -> Floats:
        theta = self.start
        for _ in range(self.steps if len(y) else 0):
            slope: Floats = phi.T @ (phi @ theta - y) / len(y)
            theta = theta - self.rate * slope
        return theta

    def predict(self, theta: Floats, item: Numbers) -> Floats:
        return self.model.rated(float(theta[0]), theta[1:], item)


def maml(model: RatingModel, given: Ratings, rng: np.random.Generator) -> Descent:
    """Meta-learn start and rate over the users in `given`."""
    found = Descent(model=model, start=np.zeros(1 + model.factors), rate=RATE, steps=1)
    for phi, y, shots in _tasks(model, given, rng):
        x, after = phi[:shots], phi[shots:]
        slope: Floats = x.T @ (x @ found.start - y[:shots]) / shots
        error = after @ (found.start - found.rate * slope) - y[shots:]
        outer: Floats = after.T @ error / len(error)
        rate = found.rate + OUTER * 0.1 * float(np.clip(slope @ outer, -1.0, 1.0))
        start: Floats = found.start - OUTER * (outer - found.rate * (x.T @ (x @ outer)) / shots)
        found = replace(found, start=start, rate=min(1.0, max(0.0, rate)))
    return found


def reptile(model: RatingModel, given: Ratings, rng: np.random.Generator) -> Descent:
    """Meta-learn the start over the users in `given`."""
    found = Descent(model=model, start=np.zeros(1 + model.factors), rate=RATE, steps=STEPS)
    for phi, y, _ in _tasks(model, given, rng):
        found = replace(found, start=found.start + OUTER * (found.descend(phi, y) - found.start))
    return found


def _tasks(model: RatingModel, given: Ratings, rng: np.random.Generator) -> list[tuple[Floats, Floats, int]]:
    """Users in random order, some passes of them: features, ratings, and how many of them come first."""
    order = np.argsort(given.user, kind="stable")
    ends: list[int] = np.cumsum(np.bincount(given.user)).tolist()
    rows: list[Numbers] = [order[start:end] for start, end in pairwise([0, *ends]) if end - start > 1]
    found: list[tuple[Floats, Floats, int]] = []
    for _ in range(EPOCHS):
        for place in rng.permutation(len(rows)).tolist():
            mine = rows[int(place)]
            row = mine[rng.permutation(len(mine))]
            phi, y = _as_regression(model, given.item[row], given.rating[row])
            found.append((phi, y, int(rng.integers(1, min(SHOTS, len(row) - 1) + 1))))
    return found


def _as_regression(model: RatingModel, item: Numbers, rating: Floats) -> tuple[Floats, Floats]:
    known = model.items.mean[item]
    phi = np.concatenate([np.ones((len(item), 1)), known[:, 1:]], axis=1)
    return phi, (rating - model.centre) / model.scale - known[:, 0]
