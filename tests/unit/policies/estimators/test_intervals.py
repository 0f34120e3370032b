"""Intervals hold the truth as often as they say. tests/benchmarks/coverage.py measures it in full."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from policies.estimators import likelihood
from policies.estimators.judged import Judged
from policies.estimators.logged import Logged
from policies.estimators.sequence import Sequence
from policies.estimators.terms import Terms
from tests.benchmarks.coverage import held_always, log_of, truth

RUNS = 24


@pytest.mark.parametrize(("world", "n"), [("apart", 150)])
def test_the_shown_interval_covers_with_heavy_weights_where_the_normal_one_does_not(world: str, n: int) -> None:
    value, held, normal = truth(world), 0, 0
    for run in range(RUNS):
        rows = replace(log_of(world, n, 10_000 + run), q_logged=None, v_target=None)
        found = Judged.of(rows, Terms(reward_low=0, reward_high=1, replicates=1, buckets=n)).result().estimators["ips"]
        held += found.low <= value <= found.high
        low, high = found.intervals["asymptotic"]
        normal += low <= value <= high
    assert held >= 0.82 * RUNS  # 3 standard errors below 95%
    assert normal < held


def test_the_sequence_holds_at_every_look() -> None:
    value = truth("tail 2.1")
    assert sum(held_always(log_of("tail 2.1", 500, 20_000 + run), value, 0.0, 1.0) for run in range(20)) >= 19


def test_the_sequence_narrows() -> None:
    """A test that could not fail would be a sequence of [0, 1]."""
    rows = log_of("light", 20_000, 1)
    low, high = Sequence.of(rows.weight, rows.reward, 0.0, 1.0).interval(0.95)
    assert high - low < 0.08


def test_every_bootstrap_is_of_the_estimate_that_it_stands_beside() -> None:
    found = Judged.of(log_of("light", 2_000, 3), Terms(replicates=200)).result().estimators
    assert {"ips", "snips", "dr"} <= found.keys()
    for name, one in found.items():
        low, high = one.intervals["bootstrap"]
        near = abs((low + high) / 2.0 - one.value) < 0.25 * (high - low)
        assert near, name


def test_rows_of_one_user_count_as_one_draw() -> None:
    rows = log_of("light", 400, 2)
    doubled = {name: np.repeat(getattr(rows, name), 10) for name in ("reward", "propensity", "target_propensity")}
    alone = Logged(**doubled, cluster=np.arange(4000, dtype=np.uint64))
    together = Logged(**doubled, cluster=np.repeat(rows.cluster, 10))
    terms = Terms(replicates=200)
    one, ten, whole = (Judged.of(each, terms).result().estimators["ips"] for each in (rows, alone, together))
    for name in ("empirical-likelihood", "asymptotic", "bootstrap"):
        width = [ends[1] - ends[0] for ends in (each.intervals[name] for each in (one, ten, whole))]
        assert width[2] == pytest.approx(width[0], rel=0.15), name
        assert width[1] < 0.5 * width[0], name


def test_of_a_few_users_the_interval_covers_too() -> None:
    held, runs = 0, 36
    for run in range(runs):
        rng = np.random.default_rng(run)
        user = np.repeat(np.arange(4), 100)
        action = (rng.random(400) < 0.3).astype(np.int64)
        reward = (rng.random(400) < 0.3 + 0.3 * action + rng.normal(0.0, 0.1, 4)[user]).astype(np.float64)
        rows = Logged(
            reward=reward,
            propensity=np.array([0.7, 0.3])[action],
            target_propensity=np.array([0.4, 0.6])[action],
            cluster=rng.integers(0, 2**63, 4).astype(np.uint64)[user],
        )
        found = Judged.of(rows, Terms(replicates=1, buckets=64)).result().estimators["ips"]
        held += found.low <= 0.3 + 0.3 * 0.6 <= found.high
    assert held >= 0.84 * runs  # 3 standard errors below 95%


def test_a_few_users_whose_weights_are_all_above_1_have_an_interval_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No reweighting of three users has a mean weight of 1 then; looking for one would never end."""
    looks = 0
    search = likelihood._logs  # pyright: ignore[reportPrivateUsage]

    def counted(*given: Any) -> Any:
        nonlocal looks
        looks += 1
        return search(*given)

    monkeypatch.setattr(likelihood, "_logs", counted)
    rng = np.random.default_rng(0)
    user, reward = np.repeat(np.arange(3, dtype=np.uint64), 100), (rng.random(300) < 0.4).astype(np.float64)
    target = np.where(rng.random(300) < 0.6, 0.7, 0.4)
    rows = Logged(reward=reward, propensity=np.full(300, 0.5), target_propensity=target, cluster=user)
    found = Judged.of(rows, Terms(replicates=1)).result().estimators["ips"]
    low, high = found.intervals["empirical-likelihood"]
    assert looks < 1000
    assert low < found.value < high
    assert high - low > 0.02


@pytest.mark.parametrize("rounding", [0.0, 1e-15])
def test_weights_of_one_are_a_plain_mean(rounding: float) -> None:
    """Logging and target policy are the same: the interval is about Student's."""
    rng = np.random.default_rng(0)
    same = np.full(1000, 0.25)
    rows = Logged(
        reward=rng.normal(size=1000),
        propensity=same,
        target_propensity=same * (1.0 - rounding),
        cluster=np.arange(1000, dtype=np.uint64),
    )
    found = Judged.of(rows, Terms(buckets=100_000, replicates=1)).result().estimators["snips"]
    low, high = found.intervals["asymptotic"]
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.01)
