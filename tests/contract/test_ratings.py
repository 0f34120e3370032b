"""Every rule that foretells ratings keeps the contract of infra/evaluate/cold_start.py.

A new one joins by its name in `tradewind evaluate cold-start`.
"""

from functools import cache
from typing import Final

import numpy as np
import pytest

from infra.evaluate.cold_start import POLICIES, Rater, rater
from policies.linalg import Floats
from policies.ratings.factors import Judged, rmse
from policies.ratings.table import Numbers, Ratings

USERS, ITEMS, EACH = 24, 16, 9
UNRATED: Final = 3  # of the items, by anyone
SHOTS: Final = (0, 4)
ALIKE: Final = {"none", "item-bias"}  # these tell no user from another
EVERYTHING: Final = np.arange(ITEMS)
NOTHING: Final = (EVERYTHING[:0], np.zeros(0))

rules = pytest.mark.parametrize("name", POLICIES)


@cache
def drawn() -> Ratings:
    """From 1 to 5, of users and items that differ; in order of time."""
    rng = np.random.default_rng(7)
    own, bias = rng.normal(0.0, 0.8, USERS), rng.normal(0.0, 0.6, ITEMS)
    user = rng.permutation(np.repeat(np.arange(USERS), EACH))
    item = np.empty(len(user), dtype=np.int64)
    for one in range(USERS):
        item[user == one] = rng.permutation(ITEMS - UNRATED)[:EACH]
    rating = 3.0 + own[user] + bias[item] + rng.normal(0.0, 0.4, len(user))
    return Ratings(user=user, item=item, rating=np.clip(np.rint(rating), 1.0, 5.0))


def made(name: str, given: Ratings, seed: int = 0) -> Rater:
    return rater(name, given, ITEMS, SHOTS, seed)


@cache
def usual(name: str) -> Rater:
    return made(name, drawn())


def told() -> list[tuple[Numbers, Floats]]:
    """What a new user may have said: nothing, little, all of it high or low, and of items that nobody knows."""
    return [
        NOTHING,
        (np.array([2]), np.array([4.0])),
        (np.array([1, 5, ITEMS - 1]), np.array([5.0, 1.0, 3.0])),
        (EVERYTHING, np.full(ITEMS, 5.0)),
        (EVERYTHING, np.full(ITEMS, 1.0)),
    ]


def asked(rule: Rater) -> Floats:
    """What each of those is told of every item: [users, items]."""
    return np.stack([rule.predict(rule.adapt(item, rating), EVERYTHING) for item, rating in told()])


@rules
def test_the_same_ratings_and_seed_foretell_the_same(name: str) -> None:
    found = asked(usual(name))
    assert np.array_equal(asked(made(name, drawn())), found)
    assert np.array_equal(asked(usual(name)), found)  # nor does asking, or being told, change it


@rules
def test_no_rating_is_beyond_those_that_were_ever_given(name: str) -> None:
    found = asked(usual(name))
    assert np.isfinite(found).all()
    assert found.min() >= 1.0
    assert found.max() <= 5.0


@rules
@pytest.mark.parametrize("rating", [0.0, -7.5])
def test_of_ratings_that_are_all_the_same_there_is_but_one_to_foretell(name: str, rating: float) -> None:
    given = drawn()
    same = Ratings(user=given.user, item=given.item, rating=np.full(len(given.rating), rating))
    rule = made(name, same)
    assert rule.predict(rule.adapt(EVERYTHING[:4], np.full(4, rating)), EVERYTHING) == pytest.approx(rating)


@rules
def test_the_scale_of_ratings_doesnt_matter(name: str) -> None:
    given = drawn()
    rule = made(name, Ratings(user=given.user, item=given.item, rating=40.0 - 1e4 * given.rating))
    found = np.stack([rule.predict(rule.adapt(item, 40.0 - 1e4 * rating), EVERYTHING) for item, rating in told()])
    assert found == pytest.approx(40.0 - 1e4 * asked(usual(name)), rel=1e-5)


@rules
def test_an_item_is_rated_as_if_it_were_asked_about_alone(name: str) -> None:
    rule = usual(name)
    for item, rating in told():
        belief = rule.adapt(item, rating)
        alone = np.concatenate([rule.predict(belief, EVERYTHING[at : at + 1]) for at in range(ITEMS)])
        assert rule.predict(belief, EVERYTHING) == pytest.approx(alone, rel=1e-12)
        assert rule.predict(belief, EVERYTHING[:0]).shape == (0,)


@rules
def test_how_the_ratings_of_others_lie_among_each_other_doesnt_matter(name: str) -> None:
    """As long as those of each user stay in their order."""
    given = drawn()
    order = np.argsort(given.user, kind="stable")
    sorted_ = Ratings(user=given.user[order], item=given.item[order], rating=given.rating[order])
    assert asked(made(name, sorted_)) == pytest.approx(asked(usual(name)), abs=1e-6)


@rules
def test_who_rates_high_is_foretold_to(name: str) -> None:
    rule = usual(name)
    low, high = (rule.predict(rule.adapt(EVERYTHING[:6], np.full(6, rating)), EVERYTHING[6:]) for rating in (2.0, 4.0))
    assert np.array_equal(low, high) if name in ALIKE else high.mean() > low.mean() + 0.3


@rules
def test_what_comes_later_isnt_known(name: str) -> None:
    """What a user says after the shots and before what is judged changes nothing of what is foretold."""
    rule, given, shots = usual(name), drawn(), (0, 2, 6)

    def errors(between: float) -> list[float | None]:
        judged: Judged = []
        for one in range(5):
            rating = given.rating[given.user == one].copy()
            rating[2:6] = between
            judged.append((given.item[given.user == one], rating))
        return [rmse(rule.adapt, rule.predict, judged, known, shots) for known in shots]

    low, high = errors(1.0), errors(5.0)
    assert low[:2] == high[:2]
    assert name in ALIKE or low[2] != high[2]
