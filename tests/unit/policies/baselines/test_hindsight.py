"""The hindsight optimum: no choice of auctions within the budget is worth more, and bins lose next to nothing."""

import math
import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.baselines.hindsight import Auctions, hindsight_value

money = st.floats(0.01, 10)
auctions = st.lists(st.tuples(money, money), max_size=8)


@given(auctions, st.floats(0, 30))
def test_no_whole_choice_within_the_budget_is_worth_more(seen: list[tuple[float, float]], budget: float) -> None:
    choices = (chosen for size in range(len(seen) + 1) for chosen in combinations(seen, size))
    possible = (chosen for chosen in choices if sum(price for _, price in chosen) <= budget)
    best = max(sum(value for value, _ in chosen) for chosen in possible)
    assert hindsight_value(seen, budget) >= best - 1e-9


@given(auctions, st.floats(0, 30))
def test_bins_give_the_same_to_a_fifth_of_a_percent(seen: list[tuple[float, float]], budget: float) -> None:
    binned = Auctions()
    for value, price in seen:
        binned.add(value, price)
    assert binned.best(budget) == pytest.approx(hindsight_value(seen, budget), rel=0.004, abs=1e-9)


def test_what_is_free_is_always_bought() -> None:
    binned = Auctions()
    binned.add(3.0, 0.0)
    assert binned.best(0.0) == hindsight_value([(3.0, 0.0)], 0.0) == 3.0


def paced(seed: int) -> float:
    """Share of the optimum of cold dual pacing: bid v/μ, μ ← μ·exp(ε·(spend − ρ)/ρ)."""
    draw = random.Random(seed)
    seen = [(draw.betavariate(2, 8), draw.lognormvariate(-2, 0.6)) for _ in range(1_000)]
    budget = 0.3 * sum(price for _, price in seen)
    rate, mu, left, won = budget / len(seen), 1.0, budget, 0.0
    for value, price in seen:
        spent = price if min(value / mu, left) > price else 0.0
        won, left = won + value * (spent > 0), left - spent
        mu *= math.exp(0.005 * (spent - rate) / rate)
    return won / hindsight_value(seen, budget)


def test_cold_pacing_reaches_the_share_that_was_measured_before() -> None:
    # v ~ Beta(2, 8), p ~ LogNormal(−2, .6), 1,000 auctions, budget for 30% of their cost: 0.967.
    assert sum(paced(seed) for seed in range(20)) / 20 == pytest.approx(0.967, abs=0.01)
