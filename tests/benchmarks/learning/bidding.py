"""Bidding: our prior four ways beside dual pacing, cold and warm, as loss against hindsight.

    python -m tests.benchmarks.learning.bidding [--quick] [--seeds N]

The market of docs: v ~ Beta(2, 8), p ~ LogNormal(−2, .6), second price; the same with prices that jump halfway; and
markets drawn from the population on seeds that training never uses. `limit` knows the market before the jump and the
one after it, but not that it will come: what no rule can be asked to beat on average. `told-move` is `meta`, told when
the jump comes by which factor prices have moved: what no way of noticing it can be asked to beat. `meta-shop` is `meta`
after ten earlier campaigns of the same market and budget, without a jump, of which it knows what their own bids showed
(`tradewind evaluate bidding --earlier`). Hindsight is the fractional knapsack. Writes build/learning/bidding.json.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp, log
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from infra.evaluate.bidding import POLICIES, Auction, bidder
from policies.bidding.blocks import STEPS, WIDTH, Block
from policies.bidding.flight import Bidder, FlightBidder
from policies.bidding.markets import FLAT, shipped
from policies.bidding.shop import Shop, Watched
from policies.bidding.spending import market_curve
from policies.linalg import Floats
from policies.tasks.auctions import FACTS, Account, Auctions, Market, draw, hindsight, population

OUT: Final = Path("build/learning/bidding.json")
UNSEEN: Final = 1_000_000  # seeds from here on are of markets and flights that no training has met
JUMPS: Final = (1.5, 2.0, 3.0, 0.5)
LONG: Final = 5  # seeds of the longer flights, at most: they differ less
EARLIER: Final = 10  # campaigns that a shop has flown before
DRAWN: Final = 40  # campaigns of the population for each seed


@dataclass(slots=True, kw_only=True)
class Limit:
    """Bids by the true market of each half."""

    inner: FlightBidder
    half: int
    after: Callable[[float], Floats]

    def bid(self, value: float, left: float) -> float:
        if self.inner.met == self.half:
            self.inner.truth = self.after
        return self.inner.bid(value, left)

    def learn(self, value: float, paid: float | None) -> None:
        self.inner.learn(value, paid)


@dataclass(slots=True, kw_only=True)
class ToldMove:
    """Ours; halfway it is told the factor, and takes what it has learned with it."""

    inner: FlightBidder
    half: int
    jump: float

    def bid(self, value: float, left: float) -> float:
        seen = self.inner.seen
        if self.inner.met == self.half and seen is not None:
            cells = log(self.jump) / WIDTH
            by = np.maximum(0.0, 1.0 - np.abs(STEPS - cells))  # between two steps
            seen.older, seen.newest = [block.moved(by) for block in seen.older], seen.newest.moved(by)
            seen.before, self.inner.due = sum(seen.older, Block()), 0
        return self.inner.bid(value, left)

    def learn(self, value: float, paid: float | None) -> None:
        self.inner.learn(value, paid)


def limit(given: Auctions, jump: float) -> Limit:
    length = len(given.value)
    sample = draw(FACTS, 200_000, 0.3, np.random.default_rng(UNSEEN))
    before, after = (market_curve(sample.value, sample.price * level * length / given.budget) for level in (1.0, jump))
    inner = FlightBidder(auctions=length, budget=given.budget, prior=FLAT, truth=before)
    return Limit(inner=inner, half=length // 2, after=after)


def losses(
    flights: list[Auctions],
    jump: float | None = None,
    *,
    auction: Auction = "second-price",
    shop: Shop | None = None,
) -> dict[str, Any]:
    """By policy: the mean loss, its standard error, each flight's, and the most that any overspent."""
    names = [*POLICIES, *(["limit", "told-move"] if jump else []), *(["meta-shop"] if shop else [])]
    return {name: _loss(name, flights, jump or 1.0, auction, shop) for name in names}


def shop_of(market: Market, auctions: int, share: float) -> Shop:
    """After EARLIER campaigns, on seeds of their own."""
    shop = Shop()
    for number in range(EARLIER):
        given = draw(market, auctions, share, np.random.default_rng([UNSEEN, 7, number]))
        bidder = Watched(shop.bidder(auctions=auctions, budget=given.budget, prior=shipped()))
        Account(given.budget).fly(bidder, given.value, given.price)
        shop.learn(bidder)
    return shop


def _loss(name: str, flights: list[Auctions], jump: float, auction: Auction, shop: Shop | None) -> dict[str, Any]:
    lost: list[float] = []
    over = 0.0
    for given in flights:
        account = Account(given.budget)
        rule = _rule(name, given, jump, auction, shop)
        account.fly(rule, given.value, given.price, first_price=auction == "first-price")
        best = hindsight(given)
        lost.append(1.0 - account.won / best if best > 0.0 else 0.0)
        over = max(over, account.spent - given.budget)
    error = float(np.std(lost, ddof=1) / len(lost) ** 0.5) if len(lost) > 1 else None
    return {"loss": float(np.mean(lost)), "standard_error": error, "by_flight": lost, "overspend": max(0.0, over)}


def _rule(name: str, given: Auctions, jump: float, auction: Auction, shop: Shop | None) -> Bidder:
    if shop is not None and name == "meta-shop":
        return shop.bidder(auctions=len(given.value), budget=given.budget, prior=shipped())
    if name == "limit":
        return limit(given, jump)
    if name == "told-move":
        length = len(given.value)
        inner = FlightBidder(auctions=length, budget=given.budget, prior=shipped())
        return ToldMove(inner=inner, half=length // 2, jump=jump)
    return bidder(name, given, auction)


def flights_of(market: Market, auctions: int, share: float, seeds: int) -> list[Auctions]:
    return [draw(market, auctions, share, np.random.default_rng([UNSEEN, seed])) for seed in range(seeds)]


def drawn(seeds: int) -> list[Auctions]:
    rng = np.random.default_rng([UNSEEN, 7])
    found: list[Auctions] = []
    for _ in range(DRAWN * seeds):
        market, share = population(rng)
        found.append(draw(market, round(exp(rng.uniform(log(100), log(5_000)))), share, rng))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a thousand auctions only, and few drawn campaigns")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--drawn", type=int, default=5, help=f"times {DRAWN} drawn campaigns")
    given = parser.parse_args()
    lengths = (1_000,) if given.quick else (1_000, 10_000)
    found: dict[str, Any] = {}
    for length in lengths:
        seeds = given.seeds if length == lengths[0] else min(LONG, given.seeds)
        for share in (0.3, 0.1):
            calm = losses(flights_of(FACTS, length, share, seeds), shop=shop_of(FACTS, length, share))
            found[f"{length} auctions, budget for {share:.0%}"] = told(f"{length}, {share:.0%}", calm)
        shop = shop_of(FACTS, length, 0.3)
        for jump in JUMPS:
            shifted = losses(flights_of(replace(FACTS, jump=jump), length, 0.3, seeds), jump, shop=shop)
            found[f"{length} auctions, prices ×{jump:g} halfway"] = told(f"{length}, ×{jump:g}", shifted)
    found["drawn campaigns"] = told("drawn", losses(drawn(1 if given.quick else given.drawn)))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_bytes(orjson.dumps({"seeds": given.seeds, "tables": found}, option=orjson.OPT_INDENT_2))


def told(title: str, found: dict[str, Any]) -> dict[str, Any]:
    print(f"\n{title}: loss against hindsight")
    for name, one in found.items():
        error = "" if one["standard_error"] is None else f" ± {one['standard_error']:.4f}"
        print(f"  {name:<20} {one['loss']:.4f}{error}   overspend {one['overspend']:g}", flush=True)
    return found


if __name__ == "__main__":
    main()
