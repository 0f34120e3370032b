"""The prior that a worker's campaigns start from, in any shop: re-estimated on simulated flights, then tried.

What campaigns have in common is read from their flights by the code that the learner reads a shop's by, with log μ
counted in each campaign's own money and values. What that says of money itself (log μ, prices, orders) holds in no
other shop and is left as good as unsaid. What each number is worth, in auctions, is then tried by turns: the share of
the value in hindsight that is lost, and money beyond the budget counts `PASSED` times. The verdict is by flights of
other campaigns.
"""

from collections.abc import Callable, Sequence
from math import log
from typing import Final

import numpy as np

from policies.artefact import Array
from policies.bidding.pacing import FLAT
from policies.bidding.population import Flight, reestimate
from policies.tasks.campaigns import LENGTHS, Campaign, Flown, drawn, fly
from policies.version import Priors

Tell = Callable[[str], None]

FLIGHTS: Final = 150  # learned from, and as many others judged on
PASSED: Final = 10.0
OPEN: Final = (0.0, 10.0, 100.0)  # the outlook that campaigns are flown by before any is learned
STRENGTHS: Final = (0.1, 1.0, 10.0)  # of a log μ that is in no shop's unit
TYPICAL: Final = (2.0, 5.0, 10.0, 20.0)
PRICES: Final = (0.0, 30.0, 100.0)
LAGS: Final = (16.0, 32.0, 64.0)


def train(
    seed: int, tell: Tell, *, flights: int = FLIGHTS, lengths: tuple[int, int] = LENGTHS
) -> tuple[dict[str, Array], dict[str, str]]:
    """The tensors that workers go by, and what is said of them. A few minutes on one core."""
    rng = np.random.default_rng([seed, 0])
    given = [drawn(rng, lengths) for _ in range(flights)]
    prior = _learned(given, rng)
    tell(f"log μ·ρ/v̄ of {flights} campaigns: {prior['outlook'][0]:.3f}")
    for name, place, choices in (
        ("outlook", 1, TYPICAL),
        ("outlook", 2, PRICES),
        ("lag", None, LAGS),
        ("strength", None, STRENGTHS),
    ):
        tried = {choice: lost(_put(prior, name, place, choice), given) for choice in choices}
        prior = _put(prior, name, place, min(tried, key=lambda choice, tried=tried: tried[choice]))
        said = ", ".join(f"{choice:g} {found:.4f}" for choice, found in tried.items())
        tell(f"{name}{'' if place is None else f'[{place}]'}: {said}")
    rng = np.random.default_rng([seed, 1])
    others = [drawn(rng, lengths) for _ in range(flights)]
    flat, now = lost(FLAT, others), lost(prior, others)
    tell(f"value lost on {flights} campaigns of other markets: flat prior {flat:.4f}, learned {now:.4f}")
    about = {"live_loss": f"{now:.5f}", "live_loss_flat_prior": f"{flat:.5f}"}
    return {name: np.array(value, dtype=np.float64) for name, value in prior.items()}, about


def lost(prior: Priors, given: Sequence[Campaign]) -> float:
    """The mean share of the value in hindsight that is lost, and what was spent beyond the budgets."""
    flown = [fly(each, prior) for each in given]
    return float(np.mean([each.lost + PASSED * each.passed for each in flown]))


def _learned(given: Sequence[Campaign], rng: np.random.Generator) -> Priors:
    """What flights from a prior that knows nothing come to, as the learner would tell it; money is left out."""
    start = FLAT | {"outlook": list(OPEN)}
    found = reestimate([_told(each, fly(each, start), rng) for each in given], FLAT)
    return FLAT | {
        "outlook": [found["log_mu"], *OPEN[1:]],
        "ctr": found["ctr"],
        "cvr": found["cvr"],
        "revenue": [*FLAT["revenue"][:2], found["revenue"][2]],
    }


def _told(given: Campaign, flown: Flown, rng: np.random.Generator) -> Flight:
    """A flight as the learner hears of it; log μ and log prices in the campaign's own money and values."""
    auctions, steering = given.auctions, flown.steering
    log_money = log(auctions.budget / len(auctions.value))
    clicks = int(rng.binomial(flown.wins, given.click_rate))
    orders = rng.normal(0.0, given.order[1], int(rng.binomial(clicks, given.conversion_rate)))
    return Flight(
        log_mu=steering.pace.settled - log(float(auctions.value.mean())) + log_money,
        auctions=len(auctions.value),
        impressions=flown.wins,
        clicks=clicks,
        conversions=len(orders),
        log_revenue=float(orders.sum()),
        log_revenue_squared=float((orders**2).sum()),
        log_price=steering.landscape.mean - log_money,
        log_price_deviation=steering.landscape.deviation,
        lag=steering.inflight.bound(0.0),
        budget=auctions.budget,
        spent=auctions.budget,
    )


def _put(prior: Priors, name: str, place: int | None, value: float) -> Priors:
    """A prior with one of its numbers another."""
    if place is None:
        return prior | {name: value}
    return prior | {name: [*prior[name][:place], value, *prior[name][place + 1 :]]}
