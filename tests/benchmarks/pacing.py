"""Pacing against hindsight: value won, as a share of the best that anyone knowing all auctions could have won.

Run `python -m tests.benchmarks.pacing`. The auctions are synthetic: v ~ Beta(2, 8), rival bid p ~ LogNormal(−2, .6),
second price, uniform arrivals over a day, and a bidder that follows each adjustment from the next auction on (or
`--lag` auctions later). The budget is a share of what winning everything would cost. Hindsight is the fractional
knapsack.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import exp
from typing import Final

import numpy as np
import numpy.typing as npt

from agents import bidding
from agents.contract import Input, Output, State
from policies.bidding.population import PacingPopulation
from policies.tasks.auctions import Auctions, hindsight
from policies.version import SHIPPED, PolicyVersion
from streams.records import AdEvent, BidAdjustment, Campaign, Experience
from streams.times import DAY, EventTime
from streams.topics import AD_EVENTS, CAMPAIGNS
from streams.views import Views

BIDDING: Final = bidding.build()
START: Final = 1_500_000_000_000
MEAN_PRICE: Final = exp(-2 + 0.6**2 / 2)
TOLERANCE: Final = 0.01
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Timed:
    at: list[int]  # [T] epoch ms
    offered: Auctions


@dataclass(frozen=True, slots=True)
class Flown:
    won: float
    spent: float
    adjustments: int
    experiences: list[Experience]


def draw(auctions: int, share: float, seed: int) -> Timed:
    rng = np.random.default_rng(seed)
    at = [START + int(x * DAY) for x in np.sort(rng.random(auctions))]
    value, price = rng.beta(2, 8, auctions), rng.lognormal(-2, 0.6, auctions)
    return Timed(at, Auctions(value=value, price=price, budget=share * auctions * MEAN_PRICE))


class Bidders:
    """A bidder that follows each adjustment `lag` auctions after it was published."""

    def __init__(self, lag: Callable[[], int]) -> None:
        self._lag = lag
        self._coming: list[tuple[int, BidAdjustment]] = []
        self.now: BidAdjustment | None = None

    def hear(self, outputs: list[Output], auction: int) -> int:
        heard = [out.record for out in outputs if isinstance(out.record, BidAdjustment)]
        for one in heard:
            at = max([auction + self._lag(), *(due for due, _ in self._coming)])
            self._coming.append((at, one))
        return len(heard)

    def bid(self, value: float, auction: int) -> float:
        while self._coming and self._coming[0][0] <= auction:
            self.now = self._coming.pop(0)[1]
        return 0.0 if self.now is None else min(self.now.max_bid, self.now.bid_multiplier * value)


def fly(
    given: Timed,
    policy: PolicyVersion,
    lag: Callable[[], int],
    name: str = "c",
    *,
    first_price: bool = False,
    tolerance: float = TOLERANCE,
) -> Flown:
    """One campaign's flight through the agent's own step, an event at a time."""
    campaign = Campaign(
        campaign_id=name,
        budget=given.offered.budget,
        starts_at=EventTime(START),
        ends_at=EventTime(START + DAY),
        bid_min=0.0,
        bid_max=100.0,
        auction="first-price" if first_price else "second-price",
        overspend_tolerance=tolerance,
    )
    entries: dict[str, bytes] = {}
    told: list[Experience] = []

    def step(batch: list[Input], now: int) -> list[Output]:
        done = BIDDING.step(State(entries, Views()), batch, policy, now)
        for key, raw in done.writes.items():
            entries.pop(key, None) if raw is None else entries.__setitem__(key, raw)
        told.extend(out.record for out in done.outputs if isinstance(out.record, Experience))
        return done.outputs

    bidder = Bidders(lag)
    step([Input(CAMPAIGNS, 0, 0, name, campaign)], 0)
    bidder.hear(step([], START), -1 - lag())
    won = spent = 0.0
    adjustments = 1
    values, prices = given.offered.value.tolist(), given.offered.price.tolist()
    for i, (at, value, rival) in enumerate(zip(given.at, values, prices, strict=True)):
        bid = bidder.bid(value, i)
        if bidder.now is not None and bidder.now.max_bid == 0.0:
            break
        wins = bid >= rival
        cost = (bid if first_price else rival) if wins else None
        won, spent = won + value * wins, spent + (cost or 0.0)
        event = AdEvent(
            event_id=f"{name}{i}",
            campaign_id=name,
            type="auction",
            occurred_at=EventTime(at),
            bid=bid,
            won=wins,
            price=cost,
            value=value,
            decision_id=bidder.now.decision_id if bidder.now else None,
        )
        adjustments += bidder.hear(step([Input(AD_EVENTS, 0, i, name, event)], 0), i + 1)
    step([], START + DAY)
    return Flown(won, spent, adjustments, told)


def learned(auctions: int, share: float, seeds: range, lag: Callable[[], int]) -> PolicyVersion:
    """The prior re-estimated from flights on other seeds."""
    population = PacingPopulation()
    for seed in seeds:
        for told in fly(draw(auctions, share, seed), SHIPPED, lag, f"c{seed}").experiences:
            population.update(told.entity, told.contexts, told.outcomes)
    return PolicyVersion(number=1, parent=0, priors={"bidding": population.prior()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--lag", type=int, default=0)
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help="overspending; 0 is never")
    parser.add_argument("--auctions", type=int, nargs="+", default=[1_000, 10_000])
    given = parser.parse_args()

    def lag() -> int:
        return given.lag

    say = sys.stdout.write
    say(f"share of the hindsight optimum ± standard error, {given.seeds} seeds, lag {given.lag}\n")
    say(f"{'auctions':>9} {'budget':>7} {'prior':>8} {'share':>15} {'spent':>7} {'most':>7} {'adjustments':>12}\n")
    for auctions in given.auctions:
        for share in (0.3, 0.1):
            version = learned(auctions, share, range(1_000, 1_008), lag)
            for label, policy in (("shipped", SHIPPED), ("learned", version)):
                _line(auctions, share, label, policy, given, lag)


def _line(
    auctions: int, share: float, label: str, policy: PolicyVersion, given: argparse.Namespace, lag: Callable[[], int]
) -> None:
    drawn = [draw(auctions, share, seed) for seed in range(given.seeds)]
    flown = [fly(one, policy, lag, tolerance=given.tolerance) for one in drawn]
    shares = [f.won / hindsight(d.offered) for f, d in zip(flown, drawn, strict=True)]
    spends = [f.spent / d.offered.budget for f, d in zip(flown, drawn, strict=True)]
    error = np.std(shares, ddof=1) / len(shares) ** 0.5
    adjustments = np.mean([f.adjustments for f in flown])
    measured = f"{np.mean(shares):.4f} ± {error:.4f} {np.mean(spends):>7.1%} {max(spends):>7.1%} {adjustments:>12.0f}"
    sys.stdout.write(f"{auctions:>9} {share:>7.0%} {label:>8} {measured}\n")


if __name__ == "__main__":
    main()
