"""What the rules of the business cost: what they kept a decision from, and what that was worth by what was believed.

A price has a floor, a ceiling and a longest step; an order whole packs, a least and a most; a bid a budget; of a slate
some items are blocked or out of stock. What a rule kept from being done was never tried, so its cost is no measurement:
it is what the model that decided believed then. Where even that isn't logged, it is unknown.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil, floor, isfinite
from typing import Final, NamedTuple, cast

import msgspec
import numpy as np

from infra.judging import prices
from infra.judging.evidence import Constraint, Estimate
from infra.judging.logged import Decided, Versions
from infra.judging.slates import CannotError
from infra.judging.strand import GROUPS, TERMS, Strand, group_of
from policies.bidding.pacing import Plan
from policies.linalg import Floats
from policies.slates.evidence import Evidence
from policies.slates.recommend import SCALE, prior_of
from policies.version import SHIPPED, PolicyVersion
from streams.records import Domain

_NEAR: Final = 1e-9
_KEPT_BACK: Final = "blocked or out of stock"
_NOTHING: Final = b'"withheld":[]'
_TOLD: Final = b'"withheld"'
KNOWN: Final = {
    ("pricing", "floor and ceiling"): (
        "what the believed demand says of the best price of all, less the best between floor and ceiling"
    ),
    ("pricing", "longest step"): (
        "what the believed demand says of the best price between floor and ceiling, less the best that one change "
        "reaches; later changes may reach it yet"
    ),
    ("recommendation", _KEPT_BACK): (
        "what the customer's belief expects of the best slate with the items that were kept back, less the best without"
    ),
    ("replenishment", "most that may be ordered"): (
        "at most: every unit that was wanted beyond it is taken for a lost sale at the shortage cost"
    ),
}
UNKNOWN: Final = {
    ("replenishment", "least that may be ordered"): (
        "orders that were raised to the least, in packs; what they cost hangs on what sold later: "
        "`tradewind what-if stock` simulates other orders"
    ),
    ("bidding", "budget"): (
        "bids that were stopped or capped so that the budget is kept; what more money would have won was never tried: "
        "`tradewind what-if ads --budget-factor 1.2` simulates it"
    ),
    ("bidding", "highest bid"): (
        "bids that the campaign's own highest bid capped; what a higher one would have won was never tried"
    ),
}
ANY: Final = "any"
_ASK: Final = {**KNOWN, **UNKNOWN}


class Held(NamedTuple):
    """One rule on one decision: whether it changed what was best, and what that cost, in the domain's reward."""

    name: str
    bound: bool
    cost: float = 0.0


class Bounds(msgspec.Struct):
    """Sums over decisions, by domain and rule: they merge. `looked` has costs as rewards and what was bound as Ψ."""

    looked: dict[str, Strand] = {}
    unable: dict[str, int] = {}  # decisions that don't say what their rules were, by domain

    def take(self, decisions: Sequence[Decided], versions: Versions) -> None:
        """Take in decisions of any domain."""
        rows: dict[str, list[tuple[int, float, float]]] = {}
        for one in decisions:
            look = _LOOK.get(one.domain)
            if look is None:
                continue
            try:
                found = list(look(one, versions.get(one.policy_hash, SHIPPED)))
            except (CannotError, KeyError, TypeError, ValueError, IndexError, ZeroDivisionError):
                self.unable[one.domain] = self.unable.get(one.domain, 0) + 1
                continue
            for held in found:
                rows.setdefault(f"{one.domain}/{held.name}", []).append((group_of(one.entity), held.cost, held.bound))
        for key, of in rows.items():
            group, cost, bound = (np.array(column) for column in zip(*of, strict=True))
            sums = np.zeros((GROUPS, TERMS))
            np.add.at(sums, group.astype(np.int64), np.stack([np.ones(len(of)), cost, bound, bound, bound], axis=1))
            self.looked.setdefault(key, Strand()).add(sums)

    def merge(self, other: "Bounds") -> None:
        """Take in what another share gathered."""
        for key, strand in other.looked.items():
            self.looked.setdefault(key, Strand()).merge(strand)
        for domain, many in other.unable.items():
            self.unable[domain] = self.unable.get(domain, 0) + many

    def told(self) -> list[Constraint]:
        """By domain and rule."""
        found = [_told(key, strand) for key, strand in sorted(self.looked.items())]
        unable = [
            Constraint(domain=cast(Domain, domain), name=ANY, decisions=many, bound=0, words="they don't say")
            for domain, many in sorted(self.unable.items())
        ]
        return [*found, *unable]


def _told(key: str, strand: Strand) -> Constraint:
    domain, _, name = key.partition("/")
    known = (domain, name) in KNOWN
    return Constraint(
        domain=cast(Domain, domain),
        name=name,
        decisions=strand.decisions,
        bound=round(float(strand.sums[:, 2].sum())),
        cost=strand.logged() if known else None,
        words=_ASK[domain, name],
    )


def sentence(one: Constraint, units: Callable[[float | None], str]) -> str:
    """For a person."""
    if one.name == ANY:
        return f"Of {one.decisions:,} decisions it isn't known what rules they were under: {one.words}."
    share = f"in {one.bound:,} of {one.decisions:,} decisions"
    if one.cost is None:
        return f"{one.name.capitalize()}: at work {share}. The cost can't be known from this log: {one.words}."
    told = f"{one.name.capitalize()}: changed what was best {share}"
    if not one.bound:
        return f"{told}, and cost nothing."
    return f"{told}; about {units(one.cost.value)} a decision{_between(one.cost, units)} ({one.words})."


def _between(cost: Estimate, units: Callable[[float | None], str]) -> str:
    return "" if cost.low is None else f", {units(max(0.0, cost.low))} to {units(cost.high)}"


# ---- By domain ------------------------------------------------------------------------------------------------------


def _prices(one: Decided, version: PolicyVersion) -> Iterator[Held]:
    """By the belief's means. Where demand isn't believed to fall with the price, it knows no best one."""
    found = prices.priced(one, version)
    features = msgspec.json.decode(one.features, type=_Ladder)
    if found is None:
        raise CannotError("features-missing")
    best = found.made.belief.best(found.cost)
    if not isfinite(best):
        return
    allowed = min(max(best, features.floor), features.ceiling)
    reached = min(max(best, min(found.made.prices)), max(found.made.prices))
    at_best, at_allowed, at_reached = prices.profits(found.made, found.cost, [best, allowed, reached])
    yield _lost("floor and ceiling", at_best, at_allowed)
    yield _lost("longest step", at_allowed, at_reached)


def _lost(name: str, better: float, worse: float) -> Held:
    cost = max(0.0, better - worse)
    return Held(name, cost > _NEAR * max(abs(better), 1.0), cost)


def _orders(one: Decided, _version: PolicyVersion) -> Iterator[Held]:
    """What was wanted is the mean of two rules, as `policies/orders/replenish.py` tells; the log has both."""
    told = msgspec.json.decode(one.features, type=_Order)
    quantity = float(one.action["quantity"])
    most = floor(told.max_order / told.pack_size + _NEAR) * told.pack_size
    least = max(1, ceil(told.min_order / told.pack_size - _NEAR)) * told.pack_size
    position = told.on_hand + sum(units for _, units in told.due)
    wanted = told.fast * (told.level - told.projected) + (1.0 - told.fast) * (told.enough - position)
    short = max(0.0, wanted - quantity - told.pack_size) if quantity >= most - _NEAR else 0.0
    yield Held("most that may be ordered", short > 0.0, short * told.shortage_cost)
    yield Held("least that may be ordered", 0.0 < wanted < least - told.pack_size and quantity >= least - _NEAR)


def _bids(one: Decided, _version: PolicyVersion) -> Iterator[Held]:
    told = msgspec.json.decode(one.features, type=_Bid)
    plan = told.situation.plan
    if plan is None or told.safe_bid is None:
        return  # withdrawn, or its flight has yet to begin, or is over: no rule of money was looked at
    cap = float(one.action["max_bid"])
    yield Held("budget", cap <= 0.0 or (_NEAR < cap < plan.bid_max - _NEAR))
    yield Held("highest bid", cap >= plan.bid_max - _NEAR and told.wants > plan.bid_max)


def _slates(one: Decided, version: PolicyVersion) -> Iterator[Held]:
    """By what the customer's belief expects of each item. A log that doesn't tell what was kept back says nothing."""
    raw = bytes(one.features)  # five kilobytes, and nearly always nothing was kept back: it is looked for, not decoded
    if _NOTHING in raw:
        yield Held(_KEPT_BACK, bound=False)
    elif _TOLD in raw:
        told = msgspec.json.decode(raw, type=_Slate)
        prior = prior_of(version)[0]
        upper, shift = np.array(told.belief.precision_upper), np.array(told.belief.shift)
        precision, shift = Evidence(upper=upper.tobytes(), shift=shift.tobytes()).read(prior.size)
        mean = np.linalg.solve(prior.precision + precision, prior.precision @ prior.mean + shift)
        shown, kept = (
            np.array(phi, dtype=np.float64).reshape(-1, prior.size) @ mean for phi in (told.phi, told.withheld_phi)
        )
        size = int(one.action["size"])
        yield _lost(_KEPT_BACK, _best(np.concatenate([shown, kept]), size), _best(shown, size))


def _best(expected: Floats, size: int) -> float:
    return float(np.sort(expected)[::-1][:size].sum()) / SCALE


class _Belief(msgspec.Struct):
    precision_upper: list[float] = []
    shift: list[float] = []


class _Slate(msgspec.Struct):
    phi: list[list[int]]
    belief: _Belief
    withheld_phi: list[list[int]] = []


class _Ladder(msgspec.Struct):
    floor: float
    ceiling: float


class _Order(msgspec.Struct):
    on_hand: float
    due: list[tuple[float, float]]
    projected: float
    level: float
    enough: float
    fast: float
    pack_size: float
    min_order: float
    max_order: float
    shortage_cost: float


class _Situation(msgspec.Struct):
    plan: Plan | None = None


class _Measured(msgspec.Struct):
    value: float = 0.0


class _Bid(msgspec.Struct):
    situation: _Situation
    safe_bid: float | None = None
    log_mu: float = 0.0
    quality: float = 0.0
    shade: float = 1.0
    reserve_share: float = 1.0  # older logs don't say
    campaign: _Measured = msgspec.field(default_factory=_Measured)

    @property
    def wants(self) -> float:
        """The bid for a usual impression, before bounds."""
        scale = self.quality * self.shade * self.reserve_share
        return scale * self.campaign.value * float(np.exp(-self.log_mu))


_LOOK: Final[Mapping[str, Callable[[Decided, PolicyVersion], Iterator[Held]]]] = {
    "pricing": _prices,
    "replenishment": _orders,
    "bidding": _bids,
    "recommendation": _slates,
}
