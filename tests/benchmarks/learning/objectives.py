"""Multi-objective bidding: what is won where a campaign weighs clicks, conversions and revenue.

    python -m tests.benchmarks.learning.objectives [--quick] [--seeds N]

Each auction has a rate of clicks, a rate of conversions and a revenue, all known beforehand; the value is their
weighted sum, as `tradewind evaluate bidding --objective` takes it, each counted in its own mean. Rivals pay for clicks,
so those are dear. First the loss against hindsight under each objective, then what it buys of each of the three, as a
share of the most that the budget could have bought of that one alone. Writes build/learning/objectives.json.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from infra.evaluate.bidding import bidder
from policies.bidding.flight import Bidder
from policies.linalg import Floats
from policies.tasks.auctions import Account, Auctions, hindsight
from tests.benchmarks.learning.bidding import UNSEEN, losses

OUT: Final = Path("build/learning/objectives.json")
AUCTIONS: Final = 1_000
SHARE: Final = 0.2  # of what all auctions would cost
WANTED: Final = ("ctr", "cvr", "revenue")
OBJECTIVES: Final[dict[str, tuple[float, float, float]]] = {
    "ctr=1": (1.0, 0.0, 0.0),
    "cvr=1": (0.0, 1.0, 0.0),
    "revenue=1": (0.0, 0.0, 1.0),
    "ctr=1,cvr=1,revenue=1": (1.0, 1.0, 1.0),
    "ctr=1,cvr=3": (1.0, 3.0, 0.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One flight: what each auction holds of the three, in their means, and the price to beat."""

    holds: Floats  # [T, 3]
    price: Floats  # [T]
    budget: float

    def valued(self, weights: tuple[float, float, float]) -> Auctions:
        return Auctions(value=self.holds @ np.array(weights), price=self.price, budget=self.budget)


def offered(seed: int) -> Offered:
    rng = np.random.default_rng([UNSEEN, 11, seed])
    ctr = rng.beta(2.0, 60.0, AUCTIONS)
    cvr = rng.beta(1.5, 40.0, AUCTIONS)
    revenue = cvr * rng.lognormal(3.0, 0.8, AUCTIONS)
    price = rng.lognormal(-2.0, 0.6, AUCTIONS) * (ctr / ctr.mean()) ** 0.5
    holds = np.stack([each / each.mean() for each in (ctr, cvr, revenue)], axis=1)
    return Offered(holds=holds, price=price, budget=SHARE * float(price.sum()))


@dataclass(slots=True)
class Watched:
    """A bidder, and which auctions it won."""

    inner: Bidder
    won: list[bool] = field(default_factory=list[bool])

    def bid(self, value: float, left: float) -> float:
        return self.inner.bid(value, left)

    def learn(self, value: float, paid: float | None) -> None:
        self.won.append(paid is not None)
        self.inner.learn(value, paid)


def bought(weights: tuple[float, float, float], flights: list[Offered]) -> Floats:
    """[seeds, 3] what `meta` won of each of the three, over the most of it that the budget could have bought."""
    shares: list[list[float]] = []
    for flight in flights:
        given = flight.valued(weights)
        rule = Watched(bidder("meta", given))
        Account(given.budget).fly(rule, given.value, given.price)
        most = [hindsight(flight.valued(OBJECTIVES[f"{each}=1"])) for each in WANTED]
        shares.append((flight.holds[np.array(rule.won)].sum(axis=0) / np.array(most)).tolist())
    return np.array(shares)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two seeds")
    parser.add_argument("--seeds", type=int, default=10)
    given = parser.parse_args()
    flights = [offered(seed) for seed in range(2 if given.quick else given.seeds)]
    found: dict[str, Any] = {}
    for name, weights in OBJECTIVES.items():
        found[name] = losses([flight.valued(weights) for flight in flights])
        print(f"\n{AUCTIONS} auctions, budget for {SHARE:.0%}, {name}: loss against hindsight")
        for policy, one in found[name].items():
            error = one["standard_error"]
            print(f"  {policy:<20} {one['loss']:.4f} ± {error:.4f}   overspend {one['overspend']:g}", flush=True)
    print(f"\nbought by meta, of the most to be had\n  {'':<24}" + "".join(f"{each:>18}" for each in WANTED))
    shares: dict[str, Any] = {}
    for name, weights in OBJECTIVES.items():
        each = bought(weights, flights)
        mean, error = each.mean(axis=0), each.std(axis=0, ddof=1) / len(each) ** 0.5
        shares[name] = dict(zip(WANTED, mean.tolist(), strict=True))
        row = "".join(f"{m:>10.3f} ± {e:.3f}" for m, e in zip(mean.tolist(), error.tolist(), strict=True))
        print(f"  {name:<24}{row}", flush=True)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    told = {"seeds": len(flights), "tables": found, "bought": shares}
    OUT.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
