"""Where log μ should lie: solved from a market that is known, it spends the budget, in whatever unit."""

from math import exp, log

import numpy as np
import pytest

from policies.bidding.landscape import Landscape
from policies.bidding.outlook import Outlook

MEAN, DEVIATION = -1.0, 0.7  # of log prices
SPREAD = 0.5  # deviation of log values
TOLD = Landscape(MEAN, DEVIATION, 1_000.0)


def _after(values: list[float], money: float, *, first_price: bool = False, unit: float = 1.0) -> Outlook:
    outlook = Outlook.open([0.0, 1e-9, 100.0])
    for value in values:
        outlook.look(unit * value, money, TOLD, first_price=first_price)
    return outlook


@pytest.mark.parametrize("share", [0.1, 0.3, 0.8])
def test_in_a_known_market_of_second_prices_it_spends_the_budget(share: float) -> None:
    rng = np.random.default_rng(1)
    values, prices = rng.lognormal(2.0, SPREAD, 20_000), rng.lognormal(MEAN, DEVIATION, 20_000)
    money = share * float(prices.mean())
    outlook = _after(values[:500].tolist(), money)
    won = values * exp(-outlook.log_mu) >= prices
    assert prices[won].sum() / 20_000 == pytest.approx(money, rel=0.15)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.8])
def test_in_a_known_market_of_first_prices_it_spends_the_budget(share: float) -> None:
    rng = np.random.default_rng(2)
    values, prices = rng.lognormal(2.0, SPREAD, 20_000), rng.lognormal(MEAN, DEVIATION, 20_000)
    money = share * float(prices.mean())
    outlook = _after(values[:500].tolist(), money, first_price=True)
    bids = values * exp(-outlook.log_mu) * TOLD.shade(float(values.mean()) * exp(-outlook.log_mu))
    assert bids[bids >= prices].sum() / 20_000 == pytest.approx(money, rel=0.15)


@pytest.mark.parametrize("first_price", [False, True])
def test_value_in_another_unit_moves_log_mu_by_its_logarithm(first_price: bool) -> None:
    values = np.random.default_rng(3).lognormal(0.0, SPREAD, 50).tolist()
    usual, other = (_after(values, 0.1, first_price=first_price, unit=unit).log_mu for unit in (1.0, 1e-4))
    assert other - usual == pytest.approx(log(1e-4))


def test_before_any_price_it_goes_by_what_is_typical() -> None:
    said = Outlook.open([-1.5, 10.0, 100.0]).look(8.0, 2.0, Landscape(0.0, 1.0, 0.0), first_price=False)
    assert said.log_mu == pytest.approx(log(8.0 / 2.0) - 1.5)
    assert said.more == 10.0


def test_prices_count_for_as_many_auctions_as_were_seen_but_no_more_than_they_are_trusted_for() -> None:
    outlook, landscape = Outlook.open([-1.5, 10.0, 30.0]), Landscape(0.0, 1.0, 0.0)
    worth = list[float]()
    for _ in range(50):
        landscape.observe(1.0, "exact")
        outlook.look(1.0, 1.0, landscape, first_price=False)
        worth.append(outlook.worth)
    assert (worth[0], worth[9], worth[-1]) == (11.0, 20.0, 40.0)


@pytest.mark.parametrize("first_price", [False, True])
@pytest.mark.parametrize("money", [1e-300, 1e-9, 1e9, 1e300])
def test_whatever_money_there_is_it_says_a_number(money: float, first_price: bool) -> None:
    said = Outlook.open([0.0, 1.0, 100.0]).look(1.0, money, TOLD, first_price=first_price)
    assert np.isfinite(said.log_mu)
