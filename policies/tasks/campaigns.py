"""Simulated campaigns as workers run them: auctions that are heard of late, of either kind, and what follows a win.

Markets are those of `auctions`, so that money and values are in any unit. Between an adjustment and the first auction
that is bid by it lie up to a hundred others. Clicks per impression spread as published averages do: 3% to 5% for
search ads, a tenth of that for display ads; 2% to 5% of clicks convert.
"""

from collections import deque
from dataclasses import dataclass, field
from math import exp, log
from typing import Final, NamedTuple

import numpy as np

from policies.bidding.pacing import Plan, Published, matters
from policies.bidding.steering import Steering, Under
from policies.tasks.auctions import Auctions, draw, hindsight, population
from policies.version import Priors

DAY: Final = 86_400_000  # ms: the length of every flight
LENGTHS: Final = (100, 10_000)  # auctions in a flight
LATEST: Final = 100  # auctions that an adjustment may take
PROMPT: Final = 0.5  # of the bidders: they bid by an adjustment from the next auction on
FIRST_PRICE: Final = 0.3
TOLD: Final = 0.5  # of the exchanges tell a loser the price
SEARCH, DISPLAY, CONVERSION = (0.033, 0.5), (0.003, 0.8), (0.03, 0.6)  # rates: median, deviation of the log
ORDER: Final = (0.3, 1.0)  # deviation of the log of orders' values within a campaign, from and to
TOLERANCE: Final = 0.01  # of the budget
USUAL: Final = 2.0 / 101.0  # gain of the mean value that a bid goes by: the last 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One flight. `at` are the auctions' times, ms from its start; `lag` is how many auctions an adjustment takes."""

    auctions: Auctions
    at: list[int]
    lag: int = 0
    first_price: bool = False
    tells: bool = False  # a loser hears the price
    click_rate: float = 0.01
    conversion_rate: float = 0.03
    order: tuple[float, float] = (0.0, 0.5)  # log value of an order: mean, deviation


class Flown(NamedTuple):
    """What a flight came to: the share of the value in hindsight that was lost, and what was spent beyond budget and
    tolerance, in budgets."""

    lost: float
    passed: float
    wins: int
    steering: Steering


def campaign(
    rng: np.random.Generator, given: Auctions, *, lag: int = 0, first_price: bool = False, tells: bool = False
) -> Campaign:
    """These auctions at random times of a day, with rates of clicks, conversions and orders drawn."""
    median, deviation = SEARCH if rng.random() < 0.5 else DISPLAY
    return Campaign(
        auctions=given,
        at=(np.sort(rng.random(len(given.value))) * DAY).astype(np.int64).tolist(),
        click_rate=min(0.5, median * exp(rng.normal(0.0, deviation))),
        conversion_rate=min(0.5, CONVERSION[0] * exp(rng.normal(0.0, CONVERSION[1]))),
        order=(float(rng.normal(0.0, 3.0)), float(rng.uniform(*ORDER))),
        lag=lag,
        first_price=first_price,
        tells=tells,
    )


def drawn(rng: np.random.Generator, lengths: tuple[int, int] = LENGTHS) -> Campaign:
    """A campaign of the population, of so many auctions from and to."""
    market, share = population(rng)
    least, most = lengths
    length = round(exp(rng.uniform(log(least), log(most))))
    late = 0 if rng.random() < PROMPT else round(exp(rng.uniform(0.0, log(LATEST + 1.0)))) - 1
    kind, tells = rng.random() < FIRST_PRICE, rng.random() < TOLD
    return campaign(rng, draw(market, length, share, rng), lag=late, first_price=kind, tells=tells)


class _Heard(NamedTuple):
    bid: float
    won: bool
    price: float | None
    value: float
    decision_id: str


class _InForce(NamedTuple):
    name: str
    multiplier: float
    max_bid: float
    under: Under


@dataclass(slots=True, kw_only=True)
class _Desk:
    """What the worker knows of its campaign, and the adjustments that its bidder has yet to follow."""

    plan: Plan
    steering: Steering
    left: float  # of the budget
    usual: float = 0.0  # value of an impression
    said: Published | None = None
    told: int = 0  # adjustments
    coming: deque[tuple[int, _InForce]] = field(default_factory=deque[tuple[int, _InForce]])

    def review(self, now: int, follows: int) -> None:
        """Publish the bid that is right at `now`, if it matters; it is followed from that auction on."""
        if self.said is not None and self.said.max_bid == 0.0:
            return
        bid = self.steering.bid(self.plan, self.usual, 1.0, self.left, now).bid
        if not matters(self.said, bid, self.plan, now):
            return
        name, self.told = str(self.told), self.told + 1
        self.said = Published(bid.multiplier, bid.max_bid, now)
        if bid.live:
            self.steering.inflight.published(name)
        under = Under(self.steering.pace.log_mu, bid.max_bid)
        self.coming.append((follows, _InForce(name, bid.multiplier, bid.max_bid, under)))

    def hear(self, heard: _Heard, paid: float, now: int, under: Under) -> None:
        self.left -= paid
        self.usual += (heard.value - self.usual) * (USUAL if self.usual else 1.0)
        self.steering.learn(heard, paid, self.left, self.plan, now, under)


def fly(given: Campaign, prior: Priors) -> Flown:
    """One flight by the live rule. Clicks don't move its bids, and a change of prices isn't pointed out to it."""
    auctions = given.auctions
    plan = Plan(auctions.budget, 0, DAY, 0.0, auctions.budget, (0.0, 0.0, 1.0), given.first_price, TOLERANCE)
    desk = _Desk(plan=plan, steering=Steering.open(prior, plan, 0), left=auctions.budget)
    desk.review(0, 0)
    now, wins, won = desk.coming.popleft()[1], 0, 0.0
    for place, (at, value, rival) in enumerate(
        zip(given.at, auctions.value.tolist(), auctions.price.tolist(), strict=True)
    ):
        while desk.coming and desk.coming[0][0] <= place:
            now = desk.coming.popleft()[1]
        if now.max_bid == 0.0:
            break
        bid = min(now.max_bid, now.multiplier * value)
        wins_it = bid >= rival
        paid = (bid if given.first_price else rival) if wins_it else 0.0
        won, wins = won + value * wins_it, wins + wins_it
        price = paid if wins_it else rival if given.tells else None
        desk.hear(_Heard(bid, wins_it, price, value, now.name), paid, at, now.under)
        desk.review(at, place + 1 + given.lag)
    best = hindsight(auctions)
    lost = 1.0 - won / best if best > 0.0 else 0.0
    return Flown(lost, max(0.0, -desk.left / auctions.budget - TOLERANCE), wins, desk.steering)
