"""How much to bid so that a budget lasts its flight and is never passed. Numbers in, numbers out: no topic, no clock.

The bid that wins the most value under a budget is value/μ: μ is the least value for money that is still worth taking
(the dual of the budget; Balseiro & Gur 2019). `Pace` finds it by a stochastic Newton step on log μ per auction.
Money is in the shop's currency, times are epoch milliseconds.
"""

from dataclasses import dataclass
from math import exp, log
from typing import Final

import msgspec

from policies import shipped
from policies.bidding.outlook import Said
from policies.version import Priors

DOMAIN: Final = "bidding"
SCHEMA: Final = "tradewind.bidding-prior/1"

# What is believed of a campaign of no shop in particular. A learner tells μ in its shop's own units; what ships has to
# serve any, so that its `log_mu`, `revenue` and `price`, which hang on money, are worth next to nothing.
FLAT: Final[Priors] = {
    "log_mu": 0.0,  # bid the value itself
    "strength": 1.0,  # what that is worth, in auctions
    "outlook": [0.0, 0.0, 0.0],  # log μ·ρ/v̄ (see there), what that is worth, and prices at most, in auctions
    "lag": 16.0,  # auctions that still run under an old adjustment
    "ctr": [1.0, 99.0],  # Beta: clicks per impression
    "cvr": [1.0, 49.0],  # Beta: conversions per click
    "revenue": [0.0, 0.0, 1.0],  # log revenue of a conversion: mean, strength in conversions, variance
    "price": [0.0, 1.0, 0.0],  # log price: mean, deviation, strength in auctions
}

PRIOR: Final[Priors] = shipped.numbers(DOMAIN, schema=SCHEMA, names=FLAT)

MAX_STEP: Final = 0.5  # of log μ by one auction
MAX_LOG_MU: Final = 30.0
MIN_GAIN: Final = 1 / 2_000  # markets move
DOUBTED: Final = 10.0  # auctions that what was learned counts for at least, however doubtful
LAST_AUCTIONS: Final = 20.0  # keeps the gain at the very end of a flight below 1/20
HASTE: Final = 5.0  # within so many times LAST_AUCTIONS of the end, μ follows the last money, not the market

MATTERS: Final = 0.05  # a change of the multiplier worth telling, in logs
SPACINGS: Final = 1_000  # at most so many adjustments of the multiplier in a flight
HEADROOM: Final = 0.85  # a published cap is this share of what is safe, so that it need not follow every payment
RISE: Final = 1.5  # a cap may rise once it could be so much higher
SPENT: Final = 0.002  # the share of a budget that is as good as nothing


class Plan(msgspec.Struct, frozen=True, array_like=True):
    """What a campaign asks for. `weights` are those of CTR, CVR and revenue."""

    budget: float
    starts_at: int
    ends_at: int
    bid_min: float
    bid_max: float
    weights: tuple[float, float, float]
    first_price: bool
    tolerance: float = 0.01  # share of the budget that may be passed, hardly ever; 0: never, whatever comes

    @property
    def length_ms(self) -> int:
        return self.ends_at - self.starts_at


class Pace(msgspec.Struct, array_like=True):
    """The belief about log μ, and about how many auctions are still to come."""

    log_mu: float
    weight: float  # auctions' worth of evidence behind log_mu
    half_life_ms: float
    elapsed_ms: float  # decayed, as `arrivals` is
    at: int
    arrivals: float = 1.0
    settled: float = 0.0  # the average of log μ, later ones counting more: what the flight has taught
    learned: int = 0  # auctions in that average

    @classmethod
    def open(cls, prior: Priors, plan: Plan, now: int) -> "Pace":
        """Before the first auction; the arrival rate starts from one in a thousandth of the flight."""
        return cls(
            log_mu=float(prior["log_mu"]),
            weight=float(prior["strength"]),
            half_life_ms=plan.length_ms / 4,
            elapsed_ms=plan.length_ms / 1_000,
            at=now,
            settled=float(prior["log_mu"]),
        )

    @property
    def per_ms(self) -> float:
        """Auctions per millisecond."""
        return self.arrivals / self.elapsed_ms

    def pause(self, now: int) -> None:
        """Leave the time until `now` out of the arrival rate: nobody was bidding."""
        self.at = max(self.at, now)

    def observe(self, paid: float, remaining: float, plan: Plan, now: int, *, log_mu: float, capped: bool) -> None:
        """Learn from one auction: `paid` is 0 where it was lost; `remaining` is the budget left after it.

        `log_mu` is the one that was bid by: with a late bidder that is an older one, and since spend falls as 1/μ, what
        was paid is carried over to the present one. Without that, a lag makes μ overshoot by all that is in flight.

        The gain is 1/weight, which is Newton's for a spend that falls as 1/μ, but never below 1/(auctions left):
        what isn't put right by then stays wrong. A loss under the cap (`capped`) says nothing of μ.
        """
        self._arrive(now)
        left = max(1.0, self.per_ms * (plan.ends_at - now))
        self.weight += 1.0
        if remaining <= 0.0 or (capped and paid == 0.0):
            return
        gain = max(1.0 / self.weight, MIN_GAIN, 1.0 / (left + LAST_AUCTIONS))
        would_pay = paid * exp(min(MAX_STEP, log_mu - self.log_mu))
        # A loss says that μ was too high where it was bid by: without that, losses in flight would add up.
        too_high = min(1.0, max(0.0, 1.0 - (log_mu - self.log_mu))) if paid == 0.0 else 1.0
        step = gain * (would_pay * left / remaining - too_high)
        self.log_mu = _within(self.log_mu + _within(step, MAX_STEP), MAX_LOG_MU)
        if left > HASTE * LAST_AUCTIONS:
            self.learned += 1
            self.settled += (self.log_mu - self.settled) * 2.0 / (self.learned + 1.0)

    def per_auction(self, remaining: float, plan: Plan, now: int) -> float:
        """ρ: the money left for each auction that is still to come."""
        return remaining / max(1.0, self.per_ms * (plan.ends_at - now))

    def heed(self, said: Said) -> None:
        """Follow what is expected of log μ by as much as that weighs beside what was learned."""
        self.weight += said.more
        shift = said.worth * said.moved + said.more * (said.log_mu - self.log_mu)
        self.log_mu = _within(self.log_mu + shift / self.weight, MAX_LOG_MU)

    def doubt(self) -> None:
        """The price level has changed: half of the evidence is of another market."""
        self.weight = max(DOUBTED, self.weight / 2)

    def _arrive(self, now: int) -> None:
        elapsed = max(0, now - self.at)
        left = 0.5 ** (elapsed / self.half_life_ms)
        self.arrivals = self.arrivals * left + 1.0
        self.elapsed_ms = self.elapsed_ms * left + elapsed
        self.at += elapsed


def _within(x: float, bound: float) -> float:
    return max(-bound, min(bound, x))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """What the bidder shall do: bid min(max_bid, multiplier × value). `why_stopped` is empty while it bids."""

    multiplier: float
    max_bid: float
    safe: float = 0.0
    why_stopped: str = ""

    @property
    def live(self) -> bool:
        return self.max_bid > 0.0


def stop(why: str) -> Bid:
    return Bid(multiplier=0.0, max_bid=0.0, why_stopped=why)


def bid_of(plan: Plan, pace: Pace, scale: float, value: float, remaining: float, safe: float, least: float) -> Bid:
    """The bid under way: `scale`/μ within the campaign's bounds.

    `value` is the value of a usual impression (0 if not known), at which no less than bid_min is bid. `safe` is the
    highest cap that the budget bears; `least` the price under which nothing is ever won (0 if not known).
    """
    if plan.bid_max <= 0.0:
        return stop("the highest bid allowed is 0")
    if remaining <= SPENT * plan.budget:
        return stop("the budget is spent")
    if safe <= 0.0 or safe < max(plan.bid_min, least):
        return stop("the budget is spent: what is left may already be in flight")
    multiplier = scale * exp(-pace.log_mu)
    if value > 0.0:
        multiplier = max(multiplier, plan.bid_min / value)
    return Bid(multiplier=multiplier, max_bid=max(plan.bid_min, min(plan.bid_max, HEADROOM * safe)), safe=safe)


class Published(msgspec.Struct, frozen=True, array_like=True):
    """The adjustment in force."""

    multiplier: float
    max_bid: float
    at: int


def matters(before: Published | None, bid: Bid, plan: Plan | None, now: int) -> str:
    """Why the bidder must hear of this bid; empty if it need not."""
    if before is None or before.max_bid == 0.0 or plan is None or not bid.live:
        return _start_or_stop(before is not None and before.max_bid > 0.0, bid)
    if before.max_bid > min(bid.safe, plan.bid_max):
        return "the cap falls with the budget that is left"
    if before.max_bid < plan.bid_min:
        return "the campaign's bounds changed"
    if now - before.at < plan.length_ms / SPACINGS:
        return ""
    return _moved(before, bid)


def _moved(before: Published, bid: Bid) -> str:
    change = log(bid.multiplier / before.multiplier)
    if change <= -MATTERS:
        return "spending too fast"
    if change >= MATTERS:
        return "spending too slowly"
    return "fewer auctions in flight than feared: the cap rises" if bid.max_bid > RISE * before.max_bid else ""


def _start_or_stop(live: bool, bid: Bid) -> str:
    if live == bid.live:
        return ""
    return "the flight is under way" if bid.live else bid.why_stopped
