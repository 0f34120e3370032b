"""How many factors of taste a set of ratings bears out, how far to trust a few of them, and whether to heed what users
choose to rate: what predicts some of its own users best. Then some fits from different starts, whose predictions are
averaged."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np

from policies.linalg import Floats
from policies.ratings.regression import RatingModel, fit
from policies.ratings.table import Numbers, Ratings

FACTORS: Final = (0, 2, 4)
CAUTION: Final = (1.0, 1.3, 1.7)
TRIAL_ROUNDS: Final = 10
ROUNDS: Final = 15
MEMBERS: Final = 3
TRIALS: Final = 2  # on groups of users set apart in turn: one group is too few to choose by
APART: Final = 0.2  # the share of users in such a group
FEWEST: Final = 10  # users, below which nothing is chosen: there is a bias, and no factor

Tell = Callable[[str], None]
Judged = list[tuple[Numbers, Floats]]  # of each user, items and ratings, oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is chosen by prediction, since the likelihood of all ratings says little of the first few."""

    factors: int = 0
    caution: float = 1.0
    heeds_choices: bool = False

    def of(self, model: RatingModel) -> RatingModel:
        return replace(model, caution=self.caution, choices=model.choices if self.heeds_choices else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingModels:
    """Some fits of the same ratings. Where EM ends depends on where it starts; the mean of several errs less."""

    members: tuple[RatingModel, ...]

    def adapt(self, item: Numbers, rating: Floats) -> Floats:
        """[members, 1 + 2D, D]"""
        return np.stack([member.adapt(item, rating) for member in self.members])

    def predict(self, belief: Floats, item: Numbers) -> Floats:
        told = [member.predict(one, item) for member, one in zip(self.members, belief, strict=True)]
        return np.asarray(np.mean(told, axis=0), dtype=np.float64)

    def flat(self) -> "RatingModels":
        """The same items, and for users a prior that knows nothing of them."""
        return RatingModels(members=tuple(member.flat() for member in self.members))


def train(given: Ratings, *, items: int, shots: tuple[int, ...], seed: int, tell: Tell) -> RatingModels:
    """Choose the setting, then learn from all users in `given`, which must be in order of time."""
    users = int(given.user.max()) + 1
    best = _choose(given, items, shots, seed, tell) if users >= FEWEST else Setting()
    tell(f"learning items and users' prior with {best.factors} factors from {len(given.rating)} ratings")
    starts = range(MEMBERS if best.factors else 1)  # without factors all starts end in the same place
    rngs = [np.random.default_rng([seed, 1, start]) for start in starts]
    found = [fit(given, items=items, factors=best.factors, rng=rng, rounds=ROUNDS, told=max(shots)) for rng in rngs]
    return RatingModels(members=tuple(best.of(one) for one in found))


def _choose(given: Ratings, items: int, shots: tuple[int, ...], seed: int, tell: Tell) -> Setting:
    users = int(given.user.max()) + 1
    order = np.random.default_rng([seed, 2]).permutation(users)
    size = max(1, round(APART * users))
    trials = [without(given, order[trial * size : (trial + 1) * size]) for trial in range(TRIALS)]
    tried: dict[Setting, float] = {}
    for factors in FACTORS:
        settings = [Setting(factors=factors, caution=x, heeds_choices=y) for x, y in product(CAUTION, (False, True))]
        found = np.zeros(len(settings))
        for left, judged in trials:
            rng = np.random.default_rng([seed, 3])
            plain = fit(left, items=items, factors=factors, rng=rng, rounds=TRIAL_ROUNDS, told=max(shots))
            found += [_error(setting.of(plain), judged, shots) / TRIALS for setting in settings]
        tried |= dict(zip(settings, found.tolist(), strict=True))
        tell(f"{factors} factors: RMSE {found.min():.4f} on users set apart")
    return min(tried, key=lambda setting: tried[setting])


def _error(model: RatingModel, judged: Judged, shots: tuple[int, ...]) -> float:
    """RMSE, the mean over the shots that any of these users was judged after."""
    found = [rmse(model.adapt, model.predict, judged, known, shots) for known in shots]
    return float(np.mean([x for x in found if x is not None] or [0.0]))


def without(given: Ratings, users: Numbers) -> tuple[Ratings, Judged]:
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


def judged_from(count: int, shots: tuple[int, ...]) -> int:
    """The first rating that is judged of a user of `count`: the one after the most shots that leave any.

    So the same ratings are judged at every number of shots, and it is the shots alone that make the difference.

    >>> [judged_from(count, (0, 5, 20)) for count in (3, 5, 6, 20, 21)]
    [0, 0, 5, 5, 20]
    """
    return max((one for one in shots if one < count), default=count)


def rmse(
    adapt: Callable[[Numbers, Floats], Floats],
    predict: Callable[[Floats, Numbers], Floats],
    judged: Judged,
    known: int,
    shots: tuple[int, ...],
) -> float | None:
    """Root mean squared error when each user's first `known` ratings are told, over those after the most of `shots`
    that leave any; None where there are none.
    """
    starts = [judged_from(len(rating), shots) for _, rating in judged]
    squares = [
        (predict(adapt(item[:known], rating[:known]), item[start:]) - rating[start:]) ** 2
        for start, (item, rating) in zip(starts, judged, strict=True)
        if known <= start < len(rating)
    ]
    return float(np.sqrt(np.concatenate(squares).mean())) if squares else None
