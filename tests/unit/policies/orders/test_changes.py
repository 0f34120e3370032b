"""Hypotheses of the last change of demand: found where there is one, constant in size, sound after anything."""

import math
from dataclasses import replace
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.orders.changes import HYPOTHESES, Level, Run, Watch, gamma_of, judged
from policies.orders.demand import PRIOR as SHIPPED
from policies.orders.demand import DemandPrior, Evidence

PRIOR = DemandPrior.of({"a": 1.3, "b": 2.0, "size": 1.0})
NEVER = replace(PRIOR, hazard=0.0)


def watched(rates: list[float], prior: DemandPrior, seed: int = 1) -> Evidence:
    """A day's watch at each of these rates, single units."""
    random, evidence = np.random.default_rng(seed), Evidence()
    for orders in random.poisson(rates).tolist():
        evidence.watch(1.0, prior.half_life_days)
        evidence.sell_together(orders, orders, 0.0)
        evidence.judge(Watch(orders, 1.0), prior)
    return evidence


@pytest.mark.parametrize(("before", "after"), [(1.0, 3.0), (3.0, 1.0), (10.0, 15.0), (4.0, 0.05)])
def test_a_jump_is_followed_sooner_than_by_forgetting(before: float, after: float) -> None:
    rates = [before] * 200 + [after] * 40
    found, faded = (
        np.mean([abs(watched(rates, prior, seed).belief(prior).mean - after) for seed in range(5)])
        for prior in (PRIOR, NEVER)
    )
    assert found < 0.4 * faded


def test_a_level_that_stays_is_believed_to_have_stayed() -> None:
    evidence = watched([2.0] * 300, PRIOR, seed=4)
    assert evidence.runs[0].weight > 0.8
    alone = watched([2.0] * 300, NEVER, seed=4).belief(NEVER)
    assert evidence.belief(PRIOR).mean == pytest.approx(alone.mean, rel=0.05)


def test_a_change_that_is_doubted_widens_the_belief() -> None:
    settled = watched([3.0] * 100, PRIOR, seed=2)
    doubting = watched([3.0] * 100 + [0.0] * 2, PRIOR, seed=2)
    assert doubting.belief(PRIOR).variance > 2.0 * settled.belief(PRIOR).variance


def test_without_a_hazard_there_is_one_level() -> None:
    assert watched([1.0] * 50 + [9.0] * 50, NEVER).runs == []


def test_hypotheses_lie_an_expected_order_apart() -> None:
    """A slow mover's would else all be of the last few days."""
    ages = [run.days for run in watched([0.1] * 300, PRIOR, seed=3).runs]
    assert len(ages) == HYPOTHESES
    assert all(older - younger > 3.0 for older, younger in pairwise(ages))


def test_what_is_foretold_of_a_watch_is_foretold_without_it() -> None:
    """By hand: two hypotheses, Γ(α + n) / Γ(α) · β^α / (β + d)^(α + n) under the sums of before."""
    level, watch, later = Level(1.5, 2.0, 0.01), Watch(3.0, 1.0), Watch(2.0, 0.5)
    before = Run(1.0, 10.0, 5.0)
    runs = judged([before.plus(watch.orders + later.orders, watch.days + later.days)], watch, later, level, 1.0)

    def likelihood(a: float, b: float) -> float:
        return math.gamma(a + 3.0) / math.gamma(a) * b**a / (b + 1.0) ** (a + 3.0)

    chance, before_rate = 1.0 - math.exp(-0.01), 11.5 / 7.0  # above the population's: the new level's is as high
    odds = (1.0 - chance) * likelihood(11.5, 7.0), chance * likelihood(1.5, 1.5 / before_rate)
    assert [run.weight for run in runs] == pytest.approx([one / sum(odds) for one in odds])
    assert (runs[1].orders, runs[1].days) == (5.0, 1.5)


def test_hypotheses_that_agree_come_to_what_each_of_them_says() -> None:
    level = Level(0.5, 0.75, 0.001)
    assert gamma_of([Run(0.3, 8.0, 4.0), Run(0.7, 8.0, 4.0)], level, 2.0) == pytest.approx((4.5, 2.75))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.0, 3.0, 1e3, 1e7, 1e30]), st.sampled_from([0.0, 1e-6, 0.25, 1.0, 900.0, 1e9]))
    ),
    st.sampled_from([1e-9, 0.001, 1.0, 1e3]),
)
def test_whatever_is_seen_the_belief_stays_finite_and_the_state_bounded(
    watches: list[tuple[float, float]], hazard: float
) -> None:
    prior, evidence = replace(PRIOR, hazard=hazard), Evidence()
    for orders, days in watches:
        evidence.watch(days, prior.half_life_days)
        evidence.sell_together(3.0 * orders, orders, 0.0)
        evidence.judge(Watch(orders, days), prior)
        assert all(run.days <= evidence.days * (1.0 + 1e-9) for run in evidence.runs)  # of the same days, or fewer
        evidence.recall(-0.5 * days, prior.half_life_days)
        belief = evidence.belief(prior)
        assert all(math.isfinite(one) and one > 0.0 for one in (belief.a, belief.b, belief.dispersion))
    assert len(evidence.runs) <= HYPOTHESES
    if evidence.runs:
        assert sum(run.weight for run in evidence.runs) == pytest.approx(1.0)


def test_what_was_stored_before_there_were_hypotheses_goes_on_as_one() -> None:
    old = [20.0, 10.0, 10.0, 44.0, 20.0, 10.0, 0.0, 0.0, 1.0]
    evidence = msgspec.convert(old, Evidence)
    before = evidence.belief(PRIOR)
    assert before.mean == pytest.approx(21.3 / 12.0)
    evidence.judge(Watch(2.0, 1.0), PRIOR)
    assert evidence.belief(PRIOR).mean == pytest.approx(before.mean, rel=0.02)
    again = msgspec.convert(msgspec.to_builtins(evidence), Evidence)
    assert again == evidence


def test_a_prior_from_before_there_were_hypotheses_has_the_hazard_that_ships() -> None:
    assert DemandPrior.of({"a": 1.0, "b": 2.0, "size": 1.0}).hazard == SHIPPED["hazard"]


def test_after_many_years_it_is_as_if_only_what_is_left_had_been_seen() -> None:
    """Sums fade and weights are made to sum to one at each watch: nothing piles up."""
    random, evidence = np.random.default_rng(6), Evidence()
    for orders in random.poisson(2.0, 5_000).tolist():
        evidence.watch(1.0, PRIOR.half_life_days)
        evidence.sell_together(orders, orders, 0.0)
        evidence.judge(Watch(orders, 1.0), PRIOR)
    whole = evidence.runs[0]
    assert (whole.orders, whole.days) == (pytest.approx(evidence.orders), pytest.approx(evidence.days))
    assert evidence.belief(PRIOR).mean == pytest.approx(2.0, rel=0.1)
