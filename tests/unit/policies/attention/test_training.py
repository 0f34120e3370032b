"""A small meta-training: the same seed gives the same weights, and they rank what shops unseen sell above chance."""

from dataclasses import replace

import numpy as np
import torch

from infra.evaluate.tastes import tokens_of
from policies.attention.questions import OTHERS, joined, questions
from policies.attention.training import fit, lifts_of
from policies.tasks.tastes import TasteShop, draw_shop, touches


def small(seed: int) -> TasteShop:
    return replace(draw_shop(seed), users=30, days=40, gap_days=6.0, looks=1.0, buys=1.0, strength=5.0)


def some(seeds: range) -> list[TasteShop]:
    return [shop for shop in (small(seed) for seed in seeds) if shop.items < 400]


def test_a_shop_is_the_same_every_time_and_sells_only_what_it_has() -> None:
    shop = small(4)
    told = touches(shop)
    assert told == touches(small(4))
    assert told == sorted(told, key=lambda one: (one.visit, one.at))
    assert all(shop.listed[one.item] <= one.at for one in told)


def test_training_is_reproducible_and_learns() -> None:
    rng = np.random.default_rng(5)
    asked = [questions(shop, tokens_of(shop), 40, rng) for shop in some(range(6))]
    given = joined([one for one in asked if one is not None])
    first, again = (fit(given, 1, 5, lambda _: None) for _ in range(2))
    for name, array in first.arrays().items():
        np.testing.assert_array_equal(array, again.arrays()[name])
    unseen = [questions(shop, tokens_of(shop), 40, rng) for shop in some(range(100, 105))]
    judged = joined([one for one in unseen if one is not None])
    learned = {name: torch.tensor(array) for name, array in first.arrays().items()}
    found = lifts_of(learned, judged, np.arange(len(judged.ages)))
    loss = -float(torch.log_softmax(found, dim=1)[:, 0].mean())
    assert loss < np.log(1 + OTHERS) - 0.2
