"""The prior that a new campaign's bids start from: which markets there are, and how far to trust that.

Weights of the markets by expectation-maximisation over simulated ones; then how many auctions the prior counts for,
when a change is believed and how hasty to spend, each by the loss against hindsight on flights through other markets.
For first-price auctions: how log prices are spread between and within the markets, and what that counts for.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp, log
from typing import Final

import numpy as np

from policies.artefact import Array
from policies.bidding.blocks import CELLS, WIDTH
from policies.bidding.first_price import FirstPriceBidder
from policies.bidding.flight import Bidder, FlightBidder
from policies.bidding.markets import FLAT, GRID, SCHEMA, MarketPrior, evidence
from policies.bidding.spending import Spending
from policies.linalg import Floats
from policies.tasks.auctions import Account, Auctions, draw, hindsight, population

Tell = Callable[[str], None]

MARKETS: Final = 600
SAMPLE: Final = 400  # auctions of each market
WORTH: Final = 50.0  # of which its curve counts for so many: more would claim that the grid fits exactly
ROUNDS: Final = 100
DOUBT: Final = 0.1  # the weight of the flat prior: there are markets that nobody simulated
FLIGHTS: Final = 80
LENGTHS: Final = (100, 10_000)  # auctions in a flight
STRENGTHS: Final = (10.0, 20.0, 40.0, 80.0)
ALARMS: Final = (3.0, 3.5, 4.0, 4.5)
HASTES: Final = (1.0, 1.03, 1.06, 1.1)
BELIEVED: Final = (0.0, 2.0, 5.0, 10.0, 20.0)  # auctions that a prior over prices counts for


@dataclass(frozen=True, slots=True)
class Loss:
    """Mean loss against hindsight over flights, each drawn from its own seed."""

    flights: list[Auctions]
    first_price: bool = False

    def __call__(self, prior: MarketPrior) -> float:
        return float(np.mean([self._one(prior, given) for given in self.flights]))

    def _one(self, prior: MarketPrior, given: Auctions) -> float:
        best = hindsight(given)
        account, length = Account(given.budget), len(given.value)
        bidder: Bidder = FlightBidder(auctions=length, budget=given.budget, prior=prior)
        if self.first_price:
            bidder = FirstPriceBidder(auctions=length, budget=given.budget, landscape=prior.landscape)
        account.fly(bidder, given.value, given.price, first_price=self.first_price)
        return 1.0 - account.won / best if best > 0.0 else 0.0


def train(
    seed: int, tell: Tell, *, markets: int = MARKETS, flights: int = FLIGHTS
) -> tuple[dict[str, Array], dict[str, str]]:
    """The tensors of the shipped artefact, and what is said of them. A few minutes on one core."""
    rng = np.random.default_rng(seed)
    prior = replace(FLAT, log_weight=weights_of(np.stack([_told_by_market(rng) for _ in range(markets)])))
    tell(f"weights of {len(GRID)} kinds of market from {markets} simulated ones")
    loss = Loss([_flight(rng) for _ in range(flights)])
    flat = loss(FLAT)
    best = loss(prior)
    tell(f"loss against hindsight over {flights} flights: flat prior {flat:.4f}, learned weights {best:.4f}")
    for name, choices in (("strength", STRENGTHS), ("alarm", ALARMS), ("haste", HASTES)):
        tried = {choice: loss(replace(prior, **{name: choice})) for choice in choices}
        chosen = min(tried, key=lambda choice, tried=tried: tried[choice])
        prior, best = replace(prior, **{name: chosen}), tried[chosen]
        tell(f"{name}: " + ", ".join(f"{choice:g} {found:.4f}" for choice, found in tried.items()))
    about = {"schema": SCHEMA, "seed": str(seed), "loss": f"{best:.5f}", "loss_flat_prior": f"{flat:.5f}"}
    prior, told = _prices(prior, rng, markets, Loss(loss.flights, first_price=True), tell)
    settings = np.array([prior.strength, prior.alarm, prior.haste])
    return {"log_weight": prior.log_weight, "settings": settings, "landscape": np.array(prior.price)}, about | told


def _prices(
    prior: MarketPrior, rng: np.random.Generator, markets: int, loss: Loss, tell: Tell
) -> tuple[MarketPrior, dict[str, str]]:
    """The prior with what it says of prices, and what is said of that."""
    mean, deviation = _spread(rng, markets)
    of = {strength: loss(replace(prior, price=(mean, deviation, strength))) for strength in BELIEVED}
    chosen = min(of, key=lambda strength: of[strength])
    flat = loss(FLAT)
    tell(f"first price, flat prior {flat:.4f}; " + ", ".join(f"{each:g} {found:.4f}" for each, found in of.items()))
    about = {"first_price_loss": f"{of[chosen]:.5f}", "first_price_loss_flat_prior": f"{flat:.5f}"}
    return replace(prior, price=(mean, deviation, chosen)), about


def _spread(rng: np.random.Generator, markets: int) -> tuple[float, float]:
    """Mean and deviation of log price/ρ over all auctions of so many markets."""
    means, squares = np.zeros(markets), np.zeros(markets)
    for at in range(markets):
        market, share = population(rng, shifting=0.0)
        given = draw(market, SAMPLE, share, rng)
        log_price = np.log(given.price / (given.budget / SAMPLE))
        means[at], squares[at] = log_price.mean(), (log_price**2).mean()
    mean = float(means.mean())
    return mean, float(np.sqrt(squares.mean() - mean * mean))


def _told_by_market(rng: np.random.Generator) -> Floats:
    """[G] log likelihood of each kind of market, after all prices of a simulated one were seen."""
    market, share = population(rng, shifting=0.0)
    given = draw(market, SAMPLE, share, rng)
    per_auction = given.budget / SAMPLE
    middle = CELLS / 2
    seen = Spending(origin=log(float(given.value.mean())) - middle * WIDTH)
    for value, price in zip(given.value.tolist(), given.price.tolist(), strict=True):
        seen.observe(value, log_mu=seen.origin, paid=price / per_auction)
    return evidence(seen.total, middle) * (WORTH / SAMPLE)


def weights_of(told: Floats) -> Floats:
    """[G] log weights that make the markets likeliest: [M, G] log likelihoods in, expectation-maximisation."""
    likely = np.exp(told - told.max(axis=1, keepdims=True))
    weight = np.full(told.shape[1], 1.0 / told.shape[1])
    for _ in range(ROUNDS):
        shares = likely * weight
        weight = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
    return np.log((1.0 - DOUBT) * weight + DOUBT / len(weight))


def _flight(rng: np.random.Generator) -> Auctions:
    market, share = population(rng)
    low, high = (log(x) for x in LENGTHS)
    return draw(market, round(exp(rng.uniform(low, high))), share, rng)
