"""What a user chose to rate tells of their taste, whatever they said of it (Marlin & Zemel 2009; Koren 2008).

Who starts with what few have rated will rate unlike who starts with what all have. So the mean of a user's prior is
moved along the items first rated: m + Γᵀz, z = Σ x_j / (n + κ) over the first n of them, x_j the item's (b_j, w_j) and
how often it was rated, in deviations from what is usual among first items. Γ is a ridge regression over users of whom
much is known. No file, no clock.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from policies.linalg import Floats
from policies.ratings.normal import PSEUDO, Guess
from policies.ratings.sums import Grouping
from policies.ratings.table import Numbers, Ratings, positions

FIRST: Final = 20  # items of a user that are looked at, at most
KAPPA: Final = 5.0  # usual items that each user starts with
RIDGE: Final = 30.0  # users that a slope of 0 counts for
FARTHEST: Final = 3.0  # deviations that an item is taken to be unusual by: beyond, too few were seen to tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What first items are like, and how much that moves θ and leaves less to be known of it."""

    about: Floats  # [items, K] x
    slopes: Floats  # [K, D] Γ
    explained: Floats  # [D, D] what of θ's covariance between users it accounts for
    first: int

    def moved(self, item: Numbers) -> Floats:
        """[D] by how much the prior's mean is other for a user who rated these, oldest first."""
        seen = item[: self.first]
        return np.asarray(self.about[seen].sum(axis=0) / (len(seen) + KAPPA) @ self.slopes, dtype=np.float64)


def learn(given: Ratings, items: Floats, known: Floats, users: Guess, first: int) -> Choices:
    """From the beliefs about all users, of whom the `first` items are looked at; `items` [items, 1 + F] are (b, w) and
    `known` [items] how often each was rated, on any scale.
    """
    first = min(first, FIRST)
    early = positions(given.user) < first
    who, item = given.user[early], given.item[early]
    about = _usual(np.concatenate([items, known[:, None]], axis=1), item)
    seen = np.bincount(who, minlength=len(users.mean))
    by_user = Grouping.of(who, len(seen))
    z = by_user.sums(lambda rows: about[item[rows]]) / (seen + KAPPA)[:, None]
    z = z - z.mean(axis=0)
    spread = z.std(axis=0)
    apart = users.mean - users.mean.mean(axis=0)
    ridge = np.diag(np.where(spread > 1e-9, RIDGE * spread**2, 1.0))
    slopes = np.asarray(np.linalg.solve(z.T @ z + ridge, z.T @ apart), dtype=np.float64)
    left = apart - z @ slopes
    return Choices(
        about=about,
        slopes=slopes,
        explained=(apart.T @ apart - left.T @ left) / (len(seen) + PSEUDO),
        first=first,
    )


def _usual(x: Floats, item: Numbers) -> Floats:
    """In deviations from the mean, over the items given, up to FARTHEST; 0 where they are all alike."""
    seen = x[item]
    deviation = seen.std(axis=0)
    alike = deviation < 1e-9
    found = np.where(alike, 0.0, (x - seen.mean(axis=0)) / np.where(alike, 1.0, deviation))
    return np.clip(found, -FARTHEST, FARTHEST)
