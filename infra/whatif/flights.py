"""Recorded auctions by campaign, and what another bid would have come to in each of them. Prices are exogenous."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from policies.baselines.hindsight import hindsight_value
from policies.bidding.flight import within
from streams.records import AdEvent, Campaign


class Offer(NamedTuple):
    """One auction. `price` is the highest rival bid, None where the record doesn't tell it.

    At that very price it goes to us if it did (`ties`). `reach`: where the price isn't known, the bid that lost.
    """

    event: AdEvent
    value: float
    price: float | None
    ties: bool
    reach: float

    def fate(self, bid: float) -> Literal["won", "lost", "unknown"]:
        """What would have come of a bid."""
        if self.price is None:
            return "lost" if bid <= self.reach else "unknown"
        return "won" if bid > self.price or (self.ties and bid == self.price > 0.0) else "lost"


@dataclass(slots=True, kw_only=True)
class Flight:
    """One campaign's auctions in order of time, and what else was told of its ads."""

    campaign: Campaign
    offers: list[Offer] = field(default_factory=list[Offer])
    others: list[AdEvent] = field(default_factory=list[AdEvent])  # impressions, clicks, conversions
    tells_lost_prices: bool = False
    unpriced: int = 0  # lost auctions without a rival's price
    priced_by_bid: int = 0  # wins that name no price: the bid is the most it can have been

    @property
    def covered(self) -> float:
        """The share of its time that lies between the first and the last auction."""
        times, plan = [int(one.event.occurred_at) for one in self.offers], self.campaign
        return (max(times) - min(times)) / (plan.ends_at - plan.starts_at)

    def bounded(self, bid: float) -> float:
        """A bid within the campaign's bounds; 0 is none."""
        return min(max(bid, self.campaign.bid_min), self.campaign.bid_max) if bid > 0.0 else 0.0

    def best(self, budget: float) -> float:
        """The value of the hindsight optimum over the auctions whose price is known."""
        return hindsight_value([(one.value, one.price) for one in self.offers if one.price is not None], budget)


def offer(event: AdEvent) -> Offer | None:
    """The auction that an event tells of; None where it doesn't say what winning was worth, or what a win cost."""
    if event.value is None:
        return None
    if event.won:
        price = event.price if event.price is not None else event.bid
        return None if price is None else Offer(event, event.value, price, ties=True, reach=0.0)
    bid = event.bid or 0.0
    known = event.price is not None and event.price >= bid  # a lower one is not that of the rival who won
    return Offer(event, event.value, event.price if known else None, ties=False, reach=bid)


class Bidder(Protocol):
    """Bids on one auction after the other, and is told what it paid, or None where it lost."""

    def bid(self, value: float, left: float) -> float: ...
    def learn(self, value: float, paid: float | None) -> None: ...


@dataclass(slots=True, kw_only=True)
class Account:
    """What a flight has come to. Money in the shop's currency."""

    budget: float
    spend: float = 0.0
    value: float = 0.0
    won: int = 0
    unknown: int = 0  # auctions where the bid was higher than the one that lost, at a price nobody told
    unknown_value: float = 0.0

    def take(self, one: Offer, bid: float) -> float | None:
        """What a bid paid; None where it lost, or where that isn't known."""
        fate = one.fate(bid)
        if fate == "unknown":
            self.unknown += 1
            self.unknown_value += one.value
        if fate != "won" or one.price is None:
            return None
        self.spend += one.price
        self.value += one.value
        self.won += 1
        return one.price


def fly(flight: Flight, bidder: Bidder, budget: float) -> Account:
    """Every auction of a flight, by a rule that never spends more than the budget."""
    account = Account(budget=budget)
    for one in flight.offers:
        wanted = flight.bounded(bidder.bid(one.value, budget - account.spend))
        bidder.learn(one.value, account.take(one, within(wanted, account.spend, budget)))
    return account


def as_it_was(flight: Flight, budget: float) -> Account:
    """What the record says itself."""
    account = Account(budget=budget)
    for one in flight.offers:
        if one.event.won:
            account.spend += one.price or 0.0
            account.value += one.value
            account.won += 1
    return account


def agreeing(flight: Flight) -> tuple[int, int]:
    """Of the auctions that name a bid: how many, and in how many that bid, simulated, meets its recorded fate."""
    told = [one for one in flight.offers if one.event.bid is not None]
    same = sum(one.fate(one.event.bid or 0.0) == ("won" if one.event.won else "lost") for one in told)
    return len(told), same


def summed(flights: Sequence[Flight], accounts: Sequence[Account]) -> dict[str, object]:
    """The bill of all flights, and of each."""
    each = {
        flight.campaign.campaign_id: _bill([flight], [account])
        for flight, account in zip(flights, accounts, strict=True)
    }
    return {**_bill(flights, accounts), "campaigns": each}


def _bill(flights: Sequence[Flight], accounts: Sequence[Account]) -> dict[str, object]:
    best = sum(flight.best(account.budget) for flight, account in zip(flights, accounts, strict=True))
    value = sum(account.value for account in accounts)
    return {
        "auctions": sum(len(flight.offers) for flight in flights),
        "auctions_won": sum(account.won for account in accounts),
        "value_won": value,
        "spend": sum(account.spend for account in accounts),
        "budget": sum(account.budget for account in accounts),
        "overspend": sum(max(0.0, account.spend - account.budget) for account in accounts),
        "hindsight_value": best,
        "hindsight_share": value / best if best > 0.0 else None,
        "undetermined_auctions": sum(account.unknown for account in accounts),
        "undetermined_value": sum(account.unknown_value for account in accounts),
    }
