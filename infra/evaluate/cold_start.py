"""RMSE of ratings by users never seen before, after the first few of their ratings.

A share of users, drawn by the seed, is held out whole; of each the first ratings by time are told, and those after the
most shots are predicted, whatever the shots: so rows differ by what was told, not by what was asked. (Who has rated no
more than that is judged after the most shots that leave any, and takes part up to there.) What is common to users and
items is learned from the others alone. There is no oracle prior: nobody knows the distribution that people's tastes
were drawn from.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from rich.console import Console

from infra.errors import UserError
from infra.evaluate.ratings import read
from policies.baselines.rating import of_all, of_items, of_items_and_users
from policies.baselines.rating_gradient import maml, reptile
from policies.linalg import Floats
from policies.ratings.factors import RatingModels, judged_from, rmse, train, without
from policies.ratings.table import Numbers, Ratings

POLICIES: Final = ("meta", "flat-prior", "none", "item-bias", "user-item-bias", "maml", "reptile")
MOST_SHOTS: Final = 100_000


class Rater(Protocol):
    """A few ratings in, a belief of its own kind out; that and items in, ratings out."""

    def adapt(self, item: Numbers, rating: Floats, /) -> Any: ...

    def predict(self, belief: Any, item: Numbers, /) -> Floats: ...


PLAIN: Final[dict[str, Callable[[Ratings, int], Rater]]] = {
    "none": of_all,
    "item-bias": of_items,
    "user-item-bias": of_items_and_users,
}
LEARNED: Final[dict[str, Callable[[RatingModels, Ratings, np.random.Generator], Rater]]] = {
    "meta": lambda model, _given, _rng: model,
    "flat-prior": lambda model, _given, _rng: model.flat(),
    "maml": lambda model, given, rng: maml(model.members[0], given, rng),
    "reptile": lambda model, given, rng: reptile(model.members[0], given, rng),
}


def evaluate(*, policy: str, seed: int, ratings: Path, users_held_out: float, shots: str) -> dict[str, Any]:
    """`rmse` by shots (null where no held-out user has rated more), and what it was measured on."""
    counts = _shots(shots)
    given = read(ratings)
    users, items = int(given.user.max()) + 1, int(given.item.max()) + 1
    if users < 2:
        raise UserError(f"--ratings {ratings}: one user only; some must be left to learn from")
    if not 0.0 < users_held_out < 1.0:
        raise UserError(f"--users-held-out {users_held_out}: must be between 0 and 1")
    held = min(users - 1, max(1, round(users_held_out * users)))
    known, judged = without(given, np.random.default_rng(seed).permutation(users)[:held].astype(np.int64))
    rule = rater(policy, known, items, counts, seed)
    return {
        "rmse": {str(count): rmse(rule.adapt, rule.predict, judged, count, counts) for count in counts},
        "users": users,
        "users_held_out": held,
        "ratings_judged": {str(count): _asked([len(one) for _, one in judged], count, counts) for count in counts},
    }


def _asked(lengths: list[int], known: int, shots: tuple[int, ...]) -> int:
    starts = [(length, judged_from(length, shots)) for length in lengths]
    return sum(length - start for length, start in starts if known <= start)


def rater(policy: str, known: Ratings, items: int, shots: tuple[int, ...], seed: int) -> Rater:
    """The rule of that name, made from ratings in order of time; it will be asked after so many of a user's."""
    if policy in PLAIN:
        return PLAIN[policy](known, items)
    console = Console(stderr=True)
    model = train(known, items=items, shots=shots, seed=seed, tell=lambda said: console.print(said, highlight=False))
    return LEARNED[policy](model, known, np.random.default_rng([seed, 4]))


def _shots(text: str) -> tuple[int, ...]:
    try:
        counts = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"--shots {text}: whole numbers separated by commas, like 0,5,20") from None
    if min(counts) < 0 or max(counts) > MOST_SHOTS:
        raise UserError(f"--shots {text}: each must be from 0 to {MOST_SHOTS}")
    return tuple(dict.fromkeys(counts))
