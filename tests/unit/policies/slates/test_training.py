"""Training the prior over slates: its mean goes where slates earned more; each number is what it is measured by."""

from functools import cache

import numpy as np
import pytest

from policies.linalg import Floats
from policies.meta.sample import Episode, Stream
from policies.slates.recommend import FEATURES, FLAT
from policies.slates.training import SWAY, Played, Shop, train
from policies.tasks.tastes import TasteShop, draw_shop
from policies.version import Priors

WANTED = FEATURES.index("bought_with")  # the flat prior gives it no weight
SPREAD = FEATURES.index("due")
SLOTS = 5


def play(shop: Shop, prior: Priors) -> Played | None:
    """A shop whose users take whatever has more of one feature, however slates are drawn."""
    if not isinstance(shop, TasteShop):
        return None
    rng = np.random.default_rng(shop.seed)
    streams = [[_slate(rng, at) for at in range(4)] for _ in range(30)]
    variance = np.zeros(len(FEATURES))
    variance[SPREAD] = 0.25
    return Played(streams, variance, recall=float(prior["mean"][WANTED]))


def _slate(rng: np.random.Generator, at: int) -> Episode:
    phi = np.zeros((SLOTS, len(FEATURES)))
    phi[:, 0] = 1.0
    phi[:, WANTED] = rng.uniform(0.0, 0.2, SLOTS)
    y = (rng.random(SLOTS) < 4.0 * phi[:, WANTED]).astype(np.float64)
    return Episode(at=at, phi=phi, y=y, propensities=np.full(SLOTS, 0.2))


@cache
def trained(seed: int = 0) -> tuple[dict[str, Floats], dict[str, str], list[str]]:
    told: list[str] = []
    tensors, about = train(seed, told.append, play=play, shops=3, rounds=2, judged=2)
    return tensors, about, told


def test_the_mean_goes_where_slates_earned_more_and_shops_passed_over_are_left_out() -> None:
    tensors, about, told = trained()
    assert tensors["mean"][WANTED] > 0.05
    assert float(about["recall_learned"]) == pytest.approx(tensors["mean"][WANTED], abs=1e-4)
    assert float(about["recall_flat_prior"]) == 0.0
    assert about["drawn_shops"] == "12"
    assert len(told) == 3


def test_a_weight_is_as_sure_as_its_feature_spreads_and_no_less_than_it_was() -> None:
    precision = trained()[0]["precision"]
    least = FLAT["precision"][0][0]
    assert precision[SPREAD, SPREAD] == pytest.approx(0.25 / SWAY**2, rel=1e-3)
    assert np.count_nonzero(precision - np.diag(np.diag(precision))) == 0
    assert all(precision[i, i] == least for i in range(len(FEATURES)) if i != SPREAD)


def test_the_noise_is_what_is_left_over_and_exploration_stays() -> None:
    tensors = trained()[0]
    streams: list[Stream] = [stream for one in _others() for stream in one.streams]
    off = np.concatenate([one.y - one.phi @ tensors["mean"] for stream in streams for one in stream])
    assert float(tensors["noise"]) == pytest.approx(float(np.mean(off**2)), rel=0.1)
    assert (float(tensors["temperature"]), float(tensors["width"])) == (FLAT["temperature"], FLAT["width"])


def _others() -> list[Played]:
    return [one for seed in (2, 4, 6) if (one := play(draw_shop(seed), FLAT)) is not None]


def test_a_seed_says_it_all_and_another_draws_other_shops() -> None:
    again, _ = train(0, lambda _: None, play=play, shops=3, rounds=2, judged=2)
    other, _ = train(1, lambda _: None, play=play, shops=3, rounds=2, judged=2)
    assert all(np.array_equal(again[name], trained()[0][name]) for name in again)
    assert not np.array_equal(other["mean"], again["mean"])
