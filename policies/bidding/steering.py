"""What a campaign's auctions say of how to bid, and the bid that follows. No account, no topic, no clock.

The live rule in whole: a worker and the training of its prior fly by the same code.
"""

from dataclasses import dataclass
from math import exp
from typing import Final, NamedTuple, Protocol

import msgspec

from policies.bidding.inflight import InFlight
from policies.bidding.landscape import ENOUGH, Landscape
from policies.bidding.outlook import Outlook
from policies.bidding.pacing import Bid, Pace, Plan, bid_of
from policies.bidding.reserve import Payments, Reserve
from policies.version import Priors

OPENING: Final = 0.02  # of the money left: a cap to begin with


class Auction(Protocol):
    """One auction as it is heard of. None: not told. `decision_id` is the adjustment that it was bid by."""

    @property
    def bid(self) -> float | None: ...
    @property
    def won(self) -> bool | None: ...
    @property
    def price(self) -> float | None: ...
    @property
    def value(self) -> float | None: ...
    @property
    def decision_id(self) -> str | None: ...


class Under(NamedTuple):
    """The adjustment that an auction was bid by: its log μ, and its cap."""

    log_mu: float
    cap: float


@dataclass(frozen=True, slots=True)
class Steered:
    """A bid, and what the reserve and the shading made of it."""

    bid: Bid
    reserve: Reserve
    shade: float


class Steering(msgspec.Struct, array_like=True):
    """The beliefs that a bid follows from."""

    pace: Pace
    inflight: InFlight
    landscape: Landscape
    payments: Payments = msgspec.field(default_factory=Payments)
    outlook: Outlook = msgspec.field(default_factory=Outlook)  # of a flight opened before there was one: silent

    @classmethod
    def open(cls, prior: Priors, plan: Plan, now: int) -> "Steering":
        return cls(
            Pace.open(prior, plan, now),
            InFlight(prior=float(prior["lag"])),
            Landscape.open(prior),
            outlook=Outlook.open(prior["outlook"]),
        )

    def learn(self, heard: Auction, paid: float, remaining: float, plan: Plan, now: int, under: Under) -> None:
        """Move the beliefs by one auction; `remaining` is the budget left after it."""
        self._look(heard.value, remaining, plan, now)
        silent = _was_silent(heard)
        capped = heard.bid is not None and (heard.bid >= under.cap or silent)
        self.pace.observe(paid, remaining, plan, now, log_mu=under.log_mu, capped=capped)
        if not silent:
            lost_to_cap = capped and paid == 0.0
            would_pay = uncapped(heard, under.log_mu, self.landscape, plan) if lost_to_cap else paid
            self.payments.observe(would_pay, under.log_mu)
        self.inflight.auction(heard.decision_id)
        see_price(self.landscape, plan, heard)

    def doubt(self) -> None:
        """The price level has changed: half of what is known is of another market, and is looked at anew."""
        self.pace.doubt()
        self.outlook.worth /= 2

    def bid(self, plan: Plan, value: float, quality: float, remaining: float, now: int) -> Steered:
        """The bid that is right at `now`; `value` is that of a usual impression."""
        reserve = self._reserve(plan, remaining, now)
        worth = value * quality * exp(-self.pace.log_mu)
        shade = self.landscape.shade(worth) if plan.first_price else 1.0
        scale = quality * shade * reserve.share
        return Steered(
            bid_of(plan, self.pace, scale, value, remaining, reserve.cap, self.landscape.least), reserve, shade
        )

    def _look(self, value: float | None, remaining: float, plan: Plan, now: int) -> None:
        """Before anything is learned from an auction: so that a unit that nobody knew isn't taken for a lesson."""
        if value is not None and value > 0.0 and remaining > 0.0:
            money = self.pace.per_auction(remaining, plan, now)
            self.pace.heed(self.outlook.look(value, money, self.landscape, first_price=plan.first_price))

    def _reserve(self, plan: Plan, remaining: float, now: int) -> Reserve:
        """What may be bid for all that is in flight: the most that can't pass the budget whatever comes, or, where the
        plan tolerates it, the most that hardly ever passes it by more than that."""
        pace, inflight = self.pace, self.inflight
        strict = Reserve(1.0, inflight.safe_bid(remaining, pace.per_ms))
        if plan.tolerance <= 0.0 or remaining <= 0.0:
            return strict
        if self.payments.auctions < ENOUGH:  # a cap under which nothing is won would teach nothing, and never end
            strict = Reserve(1.0, max(strict.cap, min(self.landscape.cheap, OPENING * remaining)))
        left = max(1.0, pace.per_ms * (plan.ends_at - now))
        allowance = remaining + plan.tolerance * plan.budget
        likely = self.payments.reserve(allowance, pace.log_mu, inflight.bound(pace.per_ms), left)
        return likely if likely.cap > strict.cap else strict


def uncapped(heard: Auction, log_mu: float, landscape: Landscape, plan: Plan) -> float:
    """What an auction that was lost under the cap would have cost without it: no less than a higher cap will."""
    bid = (heard.value or 0.0) * exp(-log_mu)  # of a first price unshaded: the most that a winner would pay
    if heard.price is None or heard.price < (heard.bid or 0.0):
        return bid * landscape.win_rate(bid)
    if bid < heard.price:
        return 0.0
    return bid if plan.first_price else heard.price


def _was_silent(heard: Auction) -> bool:
    """Whether nothing was bid for an auction that was worth something: its bidder hadn't begun, or had stopped."""
    return heard.bid == 0.0 and (heard.value is None or heard.value > 0.0)


def see_price(landscape: Landscape, plan: Plan, heard: Auction) -> None:
    """What one auction says of the highest rival bid.

    A second-price winner pays it, a first-price winner only knows it was below. A loser knows that it was above its
    own bid, and what it was where the auction tells.
    """
    if heard.won:
        price = heard.price if heard.price is not None else heard.bid
        if price is not None:
            landscape.observe(price, "below" if plan.first_price or heard.price is None else "exact")
    elif heard.price is not None and heard.price >= (heard.bid or 0.0):
        landscape.observe(heard.price, "exact")
    elif heard.bid is not None:
        landscape.observe(heard.bid, "above")
