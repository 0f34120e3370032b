"""Pacing as maths: where μ goes, what a cap can cost, when a change matters, what a population teaches."""

from math import exp, inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.bidding.inflight import InFlight
from policies.bidding.landscape import Landscape
from policies.bidding.pacing import PRIOR, Bid, Pace, Plan, Published, bid_of, matters, stop
from policies.bidding.population import Flight, PacingPopulation, reestimate
from policies.bidding.quality import Tally, quality

DAY = 86_400_000
PLAN = Plan(10.0, 0, DAY, 0.0, 5.0, (0.0, 0.0, 1.0), False)


def _pace() -> Pace:
    return Pace.open(PRIOR, PLAN, 0)


def test_losing_lowers_mu_and_paying_dearly_raises_it() -> None:
    cheap, dear = _pace(), _pace()
    cheap.observe(0.0, 10.0, PLAN, 1_000, log_mu=0.0, capped=False)
    dear.observe(5.0, 5.0, PLAN, 1_000, log_mu=0.0, capped=False)
    assert cheap.log_mu < 0.0 < dear.log_mu


def test_a_loss_under_the_cap_says_nothing_of_mu() -> None:
    pace = _pace()
    pace.observe(0.0, 10.0, PLAN, 1_000, log_mu=pace.log_mu, capped=True)
    assert pace.log_mu == 0.0


def test_no_auction_moves_mu_by_more_than_a_step() -> None:
    pace = _pace()
    pace.observe(9.999, 0.001, PLAN, 1, log_mu=pace.log_mu, capped=False)
    assert pace.log_mu == 0.5


def test_payments_under_an_older_mu_are_carried_over_to_the_present_one() -> None:
    late, timely = _pace(), _pace()
    for _ in range(40):  # each pays far more than the budget can bear
        late.observe(10.0, 10.0, PLAN, 1_000, log_mu=0.0, capped=False)
        timely.observe(10.0, 10.0, PLAN, 1_000, log_mu=timely.log_mu, capped=False)
    assert late.log_mu < 10.5
    assert timely.log_mu > 12.0


def test_losses_that_were_in_flight_do_not_add_up() -> None:
    late, timely = _pace(), _pace()
    for _ in range(400):  # all of them bid by the first μ, however low it is by now
        late.observe(0.0, 10.0, PLAN, 1_000, log_mu=0.0, capped=False)
        timely.observe(0.0, 10.0, PLAN, 1_000, log_mu=timely.log_mu, capped=False)
    assert -1.0 <= late.log_mu < -0.5
    assert timely.log_mu < -2.0


def test_the_arrival_rate_is_learned() -> None:
    pace = _pace()
    for i in range(1, 501):
        pace.observe(0.0, 10.0, PLAN, i * DAY // 1_000, log_mu=pace.log_mu, capped=True)
    assert pace.per_ms * DAY == pytest.approx(1_000, rel=0.01)


@pytest.mark.parametrize("start", [-2.0, 0.0, 3.0])
def test_mu_settles_where_the_budget_lasts(start: float) -> None:
    rng = np.random.default_rng(1)
    budget, auctions = 0.3 * 4_000 * exp(-1.82), 4_000
    plan = Plan(budget, 0, DAY, 0.0, 5.0, (0.0, 0.0, 1.0), False)
    pace, spent = Pace.open({**PRIOR, "log_mu": start}, plan, 0), 0.0
    for i, (v, p) in enumerate(zip(rng.beta(2, 8, auctions), rng.lognormal(-2, 0.6, auctions), strict=True)):
        cost = float(p) if v * exp(-pace.log_mu) >= p else 0.0
        spent += cost
        pace.observe(cost, budget - spent, plan, (i + 1) * DAY // (auctions + 1), log_mu=pace.log_mu, capped=False)
    assert pace.settled == pytest.approx(log(1.39), abs=0.1)  # that of the hindsight knapsack
    assert spent == pytest.approx(budget, rel=0.03)


# ---- The cap ---------------------------------------------------------------------------------------------------------


@given(
    lag=st.integers(0, 40),
    prior=st.floats(1, 40),
    pays=st.lists(st.floats(0, 1), min_size=1, max_size=400),
)
def test_no_run_of_payments_under_late_caps_can_pass_the_budget(lag: int, prior: float, pays: list[float]) -> None:
    """The worst case within the bound: each auction runs under the cap of `lag` auctions ago and pays a share of it."""
    inflight = InFlight(prior=max(prior, lag + 1.0))
    remaining = 1.0
    caps = [inflight.safe_bid(remaining, 0.0)] * (lag + 1)
    for share in [*pays, *[1.0] * 200]:
        remaining -= share * caps[-1 - lag]
        assert remaining > 0.0
        caps.append(inflight.safe_bid(remaining, 0.0))


def test_lag_is_measured_from_the_echoes() -> None:
    inflight = InFlight(prior=16.0)
    inflight.published("a")
    inflight.auction("a")
    inflight.published("b")
    for _ in range(5):
        inflight.auction("a")
    assert inflight.longest == 5
    inflight.auction("b")
    assert inflight.recent == [5]
    assert inflight.pending == []


def test_the_bound_rises_at_once_and_falls_slowly() -> None:
    inflight = InFlight(prior=4.0)
    inflight.published("a")
    inflight.auction("a")
    inflight.published("b")
    bounds = list[float]()
    for _ in range(30):
        inflight.auction("a")
        bounds.append(inflight.bound(0.0))
    assert bounds == sorted(bounds)
    assert bounds[-1] > 30.0
    inflight.auction("b")
    inflight.published("c")
    inflight.auction("c")
    assert inflight.bound(0.0) > 30.0


def test_an_overtaken_auction_still_counts_as_lag() -> None:
    inflight = InFlight(prior=2.0)
    for name in ("a", "b"):
        inflight.published(name)
        inflight.auction(name)
    inflight.auction("b")
    inflight.auction("a")
    assert inflight.longest == 3


def test_echoes_of_ids_never_published_say_nothing() -> None:
    inflight = InFlight(prior=16.0)
    inflight.published("a")
    for _ in range(100):
        inflight.auction("nonsense")
        inflight.auction(None)
    assert inflight.bound(0.0) == 16.0


# ---- The bid ---------------------------------------------------------------------------------------------------------


@given(st.floats(-12, 12), st.floats(0, 3), st.floats(0, 10), st.floats(0, 10), st.floats(0, 1), st.floats(0, 2))
def test_a_bid_keeps_its_bounds(
    log_mu: float, low: float, width: float, safe: float, value: float, scale: float
) -> None:
    plan = Plan(10.0, 0, DAY, low, low + width, (0.0, 0.0, 1.0), False)
    pace = _pace()
    pace.log_mu = log_mu
    bid = bid_of(plan, pace, scale + 0.1, value, 5.0, safe, 0.0)
    if bid.live:
        assert plan.bid_min <= bid.max_bid <= min(plan.bid_max, safe)
        assert bid.multiplier * value >= plan.bid_min * (value > 0) * (1 - 1e-9)
    else:
        assert bid.max_bid == 0.0
        assert bid.why_stopped


def test_what_matters() -> None:
    before = Published(1.0, 2.0, 0)

    def said(multiplier: float, max_bid: float, safe: float = inf, now: int = DAY // 2) -> str:
        return matters(before, Bid(multiplier=multiplier, max_bid=max_bid, safe=safe), PLAN, now)

    assert said(1.04, 2.0) == ""
    assert "slowly" in said(1.06, 2.0)
    assert "fast" in said(0.94, 2.0)
    assert said(0.5, 2.0, now=1) == ""  # too soon
    assert "cap" in said(1.0, 1.0, safe=1.5, now=1)  # never too soon for safety
    assert matters(before, stop("over"), PLAN, 1) == "over"
    assert matters(None, stop("over"), PLAN, 1) == ""
    assert matters(Published(0.0, 0.0, 0), stop("over"), PLAN, 1) == ""


# ---- Prices, quality, population -------------------------------------------------------------------------------------


@pytest.mark.parametrize("first_price", [False, True])
def test_the_landscape_is_learned_from_censored_prices(first_price: bool) -> None:
    rng = np.random.default_rng(3)
    landscape = Landscape.open(PRIOR)
    for price, bid in zip(rng.lognormal(-2, 0.6, 4_000), rng.lognormal(-2, 0.5, 4_000), strict=True):
        if bid < price:
            landscape.observe(float(bid), "above")
        elif first_price:
            landscape.observe(float(bid), "below")
        else:
            landscape.observe(float(price), "exact")
    assert landscape.mean == pytest.approx(-2, abs=0.1)
    assert landscape.deviation == pytest.approx(0.6, abs=0.1)


def test_shading_beats_bidding_all_that_it_is_worth() -> None:
    landscape = Landscape(mean=-2.0, deviation=0.6, weight=100.0)
    worth = 0.3
    shade = landscape.shade(worth)
    grid = np.linspace(0.01, 1.0, 500) * worth
    best = max((worth - b) * landscape.win_rate(float(b)) for b in grid)
    assert (1 - shade) * worth * landscape.win_rate(shade * worth) == pytest.approx(best, rel=1e-3)
    assert 0.1 <= shade < 1.0


def test_quality_follows_what_the_campaign_wants() -> None:
    clicked = Tally(impressions=1_000, clicks=40)
    assert quality(clicked, (1.0, 0.0, 0.0), PRIOR).index > 1.5
    assert quality(clicked, (0.0, 1.0, 0.0), PRIOR).index < 1.0
    assert quality(clicked, (0.0, 0.0, 1.0), PRIOR).index == 1.0  # nothing known of revenue in the population
    assert quality(Tally(), (1.0, 1.0, 1.0), PRIOR).index == 1.0
    assert quality(Tally(impressions=10, clicks=500), (1.0, 0.0, 0.0), PRIOR).index == 2.0


def _flight(log_mu: float, auctions: float = 1_000.0) -> list[float]:
    flight = Flight(log_mu, auctions, 400.0, 12.0, 3.0, 3.0 * log(20.0), 3.0 * log(20.0) ** 2, -2.0, 0.6, 2.0, 9.0, 8.0)
    return list(flight)


def test_a_population_moves_the_prior_to_where_its_campaigns_settled() -> None:
    population = PacingPopulation()
    for i in range(20):
        population.update(f"c{i}", [_flight(0.9 + 0.01 * (i % 3))], [1.0])
    prior = population.prior()
    assert prior["log_mu"] == pytest.approx(0.91, abs=0.02)
    assert prior["strength"] > 100.0
    assert prior["ctr"][0] / sum(prior["ctr"]) == pytest.approx(0.03, abs=0.002)
    assert prior["revenue"][0] == pytest.approx(log(20.0))
    assert prior.keys() == PRIOR.keys()


def test_a_campaign_told_again_replaces_itself_and_order_does_not_matter() -> None:
    first, second = PacingPopulation(), PacingPopulation()
    first.update("a", [_flight(0.1)], [1.0])
    first.update("b", [_flight(0.7)], [1.0])
    first.update("a", [_flight(0.5)], [1.0])
    second.update("a", [_flight(0.5)], [1.0])
    second.update("b", [_flight(0.7)], [1.0])
    assert first.prior() == second.prior()
    first.remove("a")
    first.remove("b")
    assert first.prior() == PRIOR


def test_flights_too_short_to_tell_teach_nothing() -> None:
    assert reestimate([Flight(*_flight(3.0, auctions=10.0))]) == PRIOR


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 1e6)), max_size=6))
def test_any_population_gives_a_usable_prior(flights: list[tuple[float, float]]) -> None:
    prior = reestimate([Flight(*_flight(*flight)) for flight in flights])
    pace = Pace.open(prior, PLAN, 0)
    pace.observe(0.1, 9.9, PLAN, 1_000, log_mu=pace.log_mu, capped=False)
    assert abs(pace.log_mu) < 12.0
    assert prior["lag"] >= 2.0
