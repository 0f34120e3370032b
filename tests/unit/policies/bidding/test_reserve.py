"""The reserve for bids in flight: how often what they cost passes it, and that it lets go of what it needn't hold."""

from math import exp

import numpy as np
import pytest

from policies.bidding.reserve import DOUBT, MEMORY, Payments


def _payments(rng: np.random.Generator, auctions: int, scale: float) -> np.ndarray:
    """[auctions] what value/μ pays in second-price auctions, bids times `scale`; losses are 0."""
    bids, rivals = scale * rng.beta(2, 8, auctions), rng.lognormal(-2, 0.6, auctions)
    return np.where(bids >= rivals, rivals, 0.0)


@pytest.mark.parametrize(
    ("seen", "in_flight", "least"), [(20, 10, 0.1), (50, 50, 0.3), (300, 40, 0.4), (300, 400, 0.5)]
)
def test_what_is_in_flight_hardly_ever_costs_more_than_the_allowance(seen: int, in_flight: int, least: float) -> None:
    """Bids are held back to where the reserve says, which is where the allowance is tight."""
    rng, passed, used, trials = np.random.default_rng(seen + in_flight), 0, 0.0, 1_500
    for _ in range(trials):
        payments = Payments()
        for paid in _payments(rng, seen, 1.0).tolist():
            payments.observe(paid, 0.0)
        allowance = 0.05 * in_flight
        held = payments.reserve(allowance, 0.0, in_flight, 1e6)
        cost = float(np.minimum(held.share * _payments(rng, in_flight, 1.0), held.cap).sum())
        passed += cost > allowance
        used += cost / allowance
    assert passed <= 2.0 * DOUBT * trials
    assert used / trials > least


def test_much_money_holds_nothing_back_and_none_holds_all() -> None:
    payments = Payments()
    for paid in _payments(np.random.default_rng(1), 200, 1.0).tolist():
        payments.observe(paid, 0.0)
    rich, poor = payments.reserve(50.0, 0.0, 40.0, 1e6), payments.reserve(0.5, 0.0, 40.0, 1e6)
    assert (rich.share, rich.cap > 5.0) == (1.0, True)
    assert poor.share < 0.6
    assert poor.cap < 0.5
    assert payments.reserve(0.0, 0.0, 40.0, 1e6).cap == 0.0
    assert Payments().reserve(50.0, 0.0, 40.0, 1e6).cap == 0.0


def test_no_more_is_reserved_for_than_the_flight_still_has() -> None:
    payments = Payments()
    for paid in _payments(np.random.default_rng(1), 200, 1.0).tolist():
        payments.observe(paid, 0.0)
    assert payments.reserve(0.7, 0.0, 400.0, 2.0).share > 2.0 * payments.reserve(0.7, 0.0, 400.0, 1e6).share


def test_payments_follow_mu_and_fade() -> None:
    dear, cheap = Payments(), Payments()
    for _ in range(100):
        dear.observe(0.1, 0.0)
        cheap.observe(0.1 * exp(-1.0), 1.0)  # the same market at a higher μ
    assert dear.reserve(1.0, 0.5, 40.0, 1e6) == pytest.approx(cheap.reserve(1.0, 0.5, 40.0, 1e6))
    for _ in range(10 * int(MEMORY)):
        dear.observe(0.01, 0.0)
    assert dear.auctions == pytest.approx(MEMORY)
    assert dear.total / dear.auctions == pytest.approx(0.01, rel=0.01)
