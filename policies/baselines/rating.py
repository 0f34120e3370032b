"""Ratings by plain means, shrunk: of all, of the item, of item and user. The rules that a learned prior has to beat."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from policies.linalg import Floats
from policies.ratings.table import Numbers, Ratings

ITEM_WEIGHT: Final = 2.0  # ratings that an item's mean starts with, all of them usual
USER_WEIGHT: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """`bias` of each item, [items]; a user's starts at 0, and stays there where `user_weight` is infinite. What is
    foretold stays within the ratings that were seen.
    """

    lowest: float
    highest: float
    centre: float
    bias: Floats
    user_weight: float

    def adapt(self, item: Numbers, rating: Floats) -> Floats:
        """[1] bias of a user who gave these ratings."""
        over = (rating - self.centre - self.bias[item]).sum()
        return np.array([over / (len(item) + self.user_weight)])

    def predict(self, theta: Floats, item: Numbers) -> Floats:
        return np.clip(self.centre + self.bias[item] + theta[0], self.lowest, self.highest)


def of_all(given: Ratings, items: int) -> Means:
    return _means(given, np.zeros(items), np.inf)


def of_items(given: Ratings, items: int, user_weight: float = np.inf) -> Means:
    total = np.bincount(given.item, weights=given.rating - float(given.rating.mean()), minlength=items)
    return _means(given, total / (np.bincount(given.item, minlength=items) + ITEM_WEIGHT), user_weight)


def of_items_and_users(given: Ratings, items: int) -> Means:
    return of_items(given, items, USER_WEIGHT)


def _means(given: Ratings, bias: Floats, user_weight: float) -> Means:
    seen = given.rating
    return Means(
        lowest=float(seen.min()),
        highest=float(seen.max()),
        centre=float(seen.mean()),
        bias=bias,
        user_weight=user_weight,
    )
