"""TIFU-KNN weighs baskets as the paper does, and finds the neighbours that are nearest."""

import numpy as np
import pytest

from policies.baselines import tifu_knn
from policies.baselines.tifu_knn import TifuKnn


def test_a_vector_weighs_groups_and_baskets_as_the_paper_does() -> None:
    rule = TifuKnn(m=2, within=0.5, between=0.25)
    for item in ("a", "b", "c", "d"):
        rule.observe("u", [item], 0)
    ids, weights = rule.vector(rule.visits["u"])
    assert ids.tolist() == [0, 1, 2, 3]
    # two groups of two: within [½, 1] / 2, the earlier group × ¼, and the mean of both
    assert weights == pytest.approx(np.array([0.5 * 0.25, 0.25, 0.5, 1.0]) / 2 / 2)


def test_neighbours_are_those_who_buy_alike() -> None:
    rule = TifuKnn(k=2, alpha=0.5)
    for user in ("u", "v", "w"):
        rule.observe(user, ["milk", "bread"], 0)
    for user in ("v", "w"):
        rule.observe(user, ["cheese"], 1)
    for user in ("x", "y", "z"):
        rule.observe(user, ["nails"], 0)
    assert set(rule.predict("u", 2, 3)) == {"milk", "bread", "cheese"}


def test_the_pool_keeps_those_who_came_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tifu_knn, "POOL", 3)
    rule = TifuKnn()
    for number in range(10):
        rule.observe(f"u{number}", [f"i{number}"], number)
    assert sorted(rule.places) == ["u7", "u8", "u9"]
    assert len(rule.pool) == 3
    assert set(rule.predict("u2", 10, 10)) == {"i2", "i8", "i9"}  # it came back just now, in the place of u7
