"""Simulated auctions: markets of any scale, their values and highest rival bids, and a flight through them.

Times are places in the flight, 0 to 1. A market's prices are log-normal around a level that may follow values, jump
once, drift, and swing; what a population of campaigns has in common is how such markets are spread.
"""

from dataclasses import dataclass
from math import exp, log
from typing import Final

import numpy as np
import numpy.typing as npt

from policies.bidding.flight import Bidder, within
from policies.linalg import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Auctions:
    """What was offered, in order, and what may be spent on it. `price` is the highest rival bid."""

    value: Floats  # [T]
    price: Floats  # [T]
    budget: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Values: a Beta or log-normal draw times `value_scale`. Prices: log-normal times `price_scale`."""

    value_scale: float = 1.0
    beta: tuple[float, float] | None = (2.0, 8.0)
    value_spread: float = 0.0  # deviation of log value, where it isn't Beta
    price_scale: float = exp(-2.0)
    price_spread: float = 0.6  # deviation of log price
    follows: float = 0.0  # exponent: price ∝ value to this power
    jump: float = 1.0  # prices are so many times as high ...
    jumps_at: float = 0.5  # ... from here on
    drift: float = 0.0  # of log price over the flight
    swing: float = 0.0  # amplitude of log price ...
    cycles: float = 0.0  # ... so many times in the flight


FACTS: Final = Market()  # v ~ Beta(2, 8), p ~ LogNormal(−2, 0.6)


def draw(market: Market, auctions: int, share: float, rng: np.random.Generator) -> Auctions:
    """A flight whose budget is `share` of what all its auctions would have cost without jump, drift and swing."""
    at = (np.arange(auctions) + 0.5) / auctions
    if market.beta is None:
        relative = rng.lognormal(0.0, market.value_spread, auctions)
    else:
        relative = rng.beta(*market.beta, auctions)
    usual = relative / relative.mean() if market.follows else relative
    calm = market.price_scale * rng.lognormal(0.0, market.price_spread, auctions) * usual**market.follows
    level = market.drift * (at - 0.5) + market.swing * np.sin(2.0 * np.pi * market.cycles * at)
    price = calm * np.exp(level) * np.where(at < market.jumps_at, 1.0, market.jump)
    return Auctions(value=market.value_scale * relative, price=price, budget=share * float(calm.sum()))


def population(rng: np.random.Generator, *, shifting: float = 0.5) -> tuple[Market, float]:
    """A campaign drawn from the population: its market, and its budget's share of what all would cost."""
    beta = (float(rng.uniform(1.0, 4.0)), float(rng.uniform(2.0, 20.0))) if rng.random() < 0.5 else None
    share = exp(rng.uniform(log(0.01), log(1.5)))
    market = Market(
        value_scale=exp(rng.normal(0.0, 3.0)),
        beta=beta,
        value_spread=float(rng.uniform(0.1, 1.5)),
        price_scale=exp(rng.normal(0.0, 3.0)),
        price_spread=float(rng.uniform(0.2, 1.4)),
        follows=float(rng.uniform(0.0, 1.0)) if rng.random() < 0.5 else 0.0,
        **_shift(rng, shifting),
    )
    return market, share


def _shift(rng: np.random.Generator, shifting: float) -> dict[str, float]:
    """One of a jump, a drift and a swing, as likely up as down; none with probability 1 − `shifting`."""
    kind = int(rng.integers(3)) if rng.random() < shifting else 3
    if kind == 0:
        return {"jump": exp(rng.normal(0.0, 0.7)), "jumps_at": float(rng.uniform(0.2, 0.8))}
    if kind == 1:
        return {"drift": float(rng.normal(0.0, 0.7))}
    return {"swing": float(rng.uniform(0.1, 0.6)), "cycles": float(rng.uniform(1.0, 7.0))} if kind == 2 else {}


@dataclass(slots=True)
class Account:
    """What a flight has come to. `fly` may be called again with the auctions that follow."""

    budget: float
    spent: float = 0.0
    won: float = 0.0
    wins: int = 0

    def fly(self, bidder: Bidder, value: Floats, price: Floats, *, first_price: bool = False) -> None:
        """Auctions one by one: the bidder sees a value, bids, and hears what it paid, or that it lost."""
        for worth, rival in zip(value.tolist(), price.tolist(), strict=True):
            bid = within(bidder.bid(worth, self.budget - self.spent), self.spent, self.budget)
            if bid < rival:
                bidder.learn(worth, None)
                continue
            paid = bid if first_price else rival
            self.spent += paid
            self.won += worth
            self.wins += 1
            bidder.learn(worth, paid)


def hindsight(given: Auctions) -> float:
    """The most value that the budget could have bought: the fractional knapsack."""
    order, cost = _best_first(given)
    whole = int(np.searchsorted(cost, given.budget, side="right"))
    best = float(given.value[order][:whole].sum())
    if whole < len(order):
        left = given.budget - (float(cost[whole - 1]) if whole else 0.0)
        best += float(given.value[order][whole]) * left / float(given.price[order][whole])
    return best


def log_multiplier(given: Auctions) -> float:
    """The log of the least value for money that the hindsight optimum takes; −30 where the budget buys everything."""
    order, cost = _best_first(given)
    whole = int(np.searchsorted(cost, given.budget, side="right"))
    if whole == len(order) or given.value[order][whole] <= 0.0:
        return -30.0
    return float(np.log(given.value[order][whole]) - np.log(given.price[order][whole]))


def first_price_log_multiplier(given: Auctions) -> float:
    """log μ at which bidding value/μ, and paying it where that wins, spends the budget; the least at which all is won
    where it buys everything."""
    of_value = given.value > 0.0
    part = Auctions(value=given.value[of_value], price=given.price[of_value], budget=given.budget)
    if not len(part.value):
        return 0.0
    order, _ = _best_first(part)
    with np.errstate(divide="ignore"):
        asked = np.log(part.value[order]) - np.log(part.price[order])
    spent = np.cumsum(part.value[order]) * np.exp(-asked)  # rises: more is won, and each bid is higher
    place = min(int(np.searchsorted(spent, given.budget)), len(order) - 1)
    return float(np.clip(asked[place], -30.0, 30.0))


def _best_first(given: Auctions) -> tuple[npt.NDArray[np.intp], Floats]:
    """Auctions in the order of value for money, the free ones first, and what each and all before it cost."""
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = np.where(given.price > 0.0, np.log(given.value) - np.log(given.price), np.inf)
    order = np.argsort(-worth, kind="stable")
    return order, np.cumsum(given.price[order])
