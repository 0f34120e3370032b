"""The demand belief: unbiased under stock-outs, fading toward the prior, and the population's prior."""

import math

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.orders.changes import Watch
from policies.orders.demand import FLAT, PRIOR, DemandPopulation, DemandPrior, Evidence

FOREVER = 1e9
WIDE = DemandPrior.of({"a": 0.5, "b": 0.5, "dispersion": 1.0, "half_life_days": FOREVER})


def sold_out_daily(rate: float, stock: int, days: int, seed: int) -> tuple[Evidence, Evidence]:
    """Evidence of `days` that each start with `stock` units: counting only time in stock, and counting all of it."""
    random = torch.Generator().manual_seed(seed)
    censored, naive = Evidence(), Evidence()
    for _ in range(days):
        gaps = torch.empty(stock).exponential_(rate, generator=random).cumsum(0)
        units = int((gaps < 1.0).sum())
        in_stock = 1.0 if units < stock else float(gaps[-1])
        for evidence, watched in ((censored, in_stock), (naive, 1.0)):
            evidence.watch(watched, FOREVER)
            for _ in range(units):
                evidence.sell(1.0)
    return censored, naive


def test_stock_outs_do_not_bias_the_belief() -> None:
    censored, naive = sold_out_daily(rate=5.0, stock=3, days=2000, seed=1)
    assert censored.belief(WIDE).mean == pytest.approx(5.0, rel=0.05)
    assert naive.belief(WIDE).mean < 3.1


def test_forgetting_ends_at_the_prior() -> None:
    evidence = Evidence()
    evidence.watch(100.0, FOREVER)
    evidence.sell(900.0)
    evidence.fade(days=5000.0, half_life_days=100.0)
    belief = evidence.belief(WIDE)
    assert (belief.a, belief.b) == pytest.approx((WIDE.a, WIDE.b), rel=1e-6)


def test_half_of_what_is_known_is_left_after_a_half_life() -> None:
    evidence = Evidence(units=8.0, days=4.0)
    evidence.fade(days=30.0, half_life_days=30.0)
    assert (evidence.units, evidence.days) == pytest.approx((4.0, 2.0))


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 20.0), min_size=1, max_size=12))
def test_watching_in_pieces_is_watching(days: list[float]) -> None:
    whole, pieces = Evidence(), Evidence()
    whole.watch(sum(days), 30.0)
    for piece in days:
        pieces.watch(piece, 30.0)
    assert pieces.days == pytest.approx(whole.days)


def watched_daily(size: int, days: int = 400) -> Evidence:
    """Demand of 4 units a day in orders of `size` units."""
    random = np.random.default_rng(7)
    evidence = Evidence()
    for orders in random.poisson(4.0 / size, days):
        evidence.watch(1.0, FOREVER)
        for _ in range(orders):
            evidence.sell(float(size))
        evidence.judge(Watch(float(orders), 1.0), WIDE)
    return evidence


@pytest.mark.parametrize("size", [1, 4, 10])
def test_demand_in_bulk_is_found_to_be_dispersed_by_its_size(size: int) -> None:
    belief = watched_daily(size).belief(WIDE)
    assert belief.mean == pytest.approx(4.0, rel=0.15)
    assert belief.dispersion == pytest.approx(size, rel=0.25)


def test_bulk_orders_say_less_than_single_units() -> None:
    assert watched_daily(10).belief(WIDE).variance > 5.0 * watched_daily(1).belief(WIDE).variance


def test_a_rate_far_above_all_that_was_foreseen_is_no_dispersion() -> None:
    low = DemandPrior.of({"a": 1.0, "b": 20.0, "half_life_days": FOREVER})
    evidence = Evidence()
    for units in np.random.default_rng(3).poisson(12.0, 20).tolist():
        evidence.watch(1.0, FOREVER)
        for _ in range(units):
            evidence.sell(1.0)
        evidence.judge(Watch(float(units), 1.0), low)
    belief = evidence.belief(low)
    assert belief.dispersion < 2.0
    assert belief.mean > 5.0


def population(a: float, b: float, size: int, seed: int) -> DemandPopulation:
    random = np.random.default_rng(seed)
    watched = DemandPopulation()
    for sku, rate in enumerate(random.gamma(a, 1.0 / b, size)):
        for units in random.poisson(rate, 30):
            watched.update(f"sku-{sku}@north", [[1.0]], [float(units)])
    return watched


def test_the_population_gives_back_the_prior_it_was_drawn_from() -> None:
    prior = population(a=2.0, b=0.5, size=600, seed=3).prior()
    assert prior["a"] == pytest.approx(2.0, rel=0.15)
    assert prior["b"] == pytest.approx(0.5, rel=0.15)
    assert prior["dispersion"] == pytest.approx(1.0, rel=0.05)


def test_the_fastest_sku_does_not_decide_for_all_how_dispersed_and_how_large_orders_are() -> None:
    random = np.random.default_rng(4)
    watched = DemandPopulation()
    for sku in range(40):
        for orders in random.poisson(0.3, 200).tolist():
            watched.update(f"slow-{sku}", [[1.0, float(orders), 0.0]], [float(orders)])
    for orders in random.poisson(random.gamma(2.0, 20.0, 200)).tolist():  # their variance is twenty times their mean
        watched.update("fast", [[1.0, float(orders), 0.0]], [5.0 * orders])
    prior = watched.prior()
    assert prior["dispersion"] < 2.0
    assert prior["size"] < 1.2


def test_watches_that_the_last_unit_ended_do_not_make_orders_seem_to_come_in_clusters() -> None:
    random = np.random.default_rng(8)
    watched = DemandPopulation()
    for sku in range(30):
        for first in random.exponential(1.0 / 0.4, 200).tolist():  # of one unit each morning
            sold = float(first < 1.0)
            watched.update(f"sku-{sku}", [[min(1.0, first), sold, sold]], [sold])
    assert watched.prior()["dispersion"] == pytest.approx(1.0, abs=0.1)


def test_orders_told_together_are_known_to_be_of_single_units_as_those_told_apart_are() -> None:
    together, apart = Evidence(), Evidence()
    for orders in np.random.default_rng(6).poisson(0.5, 300).tolist():
        for evidence in (together, apart):
            evidence.watch(1.0, FOREVER)
        together.sell_together(float(orders), float(orders), 0.0)
        for _ in range(orders):
            apart.sell(1.0)
    assert together.belief(WIDE) == apart.belief(WIDE)
    assert together.belief(WIDE).dispersion < 1.1


def test_too_few_skus_leave_the_shipped_prior() -> None:
    assert population(a=2.0, b=0.5, size=5, seed=3).prior() == PRIOR != FLAT
    assert DemandPopulation().prior() == PRIOR


def test_populations_merge_into_what_one_would_have_seen() -> None:
    one, other, both = DemandPopulation(), DemandPopulation(), DemandPopulation()
    for day in range(40):
        part = one if day % 2 else other
        for sku in range(10):
            units = float((day * sku) % 7)
            part.update(f"{sku}", [[0.5]], [units])
            both.update(f"{sku}", [[0.5]], [units])
    one.merge(other)
    assert one.prior() == pytest.approx(both.prior())


def test_a_population_is_plain_values() -> None:
    seen = population(a=1.0, b=1.0, size=20, seed=5)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(seen), type=DemandPopulation)
    assert again.prior() == seen.prior()


def test_skus_that_are_all_alike_give_a_finite_prior() -> None:
    watched = DemandPopulation()
    for sku in range(20):
        watched.update(f"{sku}", [[10.0]], [20.0])
    prior = watched.prior()
    assert all(math.isfinite(prior[name]) for name in PRIOR)
    assert prior["a"] / prior["b"] == pytest.approx(2.0, rel=0.01)


# ---- Orders that wanted more than there was --------------------------------------------------------------------------


def sold_from(stock: int, *, hear_cut: bool, days: int = 3000) -> Evidence:
    """Two orders a day of two units on average; the shelf holds `stock` each morning."""
    random = np.random.default_rng(5)
    evidence = Evidence()
    for _ in range(days):
        left, at, out_at = stock, 0.0, 1.0
        while (at := at + random.exponential(0.5)) < 1.0 and left > 0:
            wanted = int(random.geometric(0.5))
            evidence.sell(float(min(wanted, left)), cut=hear_cut and wanted >= left)
            left -= min(wanted, left)
            out_at = 1.0 if left > 0 else at
        evidence.watch(out_at, FOREVER)
    return evidence


@pytest.mark.parametrize("stock", [2, 3, 6])
def test_a_basket_that_wanted_more_than_there_was_does_not_bias_the_belief(stock: int) -> None:
    assert sold_from(stock, hear_cut=True).belief(WIDE).mean == pytest.approx(4.0, rel=0.05)


def test_heard_as_whole_such_baskets_would_make_demand_seem_low() -> None:
    assert sold_from(3, hear_cut=False).belief(WIDE).mean < 3.3


def test_orders_that_always_take_all_there_is_leave_the_belief_bounded() -> None:
    evidence = Evidence()
    for _ in range(500):
        evidence.watch(1.0, FOREVER)
        evidence.sell(12.0, cut=True)
    assert 12.0 <= evidence.belief(WIDE).mean <= 3.1 * 12.0


def test_an_order_seen_to_be_whole_after_all_counts_as_one() -> None:
    whole, mended = Evidence(), Evidence()
    for evidence in (whole, mended):
        evidence.watch(4.0, FOREVER)
        evidence.sell(2.0)
    whole.sell(3.0)
    mended.sell(3.0, cut=True)
    assert mended.belief(WIDE).mean > whole.belief(WIDE).mean
    mended.uncut(1.0)
    assert mended.belief(WIDE).mean == pytest.approx(whole.belief(WIDE).mean)


def test_evidence_kept_before_orders_were_told_apart_is_of_single_units() -> None:
    kept = msgspec.convert([20.0, 10.0, 0.0, 0.0, 0.0, 0.0], Evidence)
    assert kept.belief(WIDE).mean == pytest.approx(20.5 / 10.5)


def test_the_population_gives_back_the_size_of_orders_that_stock_cut_off() -> None:
    random = np.random.default_rng(9)
    watched = DemandPopulation()
    for sku in range(50):
        for _ in range(40):
            wanted, left = int(random.geometric(0.5)), int(random.integers(1, 6))
            told = [[1.0, 1.0, float(wanted >= left)]]
            watched.update(f"sku-{sku}@north", told, [float(min(wanted, left))])
    assert watched.prior()["size"] == pytest.approx(2.0, rel=0.07)
