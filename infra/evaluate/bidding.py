"""Value won in auctions under a budget, as a share of the hindsight optimum.

One auction after the other: a policy sees the value, bids, and hears what it paid, or only that it lost. It is told the
budget and, as the length of the flight, how many auctions there will be; nothing of what is to come. `oracle-prior`
alone is told the market: what is spent at each value for money, over the whole file. `meta` may be given earlier
campaigns of the same shop: it flies those first, with as much money per auction, and takes along what its own bids in
them showed.

The winner pays the highest competing price (`second-price`) or its own bid (`first-price`). In first price too a loser
hears no price: many exchanges don't tell, and what is learned without it is learned with it. Hindsight is the
fractional knapsack at the highest competing prices. In first price that is the least that a win would have cost, one
who knew each price before bidding: nobody who has to shade gets near it. `oracle-prior`, told the values and the
log-normal nearest to the prices, is what not knowing them in advance leaves.
"""

from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from rich.console import Console
from rich.progress import Progress

from infra.errors import UserError
from infra.evaluate.auction_log import LARGEST, read, weights
from policies.artefact import ArtefactError
from policies.baselines.dual_pacing import Additive, BidTheValue, Multiplicative
from policies.bidding.first_price import Counts, FirstPriceBidder, Values
from policies.bidding.flight import Bidder, FlightBidder
from policies.bidding.landscape import Landscape
from policies.bidding.markets import FLAT, MarketPrior, shipped
from policies.bidding.shop import Shop, Watched
from policies.bidding.spending import market_curve
from policies.linalg import Floats
from policies.tasks.auctions import Account, Auctions, first_price_log_multiplier, hindsight, log_multiplier

POLICIES: Final = (
    "meta",
    "flat-prior",
    "oracle-prior",
    "none",
    "dual-pacing-cold",
    "dual-pacing-warm",
    "mirror-pacing-cold",
    "mirror-pacing-warm",
)
TOLD_LEAST: Final = 0.01  # deviation of log prices that all but agree
TOLD_FREE: Final = 30.0  # −log price, in budgets per auction, where all are free
AT_ONCE: Final = 5_000  # auctions between two looks at the progress bar


Auction = Literal["second-price", "first-price"]


def evaluate(
    *,
    policy: str,
    seed: int,
    auctions: Path,
    budget: float,
    auction: Auction = "second-price",
    objective: str | None = None,
    earlier: Sequence[Path] = (),
) -> dict[str, Any]:
    """What one flight through all auctions of the file comes to. Nothing here is random: `seed` changes nothing.

    `objective` weighs the fields ctr, cvr and revenue of each line into its value. `earlier` are files of campaigns
    that were before, the first one first. Raises UserError.
    """
    del seed
    if earlier and (policy != "meta" or auction != "second-price"):
        raise UserError("--earlier goes with --policy meta and --auction second-price: nothing else learns from them")
    if not isfinite(budget) or not 0.0 <= budget <= LARGEST:
        raise UserError(f"--budget {budget}: must be a number from 0 to {LARGEST:g}")
    wanted = None if objective is None else weights(objective)
    value, price = read(auctions, wanted)
    before = [read(path, wanted, option="--earlier") for path in earlier]
    given = Auctions(value=value, price=price, budget=budget)
    account = Account(budget)
    if budget > 0.0:
        rule = _after(before, given) if before else bidder(policy, given, auction)
        _fly(account, rule, given, first_price=auction == "first-price")
    else:
        account.fly(BidTheValue(), given.value, given.price)  # what is free is won by any bid
    best = hindsight(given)
    return {
        "value_won": account.won,
        "spend": account.spent,
        "hindsight_share": min(1.0, account.won / best) if best > 0.0 else 1.0,  # sums in another order round apart
        "overspend": max(0.0, account.spent - budget),
        "auction": auction,
        "auctions": len(given.value),
        "auctions_won": account.wins,
        "hindsight_value": best,
        "budget": budget,
        "earlier": len(earlier),
    }


def bidder(policy: str, given: Auctions, auction: Auction = "second-price") -> Bidder:
    """The policy of that name, before the first auction. Raises UserError if what ships is damaged.

    Dual pacing bids value over μ in either kind of auction; warm, at the μ that would spend the budget in this one.
    """
    length, budget = len(given.value), given.budget
    first_price = auction == "first-price"

    def ours(prior: MarketPrior) -> Bidder:
        if first_price:
            return FirstPriceBidder(auctions=length, budget=budget, landscape=prior.landscape)
        return FlightBidder(auctions=length, budget=budget, prior=prior)

    def told() -> Bidder:
        if first_price:
            landscape, values = _market(given)
            return FirstPriceBidder(auctions=length, budget=budget, landscape=landscape, told=values)
        truth = market_curve(given.value, given.price * (length / budget))
        return FlightBidder(auctions=length, budget=budget, prior=FLAT, truth=truth)

    def warm() -> float:
        return first_price_log_multiplier(given) if first_price else log_multiplier(given)

    makes: dict[str, Callable[[], Bidder]] = {
        "meta": lambda: ours(_shipped()),
        "flat-prior": lambda: ours(FLAT),
        "oracle-prior": told,
        "none": BidTheValue,
        "dual-pacing-cold": lambda: Additive(auctions=length, budget=budget),
        "dual-pacing-warm": lambda: Additive.at(warm(), auctions=length, budget=budget),
        "mirror-pacing-cold": lambda: Multiplicative(auctions=length, budget=budget),
        "mirror-pacing-warm": lambda: Multiplicative(auctions=length, budget=budget, log_mu=warm()),
    }
    return makes[policy]()


def _after(earlier: Sequence[tuple[Floats, Floats]], given: Auctions) -> Bidder:
    """`meta` after earlier campaigns of the same shop: their values and prices."""
    shop, prior, length = Shop(), _shipped(), len(given.value)
    for value, price in earlier:
        flown = Auctions(value=value, price=price, budget=given.budget * len(value) / length)
        campaign = Watched(shop.bidder(auctions=len(value), budget=flown.budget, prior=prior))
        _fly(Account(flown.budget), campaign, flown, first_price=False)
        shop.learn(campaign)
    return shop.bidder(auctions=length, budget=given.budget, prior=prior)


def _shipped() -> MarketPrior:
    try:
        return shipped()
    except (ArtefactError, KeyError, ValueError) as error:
        raise UserError(f"the prior that ships with the package can't be read: {error}") from error


def _market(given: Auctions) -> tuple[Landscape, Counts]:
    """What a file is: the moments of the log of its prices, in budgets per auction, and its values."""
    log_price = np.log(given.price[given.price > 0.0] * (len(given.price) / given.budget))
    mean, deviation = (float(log_price.mean()), float(log_price.std())) if len(log_price) else (-TOLD_FREE, 1.0)
    values = Values()
    for log_value in np.log(given.value[given.value > 0.0]).tolist():
        values.add(log_value)
    return Landscape(mean, max(TOLD_LEAST, deviation), 1.0), values.counts(len(given.value))


def _fly(account: Account, bidder: Bidder, given: Auctions, *, first_price: bool) -> None:
    length = len(given.value)
    with Progress(console=Console(stderr=True), transient=True, disable=length < 10 * AT_ONCE) as progress:
        task = progress.add_task("auctions", total=length)
        for start in range(0, length, AT_ONCE):
            part = slice(start, start + AT_ONCE)
            account.fly(bidder, given.value[part], given.price[part], first_price=first_price)
            progress.advance(task, AT_ONCE)
