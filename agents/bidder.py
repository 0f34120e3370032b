"""One campaign as the bidding agent knows it: its plan, its account, its beliefs, and what was last said about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import msgspec

from policies.bidding.pacing import Bid, Plan, Published, stop
from policies.bidding.population import Flight
from policies.bidding.quality import Quality, Tally, quality
from policies.bidding.steering import Steering, Under
from policies.version import Priors
from streams.campaigns import Ledger
from streams.records import AdEvent, Campaign

KEPT: Final = 32  # decisions whose outcome is awaited, and as many that a late auction may still correct

Source = tuple[str, int, int]

_NOT_DECIDED_BY: Final = {"source", "decisions", "open", "closed", "told", "ledger"}
_KEPT_APART: Final = {"seen", "features"}  # of the ledger: what was seen already; what is logged as `campaign`


class Taken(msgspec.Struct, array_like=True):
    """A decision taken: `reward` is the value won under it so far, times the campaign's quality."""

    decision_id: str
    at: int
    policy_version: int
    log_mu: float
    reward: float = 0.0
    cap: float | None = None  # the highest bid that it published; None: kept before that was


class Bidder(msgspec.Struct):
    """The entry of one campaign. Without a plan it only keeps account."""

    plan: Plan | None = None
    source: Source = ("", 0, 0)  # where the plan was read
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    steering: Steering | None = None
    published: Published | None = None
    highest: float = 0.0  # the highest cap ever published
    exhausted: bool = False
    decisions: int = 0
    open: list[Taken] = []
    closed: list[Taken] = []
    told: int = 0  # auctions when the learner last heard of this flight

    @property
    def live(self) -> bool:
        return self.published is not None and self.published.max_bid > 0.0

    def adopt(self, plan: Plan | None, source: Source, prior: Priors, now: int) -> None:
        """Take on a new plan; what was learned under an earlier one stays."""
        self.plan, self.source, self.exhausted = plan, source, False
        if plan is None:
            return
        if self.steering is None:
            self.steering = Steering.open(prior, plan, max(now, plan.starts_at))
        elif not self.live:
            self.steering.pace.pause(max(now, plan.starts_at))

    def learn(self, event: AdEvent, paid: float, plan: Plan, now: int) -> None:
        """Move the beliefs by one auction, already booked."""
        if self.steering is None:
            return
        behind = self._behind(event.decision_id)
        under = Under(behind.log_mu if behind is not None else 0.0, self._cap_of(behind))
        self.steering.learn(event, paid, plan.budget - self.ledger.spent, plan, now, under)

    def _behind(self, echo: str | None) -> Taken | None:
        """The decision that an auction names, or the newest."""
        known = [*self.closed, *self.open]
        return next((taken for taken in known if taken.decision_id == echo), known[-1] if known else None)

    def _cap_of(self, behind: Taken | None) -> float:
        """The cap that a bid was made under: with a late bidder not the one that is published by now."""
        if behind is not None and behind.cap is not None:
            return behind.cap
        return self.published.max_bid if self.published else 0.0


@dataclass(frozen=True, slots=True)
class View:
    """A bid, and everything that it follows from."""

    bid: Bid
    quality: Quality
    features: dict[str, Any]


def plan_of(campaign: Campaign) -> Plan:
    wants = campaign.objective
    return Plan(
        budget=campaign.budget,
        starts_at=int(campaign.starts_at),
        ends_at=int(campaign.ends_at),
        bid_min=campaign.bid_min,
        bid_max=campaign.bid_max,
        weights=(wants.ctr, wants.cvr, wants.revenue),
        first_price=campaign.auction == "first-price",
        tolerance=campaign.overspend_tolerance,
    )


def quality_of(bidder: Bidder, prior: Priors) -> Quality:
    ledger = bidder.ledger
    tally = Tally(ledger.impressions, ledger.clicks, ledger.conversions, ledger.log_revenue, ledger.log_revenue_squared)
    return quality(tally, bidder.plan.weights if bidder.plan else (0.0, 0.0, 0.0), prior)


def decide(bidder: Bidder, measured: dict[str, float], prior: Priors, now: int) -> View:
    """The bid that is right at `now`; `measured` are the campaign's features."""
    rates = quality_of(bidder, prior)
    plan, steering = bidder.plan, bidder.steering
    if plan is None or steering is None:
        return View(stop("the campaign was withdrawn"), rates, {"campaign": measured})
    if now < plan.starts_at:
        return View(stop("the flight has yet to begin"), rates, {"campaign": measured})
    if now >= plan.ends_at:
        return View(stop("the flight is over"), rates, {"campaign": measured})
    return _bid(plan, steering, bidder, rates, measured, now)


def _bid(plan: Plan, steering: Steering, bidder: Bidder, rates: Quality, measured: dict[str, float], now: int) -> View:
    pace, landscape = steering.pace, steering.landscape
    remaining = plan.budget - bidder.ledger.spent
    steered = steering.bid(plan, measured["value"], rates.index, remaining, now)
    bid = stop("the budget is spent") if bidder.exhausted else steered.bid
    features: dict[str, Any] = {
        "log_mu": pace.log_mu,
        "weight": pace.weight,
        "auctions_per_ms": pace.per_ms,
        "remaining": remaining,
        "ends_at": plan.ends_at,
        "in_flight": steering.inflight.bound(pace.per_ms),
        "safe_bid": steered.reserve.cap,
        "reserve_share": steered.reserve.share,
        "quality": rates.index,
        "shade": steered.shade,
        "log_price_mean": landscape.mean,
        "log_price_deviation": landscape.deviation,
        "campaign": measured,
    }
    return View(bid, rates, features)


def situation(bidder: Bidder) -> dict[str, Any]:
    """All that `decide` goes by but for what is measured: plain data for the decision log."""
    told = {name: getattr(bidder, name) for name in Bidder.__struct_fields__ if name not in _NOT_DECIDED_BY}
    told["ledger"] = {
        name: getattr(bidder.ledger, name) for name in Ledger.__struct_fields__ if name not in _KEPT_APART
    }
    return cast(dict[str, Any], msgspec.to_builtins(told))


def decide_again(features: Mapping[str, Any], prior: Priors, now: int) -> Bid:
    """The bid that a logged decision's features lead to. Raises msgspec.ValidationError or KeyError: they don't say."""
    bidder = msgspec.convert(features["situation"], Bidder)
    return decide(bidder, features["campaign"], prior, now).bid


def flight_of(bidder: Bidder, plan: Plan, steering: Steering) -> Flight:
    """The flight so far, for the learner."""
    ledger = bidder.ledger
    return Flight(
        log_mu=steering.pace.settled,
        auctions=ledger.auctions,
        impressions=ledger.impressions,
        clicks=ledger.clicks,
        conversions=ledger.conversions,
        log_revenue=ledger.log_revenue,
        log_revenue_squared=ledger.log_revenue_squared,
        log_price=steering.landscape.mean,
        log_price_deviation=steering.landscape.deviation,
        lag=steering.inflight.bound(0.0),
        budget=plan.budget,
        spent=ledger.spent,
    )
