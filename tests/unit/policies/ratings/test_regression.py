"""Ratings: what users have in common is found again, and a few ratings move a new user as far as they should."""

from dataclasses import replace

import numpy as np
import pytest

from policies.baselines.rating import of_items, of_items_and_users
from policies.baselines.rating_gradient import maml, reptile
from policies.linalg import Floats
from policies.ratings.factors import CAUTION, rmse, train, without
from policies.ratings.regression import RatingModel, fit
from policies.ratings.table import Numbers, Ratings

ITEMS = 60


def _drawn(users: int = 200, each: int = 30) -> Ratings:
    """Two tastes: one for the first half of the items, one for the second, against each other."""
    rng = np.random.default_rng(0)
    bias, side = rng.normal(0.0, 0.5, ITEMS), np.where(np.arange(ITEMS) < ITEMS // 2, 1.0, -1.0)
    user = np.repeat(np.arange(users), each)
    item = np.concatenate([rng.permutation(ITEMS)[:each] for _ in range(users)])
    own, taste = rng.normal(0.3, 0.4, users)[user], rng.normal(0.0, 0.8, users)[user]
    rating = 3.5 + bias[item] + own + taste * side[item] + rng.normal(0.0, 0.5, len(user))
    return Ratings(user=user, item=item, rating=rating)


@pytest.fixture(scope="module")
def split() -> tuple[Ratings, list[tuple[Numbers, Floats]]]:
    return without(_drawn(), np.arange(40))


@pytest.fixture(scope="module")
def model(split: tuple[Ratings, list[tuple[Numbers, Floats]]]) -> RatingModel:
    return fit(split[0], items=ITEMS, factors=1, rng=np.random.default_rng(1))


def test_a_learned_prior_beats_a_flat_one_and_shrunk_means(
    split: tuple[Ratings, list[tuple[Numbers, Floats]]], model: RatingModel
) -> None:
    known, judged = split
    raters = (model, model.flat(), of_items_and_users(known, ITEMS), of_items(known, ITEMS))
    ours, *others = [rmse(rater.adapt, rater.predict, judged, 5, (0, 5)) or 0.0 for rater in raters]
    assert ours < 0.65  # 0.5 is noise
    assert ours < min(others) - 0.02


def test_noise_and_the_spread_of_users_are_found_again(model: RatingModel) -> None:
    assert model.noise * model.scale**2 == pytest.approx(0.25, rel=0.1)
    assert model.prior.cov[0, 0] * model.scale**2 == pytest.approx(0.16, rel=0.5)


def test_without_ratings_a_user_is_the_prior(model: RatingModel) -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert model.adapt(nothing, np.empty(0))[0] == pytest.approx(model.prior.mean)


def test_the_scale_of_ratings_does_not_matter(
    split: tuple[Ratings, list[tuple[Numbers, Floats]]], model: RatingModel
) -> None:
    known, judged = split
    larger = fit(replace(known, rating=20.0 * known.rating - 7.0), items=ITEMS, factors=1, rng=np.random.default_rng(1))
    item, rating = judged[0]
    theirs = larger.predict(larger.adapt(item[:5], 20.0 * rating[:5] - 7.0), item[5:])
    assert theirs == pytest.approx(20.0 * model.predict(model.adapt(item[:5], rating[:5]), item[5:]) - 7.0)


def test_an_item_that_nobody_rated_is_one_of_the_usual_kind(model: RatingModel) -> None:
    known = _drawn(20)
    found = fit(known, items=ITEMS + 1, factors=1, rng=np.random.default_rng(1))
    assert np.isfinite(found.items.mean).all()
    assert found.items.cov[ITEMS, 0, 0] > found.items.cov[:ITEMS, 0, 0].max()


@pytest.mark.parametrize("learn", [maml, reptile])
def test_a_learned_start_adapts(
    split: tuple[Ratings, list[tuple[Numbers, Floats]]], model: RatingModel, learn: type
) -> None:
    known, judged = split
    found = learn(model, known, np.random.default_rng(2))
    cold, warm = (rmse(found.adapt, found.predict, judged, shots, (0, 10)) for shots in (0, 10))
    assert warm is not None
    assert cold is not None
    assert warm < cold - 0.05


def _strayed(users: int, each: int) -> Ratings:
    """Users whose first ratings share a mood that is gone later, and items that are liked as much as they are seen."""
    rng = np.random.default_rng(5)
    fame = np.linspace(-1.0, 1.0, ITEMS)
    user = np.repeat(np.arange(users), each)
    item = np.concatenate([rng.choice(ITEMS, each, replace=False, p=_softmax(2.0 * fame)) for _ in range(users)])
    lasting, mood = rng.normal(0.0, 0.3, users)[user], rng.normal(0.0, 0.8, users)[user]
    early = np.tile(np.arange(each) < 8, users)
    rating = 3.0 + fame[item] + lasting + mood * early + rng.normal(0.0, 0.5, len(user))
    return Ratings(user=user, item=item, rating=rating)


def _softmax(x: Floats) -> Floats:
    return np.exp(x) / np.exp(x).sum()


def test_a_level_that_strays_is_not_taken_at_its_word() -> None:
    known, judged = without(_strayed(200, 30), np.arange(60))
    shots = (0, 5, 20)
    found = fit(known, items=ITEMS, factors=0, rng=np.random.default_rng(1), told=20)
    plain = of_items_and_users(known, ITEMS)
    cold, after_five, after_more = (rmse(found.adapt, found.predict, judged, told, shots) or 9.0 for told in shots)
    assert after_more < after_five <= cold + 0.005
    assert after_five < (rmse(plain.adapt, plain.predict, judged, 5, shots) or 0.0) - 0.04


def test_what_nobody_rated_is_taken_to_be_as_good_as_what_few_did() -> None:
    drawn = _strayed(300, 30)
    model = fit(drawn, items=ITEMS + 1, factors=0, rng=np.random.default_rng(1))
    assert model.items.mean[ITEMS, 0] < model.items.mean[:ITEMS, 0].mean() - 0.5 / model.scale


def test_several_fits_err_less_than_one_of_them(split: tuple[Ratings, list[tuple[Numbers, Floats]]]) -> None:
    known, judged = split
    found = train(known, items=ITEMS, shots=(0, 5), seed=0, tell=lambda _said: None)
    assert len(found.members) > 1
    assert all(member.caution in CAUTION for member in found.members)
    each = [rmse(one.adapt, one.predict, judged, 5, (0, 5)) or 0.0 for one in found.members]
    assert (rmse(found.adapt, found.predict, judged, 5, (0, 5)) or 9.0) <= np.mean(each)


def test_users_held_out_leave_nothing_behind() -> None:
    kept, judged = without(_drawn(6, 4), np.array([0, 5]))
    assert sorted(set(kept.user.tolist())) == [0, 1, 2, 3]
    assert [len(rating) for _, rating in judged] == [4, 4]
