"""What a user chose to rate tells of their taste, whatever they said of it (Marlin & Zemel 2009; Koren 2008).

Who starts with what few have rated will rate unlike who starts with what all have. So the mean of a user's prior is
moved along the items first rated: m + Γᵀz, z = Σ x_j / (n + κ) over the first n of them, x_j the item's (b_j, w_j) and
how often it was rated, in deviations from what is usual among first items. Γ is a ridge regression over users of whom
much is known. And who is asked about an item is like those who came to rate it: that is one more choice, and counts as
far as the ratings told have left the prior. No file, no clock.
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
    raters: Floats  # [items, 2D] how those who come to rate an item are unlike others, and unlike their first choices
    first: int

    def moved(self, item: Numbers) -> Floats:
        """[D] by how much the prior's mean is other for a user who rated these, oldest first."""
        seen = item[: self.first]
        return np.asarray(self.about[seen].sum(axis=0) / (len(seen) + KAPPA) @ self.slopes, dtype=np.float64)

    def told(self, shots: int) -> float:
        """What the first `shots` items have told of all that first items tell: so far, an item that is asked about
        isn't to tell it again.
        """
        seen = min(shots, self.first)
        return seen / (seen + KAPPA) * (self.first + KAPPA) / max(self.first, 1)


def learn(given: Ratings, items: Floats, known: Floats, users: Guess, told: int) -> Choices:
    """From the beliefs about all users, of whom the first `told` items are looked at, FIRST at most; `items`
    [items, 1 + F] are (b, w) and `known` [items] how often each was rated, on any scale.
    """
    first = min(told, FIRST)
    position = positions(given.user)
    early = position < first
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
    late = np.flatnonzero(position >= min(told, int(position.max())))
    return Choices(
        about=about,
        slopes=slopes,
        explained=(apart.T @ apart - left.T @ left) / (len(seen) + PSEUDO),
        raters=np.concatenate([raters(given, late, one, len(items)) for one in (apart, left)], axis=1),
        first=first,
    )


def raters(given: Ratings, late: Numbers, apart: Floats, items: int) -> Floats:
    """[items, D] the mean of `apart` [users, D] over who rates an item late, shrunk by how much such means differ
    beyond chance (the method of moments; Efron & Morris 1975).
    """
    by_item, who = Grouping.of(given.item[late], items), apart[given.user[late]]
    total, squares = np.split(by_item.sums(lambda rows: np.concatenate([who[rows], who[rows] ** 2], axis=1)), 2, axis=1)
    counts = by_item.counts[:, None]
    pairs = ((total**2 - squares) / np.maximum(counts, 1)).sum(axis=0)  # two raters of an item are alike in that alone
    between = np.maximum(pairs / max(int((counts - 1).clip(0).sum()), 1), 0.0)
    within = squares.sum(axis=0) / counts.sum()
    return np.asarray(between * total / (counts * between + within + 1e-12), dtype=np.float64)


def _usual(x: Floats, item: Numbers) -> Floats:
    """In deviations from the mean, over the items given, up to FARTHEST; 0 where they are all alike."""
    seen = x[item]
    deviation = seen.std(axis=0)
    alike = deviation < 1e-9
    found = np.where(alike, 0.0, (x - seen.mean(axis=0)) / np.where(alike, 1.0, deviation))
    return np.clip(found, -FARTHEST, FARTHEST)
