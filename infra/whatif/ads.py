"""What if other bids had been made: the recorded auctions under each policy. Values and rival bids are exogenous."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from infra.errors import UserError
from infra.whatif import flights, live_bids, proof
from infra.whatif.flights import Account, Flight, offer, summed
from infra.whatif.source import Source, stepping
from policies.baselines.dual_pacing import Additive, Multiplicative
from policies.version import PolicyVersion
from streams.records import AdEvent, Campaign
from streams.topics import AD_EVENTS, CAMPAIGNS

LIVE: Final = "live"
WHOLE: Final = 0.9  # of its time, from which a flight counts as recorded in whole


def _cold(flight: Flight, budget: float) -> Account:
    return flights.fly(flight, Additive(auctions=len(flight.offers), budget=budget), budget)


def _mirror(flight: Flight, budget: float) -> Account:
    return flights.fly(flight, Multiplicative(auctions=len(flight.offers), budget=budget), budget)


RULES: Final[dict[str, Callable[[Flight, float], Account]]] = {"cold-dual-pacing": _cold, "mirror-pacing": _mirror}
POLICIES: Final = (LIVE, *RULES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks; at most one of the two of the budget."""

    policies: Sequence[str] = POLICIES
    budget: float | None = None
    budget_factor: float | None = None

    def of(self, campaign: Campaign) -> float:
        """The budget that a campaign shall have."""
        if self.budget is not None:
            return self.budget
        return campaign.budget * (1.0 if self.budget_factor is None else self.budget_factor)

    @property
    def changed(self) -> list[str]:
        """The options that make it another business than the one that runs."""
        given = (("--budget", self.budget), ("--budget-factor", self.budget_factor))
        return [name for name, value in given if value is not None]


@dataclass(slots=True)
class Market:
    """All that was read, by campaign, and what of it was left out, by reason. Copies of an event count once."""

    campaigns: dict[str, Campaign] = field(default_factory=dict[str, Campaign])
    events: dict[str, dict[str, AdEvent]] = field(default_factory=dict[str, dict[str, AdEvent]])
    left_out: Counter[str] = field(default_factory=Counter[str])
    replanned: set[str] = field(default_factory=set[str])

    def announce(self, name: str, campaign: Campaign | None) -> None:
        """A plan; a campaign that was withdrawn keeps its last one."""
        if campaign is not None:
            if self.campaigns.get(name, campaign) != campaign:
                self.replanned.add(name)
            self.campaigns[name] = campaign

    def take(self, event: AdEvent) -> None:
        known = self.events.setdefault(event.campaign_id, {})
        if event.event_id in known:
            self.left_out["copies of a record"] += 1
        else:
            known[event.event_id] = event

    def flights(self) -> list[Flight]:
        """The second-price flights, by name, with at least one auction."""
        found = [self._flight(name, list(events.values())) for name, events in sorted(self.events.items())]
        return [flight for flight in found if flight is not None and flight.offers]

    def _flight(self, name: str, events: list[AdEvent]) -> Flight | None:
        campaign = self.campaigns.get(name)
        auctions = sum(event.type == "auction" for event in events)
        if campaign is None or campaign.auction != "second-price":
            why = "campaigns without a plan" if campaign is None else "first-price campaigns"
            self.left_out[f"auctions of {why}"] += auctions
            return None
        flight = Flight(campaign=campaign)
        for event in sorted(events, key=lambda event: (event.occurred_at, event.event_id)):
            self._place(flight, event)
        return flight

    def _place(self, flight: Flight, event: AdEvent) -> None:
        plan = flight.campaign
        if event.type != "auction":
            flight.others.append(event)
            return
        if not plan.starts_at <= event.occurred_at < plan.ends_at:
            self.left_out["auctions outside the flight of their campaign"] += 1
            return
        one = offer(event)
        if one is None:
            self.left_out["auctions without a value, or won at an unknown price"] += 1
            return
        flight.offers.append(one)
        flight.tells_lost_prices |= not event.won and one.price is not None
        flight.unpriced += one.price is None
        flight.priced_by_bid += bool(event.won) and event.price is None


def what_if(source: Source, wish: Wish) -> dict[str, Any]:
    """The answer, ready for JSON. Raises UserError: no such policy, nothing to simulate."""
    return answered(source, wish).answer


def answered(source: Source, wish: Wish) -> proof.Answered:
    """The answer, and what it proves of versions. Raises as `what_if` does."""
    for name in wish.policies:
        proof.check_name(name, POLICIES)
    market = read(source)
    flown = market.flights()
    if not flown:
        raise UserError(f"{source.name} has auctions, but none of a second-price campaign with a plan on `campaigns`")
    version, versions = source.policy, proof.versions(wish.policies, source)
    accounts = {name: _accounts(name, flown, wish, versions.get(name, version)) for name in wish.policies}
    told, same = (sum(each) for each in zip(*map(flights.agreeing, flown), strict=True))
    share = same / told if told else None
    proven = None
    if versions:
        served = accounts.get(LIVE) or _accounts(LIVE, flown, wish, version)
        proven = proof.Played(
            domain="bidding",
            of="campaigns",
            decisions=np.array([float(len(flight.offers)) for flight in flown]),
            serving=version,
            served=_came(served),
            tried={name: (made, _came(accounts[name])) for name, made in versions.items()},
            agreed=share,
            changed=wish.changed,
            remarks=["Reward is value won an auction, and a decision here is an auction"],
        )
    times = [int(one.event.occurred_at) for flight in flown for one in flight.offers]
    answer = {
        "kind": "ads",
        "policies": {name: summed(flown, of) for name, of in accounts.items()},
        "against_serving": {} if proven is None else proof.told(proven),
        "recorded": summed(flown, [flights.as_it_was(flight, flight.campaign.budget) for flight in flown]),
        "check": {"bids": told, "agreed": same, "share": share},
        "assumptions": sentences(market, flown, wish, version) + source.unread(),
        "left_out": dict(sorted(market.left_out.items())),
        "range": source.range(min(times), max(times)),
        "policy_version": version.number,
    }
    return proof.Answered(answer=answer, played=proven, first=min(times), last=max(times))


def _came(accounts: Sequence[Account]) -> proof.Outcome:
    """The value won, and at most that of the auctions too whose price nobody told."""
    value = np.array([account.value for account in accounts])
    return proof.Outcome(least=value, most=value + np.array([account.unknown_value for account in accounts]))


def read(source: Source) -> Market:
    """Campaigns and auctions. Raises UserError where there are none."""
    market = Market()
    for each in source.tables((CAMPAIGNS,)):
        market.announce(each.key, each.record)
    for each in source.happened((AD_EVENTS,)):
        market.take(each.record)
    if not any(event.type == "auction" for events in market.events.values() for event in events.values()):
        raise source.nothing("auctions on ad-events")
    return market


def _accounts(name: str, flown: Sequence[Flight], wish: Wish, version: PolicyVersion) -> list[Account]:
    found: list[Account] = []
    for flight in stepping(flown, name):
        budget = wish.of(flight.campaign)
        if name not in RULES:
            found.append(live_bids.fly(flight, version, budget))
        elif budget > 0.0:
            found.append(RULES[name](flight, budget))
        else:
            found.append(Account(budget=budget))
    return found


def sentences(market: Market, flown: Sequence[Flight], wish: Wish, version: PolicyVersion) -> list[str]:
    """Which parts are assumption, each with how often it was needed."""
    auctions, unpriced = sum(len(flight.offers) for flight in flown), sum(flight.unpriced for flight in flown)
    by_bid, others = sum(flight.priced_by_bid for flight in flown), sum(len(flight.others) for flight in flown)
    same_for_all = "their values and their rivals' bids would have been the same, whatever was bid"
    said = [f"The {auctions:,} auctions, {same_for_all}; a win costs the highest rival bid."]
    if unpriced:
        said.append(
            f"Of {unpriced:,} lost auctions the record tells no price, or one below the bid that lost: no more than "
            "that bid loses; more is taken to lose too, and counted as not known. Hindsight leaves them out."
        )
    if by_bid:
        said.append(f"{by_bid:,} wins name no price: they are taken to have cost the bid.")
    if market.replanned:
        said.append(f"{len(market.replanned):,} campaigns were planned anew: the last plan counts from the start.")
    in_part = sum(flight.covered < WHOLE for flight in flown)
    if in_part:
        said.append(
            f"Of {in_part:,} of {len(flown):,} flights the recorded auctions cover less than {WHOLE:.0%} of the time: "
            "their whole budget may be spent in that part."
        )
    told, same = (sum(each) for each in zip(*map(flights.agreeing, flown), strict=True))
    said.append(
        f"The recorded bids, simulated, meet their recorded fate in {same:,} of {told:,} auctions that name one."
    )
    if any(name in RULES for name in wish.policies):
        said.append("The simple rules are told beforehand how many auctions there are; the live policy is not.")
    if LIVE in wish.policies:
        prior = f"version {version.number}, which may have learned from this range" if version.number else "as shipped"
        said.append(f"The live policy starts with its prior, {prior}; each adjustment holds from the next auction on.")
    if LIVE in wish.policies and others:
        said.append(f"It hears of {others:,} impressions, clicks and conversions as recorded, whatever it wins.")
    return said
