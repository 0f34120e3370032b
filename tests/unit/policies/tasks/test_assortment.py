"""The drawn assortment: a seed says it all, most SKUs move slowly, and orders are what they are said to be."""

import numpy as np
import pytest

from policies.linalg import Floats
from policies.tasks.assortment import A_SHOP, PATHS, YEAR, Path, Shop, Sku, draw


@pytest.fixture(scope="module")
def skus() -> list[Sku]:
    return draw(np.random.default_rng(3), 40 * A_SHOP)


def rates_of(skus: list[Sku]) -> Floats:
    """Mean orders a day [E]."""
    return np.array([sum(sku.rates) / len(sku.rates) for sku in skus])


def test_a_seed_says_it_all(skus: list[Sku]) -> None:
    again = draw(np.random.default_rng(3), 40 * A_SHOP)
    assert again == skus
    assert draw(np.random.default_rng(4), A_SHOP) != skus[:A_SHOP]


def test_most_are_ordered_less_than_once_a_day_and_some_much_more(skus: list[Sku]) -> None:
    rates = rates_of(skus)
    assert 0.75 < (rates < 1.0).mean() < 0.98
    assert rates.max() > 30.0 * np.median(rates)


def test_shops_are_of_any_size(skus: list[Sku]) -> None:
    shops = np.array([np.median(rates_of(skus[at : at + A_SHOP])) for at in range(0, len(skus), A_SHOP)])
    assert shops.max() > 10.0 * shops.min()


def test_orders_come_in_order_within_the_day_and_are_whole(skus: list[Sku]) -> None:
    for sku in skus[:50]:
        assert len(sku.asked) == YEAR
        for day in sku.asked:
            assert [one.at for one in day] == sorted(one.at for one in day)
            assert all(0.0 <= one.at < 1.0 and one.units >= 1.0 and one.units.is_integer() for one in day)


def test_orders_are_as_many_and_as_large_as_the_sku_says(skus: list[Sku]) -> None:
    orders = sum(len(day) for sku in skus for day in sku.asked)
    assert orders == pytest.approx(YEAR * rates_of(skus).sum(), rel=0.02)
    units = sum(one.units for sku in skus for day in sku.asked for one in day)
    assert units == pytest.approx(YEAR * sum(sku.units for sku in skus), rel=0.05)


def test_counts_of_fast_movers_are_wider_than_poisson_and_those_of_slow_ones_are_not(skus: list[Sku]) -> None:
    counts = {n: np.array([len(day) for day in sku.asked]) for n, sku in enumerate(skus)}
    of_each = {n: each.var() / each.mean() for n, each in counts.items() if each.sum() > 5}
    rates = rates_of(skus)
    slow = [of_each[n] for n in of_each if rates[n] < 0.1]
    fast = [of_each[n] for n in of_each if rates[n] > 3.0]
    assert np.median(slow) < 1.15
    assert np.median(fast) > 1.5


def test_a_shorter_draw_is_the_beginning_of_a_longer_one() -> None:
    short = draw(np.random.default_rng(5), 1, days=20)[0]
    whole = draw(np.random.default_rng(5), 1)[0]
    assert short.asked == whole.asked[:20]


@pytest.mark.parametrize("path", PATHS)
def test_levels_of_demand_are_above_zero_throughout(path: Path) -> None:
    shop = Shop(centre=-1.0, spread=1.0, week=np.ones(7), noise=0.0)
    for seed in range(20):
        levels = path(shop, np.random.default_rng(seed))
        assert levels.shape == (YEAR,)
        assert (levels > 0.0).all()


def test_the_kinds_of_levels_are_what_they_are_called() -> None:
    shop = Shop(centre=-1.0, spread=1.0, week=np.ones(7), noise=0.0)
    stays, jumps, _, swings = (
        [len(np.unique(path(shop, np.random.default_rng(seed)))) for seed in range(20)] for path in PATHS
    )
    assert set(stays) == {1}
    assert set(jumps) <= {1, 2}
    assert 2 in jumps
    assert min(swings) > 50
