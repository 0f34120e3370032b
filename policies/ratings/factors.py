"""How many factors of taste a set of ratings bears out: the count that predicts some of its own users best."""

from collections.abc import Callable
from typing import Final

import numpy as np

from policies.linalg import Floats
from policies.ratings.regression import Numbers, RatingModel, Ratings, fit

FACTORS: Final = (0, 2, 4)
TRIAL_ROUNDS: Final = 10
ROUNDS: Final = 20
APART: Final = 0.2  # the share of users that the count is chosen by
FEWEST: Final = 10  # users, below which nothing is chosen: there is a bias, and no factor

Tell = Callable[[str], None]


def train(given: Ratings, *, items: int, shots: tuple[int, ...], seed: int, tell: Tell) -> RatingModel:
    """Choose the number of factors, then learn from all users in `given`, which must be in order of time."""
    users = int(given.user.max()) + 1
    factors = _choose(given, items, shots, seed, tell) if users >= FEWEST else 0
    tell(f"learning items and users' prior with {factors} factors from {len(given.rating)} ratings")
    return fit(given, items=items, factors=factors, rng=np.random.default_rng([seed, 1]), rounds=ROUNDS)


def _choose(given: Ratings, items: int, shots: tuple[int, ...], seed: int, tell: Tell) -> int:
    users = int(given.user.max()) + 1
    apart = np.random.default_rng([seed, 2]).permutation(users)[: max(1, round(APART * users))]
    left, judged = without(given, apart)
    tried: dict[int, float] = {}
    for factors in FACTORS:
        rng = np.random.default_rng([seed, 3])
        model = fit(left, items=items, factors=factors, rng=rng, rounds=TRIAL_ROUNDS)
        found = [rmse(model.adapt, model.predict, judged, known) for known in shots]
        tried[factors] = float(np.mean([x for x in found if x is not None] or [0.0]))
        tell(f"{factors} factors: RMSE {tried[factors]:.4f} on users set apart")
    return min(tried, key=lambda factors: tried[factors])


def without(given: Ratings, users: Numbers) -> tuple[Ratings, list[tuple[Numbers, Floats]]]:
    """The ratings of all others, renumbered, and for each of `users` the items and ratings in the order given."""
    gone = np.isin(given.user, users)
    kept = Ratings(
        user=np.unique(given.user[~gone], return_inverse=True)[1].astype(np.int64),
        item=given.item[~gone],
        rating=given.rating[~gone],
    )
    order = np.flatnonzero(gone)[np.argsort(given.user[gone], kind="stable")]
    starts = np.flatnonzero(np.diff(given.user[order])) + 1
    return kept, [(given.item[rows], given.rating[rows]) for rows in np.split(order, starts)]


def rmse(
    adapt: Callable[[Numbers, Floats], Floats],
    predict: Callable[[Floats, Numbers], Floats],
    judged: list[tuple[Numbers, Floats]],
    shots: int,
) -> float | None:
    """Root mean squared error over all ratings after each user's first `shots`; None where there are none."""
    squares = [
        (predict(adapt(item[:shots], rating[:shots]), item[shots:]) - rating[shots:]) ** 2
        for item, rating in judged
        if len(rating) > shots
    ]
    return float(np.sqrt(np.concatenate(squares).mean())) if squares else None
