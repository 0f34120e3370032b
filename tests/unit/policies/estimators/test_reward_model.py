"""Reward models of our own, and the line through a given one: cross-fitted, and mergeable."""

from dataclasses import replace

import numpy as np
import pytest

from policies.estimators.folds import FOLDS, folds_of
from policies.estimators.logged import Floats, Hashes, Logged, Times
from policies.estimators.refitting import fit, refitted
from policies.estimators.reward_model import RewardModel

N = 4000


def world() -> tuple[Floats, Times, Floats, Hashes, Floats]:
    rng = np.random.default_rng(0)
    x, action = rng.normal(size=(N, 2)), rng.integers(0, 3, N)
    mean = x @ np.array([[1.0, 0, -1], [0, 2, 0]]) + np.array([0.0, 1, 2])
    return x, action, mean[np.arange(N), action] + rng.normal(size=N), np.arange(N, dtype=np.uint64), mean


def test_it_finds_what_each_action_earns() -> None:
    x, action, reward, cluster, mean = world()
    model = RewardModel.nothing(3, 2).add(x, action, reward, cluster)
    assert np.abs(model.predict(x, cluster) - mean).max() < 0.4
    assert model.predict(x, cluster).shape == (N, 3)


def test_it_merges() -> None:
    x, action, reward, cluster, _ = world()
    whole = RewardModel.nothing(3, 2).add(x, action, reward, cluster)
    halves = [
        RewardModel.nothing(3, 2).add(x[part], action[part], reward[part], cluster[part])
        for part in (slice(0, 1234), slice(1234, None))
    ]
    assert (halves[0] + halves[1]).predict(x, cluster) == pytest.approx(whole.predict(x, cluster))


def test_a_row_does_not_see_its_own_fold() -> None:
    x, action, reward, cluster, _ = world()
    fold = folds_of(cluster)
    assert set(fold.tolist()) == set(range(FOLDS))
    changed = np.where(fold == 2, 1e6, reward)
    one, other = (RewardModel.nothing(3, 2).add(x, action, r, cluster).predict(x, cluster) for r in (reward, changed))
    assert one[fold == 2] == pytest.approx(other[fold == 2])
    assert not np.allclose(one[fold == 1], other[fold == 1])


def test_an_action_never_logged_is_expected_to_earn_the_mean() -> None:
    x, action, reward, cluster, _ = world()
    found = RewardModel.nothing(4, 2).add(x, action, reward, cluster).predict(x, cluster)[:, 3]
    assert found == pytest.approx(np.full(N, reward.mean()), abs=0.05)


def test_the_line_puts_a_model_right_that_is_off_by_one() -> None:
    _, action, reward, cluster, mean = world()
    half = np.full(N, 0.5)
    q = 3 + 0.5 * mean[np.arange(N), action]
    rows = Logged(reward=reward, propensity=half, target_propensity=half, cluster=cluster, q_logged=q, v_target=q)
    found = refitted(rows, fit(rows)).q_mrdr
    assert found is not None
    assert np.abs(found - mean[np.arange(N), action]).max() < 0.4
    nowhere = replace(rows, target_propensity=0 * half)
    assert (refitted(nowhere, fit(nowhere)).q_mrdr == q).all()
