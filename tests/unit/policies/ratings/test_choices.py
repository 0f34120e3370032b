"""What users choose to rate: heeded where it tells of their tastes, left alone where it doesn't."""

from dataclasses import replace

import numpy as np
import pytest

from policies.linalg import Floats
from policies.ratings.choices import FIRST, raters
from policies.ratings.factors import Setting, rmse, train, without
from policies.ratings.regression import RatingModel, fit
from policies.ratings.table import Numbers, Ratings

ITEMS = 60
SHOTS = (0, 5, 20)
SIDE = np.where(np.arange(ITEMS) < ITEMS // 2, 1.0, -1.0)


def _drawn(users: int = 250, each: int = 30, leaning: float = 1.5) -> Ratings:
    """Two tastes against each other; with `leaning` people rate what is to their taste first. Ratings are noisy."""
    rng = np.random.default_rng(3)
    bias, taste = rng.normal(0.0, 0.4, ITEMS), rng.choice([-0.8, 0.8], users)
    wish = leaning * taste[:, None] * SIDE + rng.gumbel(size=(users, ITEMS))
    item = np.argsort(-wish, axis=1)[:, :each].ravel()
    user = np.repeat(np.arange(users), each)
    rating = 3.5 + bias[item] + taste[user] * SIDE[item] + rng.normal(0.0, 1.5, len(user))
    return Ratings(user=user, item=item, rating=rating)


@pytest.fixture(scope="module")
def split() -> tuple[Ratings, list[tuple[Numbers, Floats]]]:
    return without(_drawn(), np.arange(70))


@pytest.fixture(scope="module")
def model(split: tuple[Ratings, list[tuple[Numbers, Floats]]]) -> RatingModel:
    return fit(split[0], items=ITEMS + 1, factors=1, rng=np.random.default_rng(1), told=20)


@pytest.mark.parametrize(("shots", "less"), [(5, 0.02), (20, 0.005)])
def test_which_items_were_rated_tells_more_than_the_ratings_alone(
    split: tuple[Ratings, list[tuple[Numbers, Floats]]], model: RatingModel, shots: int, less: float
) -> None:
    deaf = replace(model, choices=None)
    heeding, ratings_only = (rmse(one.adapt, one.predict, split[1], shots, SHOTS) or 9.0 for one in (model, deaf))
    assert heeding < ratings_only - less


def test_choices_that_tell_nothing_do_no_harm() -> None:
    known, judged = without(_drawn(leaning=0.0), np.arange(70))
    model = fit(known, items=ITEMS, factors=1, rng=np.random.default_rng(1), told=20)
    deaf = replace(model, choices=None)
    heeding, ratings_only = (rmse(one.adapt, one.predict, judged, 5, SHOTS) or 9.0 for one in (model, deaf))
    assert heeding < ratings_only + 0.01


def test_who_has_rated_nothing_is_the_prior(model: RatingModel) -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert model.adapt(nothing, np.empty(0))[0] == pytest.approx(model.prior.mean)


def test_opposite_choices_move_apart_whatever_was_said(model: RatingModel) -> None:
    same = np.full(5, 3.5)
    one, other = (model.adapt(np.arange(start, start + 5), same) for start in (0, ITEMS // 2))
    items = np.arange(ITEMS)
    assert np.sign(model.predict(one, items) - model.predict(other, items)).tolist() == SIDE.tolist()


def test_what_is_left_to_know_is_less_and_still_a_covariance(model: RatingModel) -> None:
    assert model.choices is not None
    assert np.linalg.eigvalsh(model.prior.cov - model.choices.explained).min() > 0.0
    assert np.linalg.eigvalsh(model.choices.explained).min() > -1e-9


def test_only_the_first_items_are_looked_at(model: RatingModel) -> None:
    choices, items = model.choices, np.arange(ITEMS)
    assert choices is not None
    assert choices.moved(items) == pytest.approx(choices.moved(items[:FIRST]))


def test_what_nobody_rated_first_moves_nobody_far(model: RatingModel) -> None:
    choices = model.choices
    assert choices is not None
    deviations = np.sqrt(np.diag(model.prior.cov))
    assert (np.abs(choices.moved(np.array([ITEMS]))) < deviations).all()


def test_choices_are_heeded_where_that_predicts_better() -> None:
    found = train(_drawn(150), items=ITEMS, shots=SHOTS, seed=0, tell=lambda _said: None)
    assert all(member.choices is not None for member in found.members)


def test_a_setting_says_whether_choices_count(model: RatingModel) -> None:
    assert Setting().of(model).choices is None
    assert Setting(heeds_choices=True).of(model).choices is model.choices


def test_who_is_asked_about_an_item_is_like_its_raters(
    split: tuple[Ratings, list[tuple[Numbers, Floats]]], model: RatingModel
) -> None:
    assert model.choices is not None
    alone = replace(model, choices=replace(model.choices, raters=0.0 * model.choices.raters))
    asked, told = (rmse(one.adapt, one.predict, split[1], 0, SHOTS) or 9.0 for one in (model, alone))
    assert asked < told - 0.01


def test_raters_no_more_alike_than_chance_say_nothing() -> None:
    users = 200
    apart = np.random.default_rng(1).normal(0.0, 1.0, (users, 2))
    apart -= apart.mean(axis=0)
    user = np.repeat(np.arange(users), 10)
    item = np.concatenate([np.random.default_rng([2, one]).permutation(20)[:10] for one in range(users)])
    given = Ratings(user=user, item=item, rating=np.zeros(len(user)))
    everyone = np.arange(len(user))
    assert np.abs(raters(given, everyone, apart, 21)).max() < 0.1
    leaning = replace(given, item=np.where(apart[user, 0] > 0.0, item // 2, 10 + item // 2))
    found = raters(leaning, everyone, apart, 21)
    assert found[:10, 0] == pytest.approx(np.full(10, 0.8), abs=0.3)
    assert found[10:20, 0] == pytest.approx(np.full(10, -0.8), abs=0.3)
    assert not found[20].any()


def test_what_choices_have_told_is_not_told_again(model: RatingModel) -> None:
    choices = model.choices
    assert choices is not None
    assert choices.told(0) == 0.0
    assert 0.0 < choices.told(5) < choices.told(FIRST) == choices.told(FIRST + 50) == 1.0
