"""Logged decisions made again, by the code that made them, from nothing but the log and the versions of the policy.

A decision that can't be made again is named with the reason: its version is unknown, or its features don't say enough.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple

import msgspec

from agents.bidder import decide_again
from agents.replenishment import review_of
from infra.judging.evidence import Difference
from infra.judging.logged import CLOSE, Decided, Versions
from infra.judging.slates import CannotError, Case, blocks
from policies.bidding import pacing
from policies.orders import replenish
from policies.slates.recommend import prior_of
from policies.slates.slate import choose
from policies.version import PolicyVersion, Priors
from streams.records import Domain

Again = Callable[[Mapping[str, Any], PolicyVersion, str], tuple[float, dict[str, Any]]]


class Remade(NamedTuple):
    """What a decision comes to when it is made again: what is compared with the log, by the name of its field."""

    decision: Decided
    propensity: float
    fields: dict[str, Any]


class Unable(NamedTuple):
    """A decision that can't be made again, and why (from a closed set)."""

    decision: Decided
    why: str


def remake(decisions: Sequence[Decided], versions: Versions) -> Iterator[Remade | Unable]:
    """Make them again, in batches of one domain and one version. In no particular order."""
    by: dict[tuple[Domain, str], list[Decided]] = defaultdict(list)
    for one in decisions:
        by[one.domain, one.policy_hash].append(one)
    for (domain, sha256), same in by.items():
        version = versions.get(sha256)
        if version is None:
            yield from (Unable(one, "version-unknown") for one in same)
        else:
            yield from _MAKERS.get(domain, made_by_its_agent)(same, version)


def _slates(decisions: Sequence[Decided], version: PolicyVersion) -> Iterator[Remade | Unable]:
    cases: list[Case] = []
    for one in decisions:
        try:
            cases.append(Case.of(one))
        except CannotError as error:
            yield Unable(one, error.why)
    prior, temperature = prior_of(version)
    for block in blocks(cases):
        made = choose([case.query for case in block], prior, temperature)
        for case, slate in zip(block, made, strict=True):
            names = [case.told.candidates[place] for place in slate.chosen]
            yield Remade(case.told, slate.propensity, {"chosen": names, "slot_propensities": slate.slot_propensities})


def _bids(decisions: Sequence[Decided], version: PolicyVersion) -> Iterator[Remade | Unable]:
    return bids_of(decisions, version.prior(pacing.DOMAIN, pacing.PRIOR))


def bids_of(decisions: Sequence[Decided], prior: Priors) -> Iterator[Remade | Unable]:
    """The bids that logged situations lead to under a prior."""
    for one in decisions:
        try:
            bid = decide_again(features_of(one), prior, one.decided_at)
        except (KeyError, TypeError, ValueError):
            yield Unable(one, "features-missing")
        else:
            yield Remade(one, 1.0, {"bid_multiplier": bid.multiplier, "max_bid": bid.max_bid})


def _reviews(decisions: Sequence[Decided], _version: PolicyVersion) -> Iterator[Remade | Unable]:
    return orders_of(decisions, review_of)


def orders_of(
    decisions: Sequence[Decided], review: Callable[[Mapping[str, Any]], replenish.Review]
) -> Iterator[Remade | Unable]:
    """What is ordered at reviews that `review` makes of the logged features."""
    known: list[Decided] = []
    reviews: list[replenish.Review] = []
    for one in decisions:
        try:
            reviews.append(review(features_of(one)))
        except (KeyError, TypeError, ValueError):
            yield Unable(one, "features-missing")
        else:
            known.append(one)
    for one, choice in zip(known, replenish.choose(reviews), strict=True):
        yield Remade(one, 1.0, {"quantity": choice.quantity})


def made_by_its_agent(decisions: Sequence[Decided], version: PolicyVersion) -> Iterator[Remade | Unable]:
    """Decisions of a domain whose agent says itself how one is made again: `again(features, version, seed)`."""
    make: Again | None = getattr(import_module(f"agents.{decisions[0].domain}"), "again", None)
    for one in decisions:
        if make is None:
            yield Unable(one, "no-way-to-remake")
            continue
        try:
            propensity, fields = make(features_of(one), version, one.seed)
        except (KeyError, TypeError, ValueError):
            yield Unable(one, "features-missing")
        else:
            yield Remade(one, propensity, fields)


def features_of(one: Decided) -> dict[str, Any]:
    """What the decision was made from, as plain data. Raises msgspec.ValidationError."""
    return msgspec.json.decode(one.features, type=dict[str, Any])


_MAKERS: Final[dict[Domain, Callable[[Sequence[Decided], PolicyVersion], Iterator[Remade | Unable]]]] = {
    "recommendation": _slates,
    "bidding": _bids,
    "replenishment": _reviews,
}


def difference(made: Remade) -> Difference | None:
    """The first field that isn't what was logged; None where all are: the propensity to 1e-9, the action exactly."""
    one = made.decision
    logged: dict[str, Any] = {"chosen": one.chosen, "slot_propensities": one.slot_propensities} | one.action
    for field, value in made.fields.items():
        said = logged.get(field)
        if field == "slot_propensities":
            continue
        if said != value:
            return _differs(one, field, said, value)
    if abs(made.propensity - one.propensity) > CLOSE * one.propensity:
        return _differs(one, "propensity", one.propensity, made.propensity)
    slots = made.fields.get("slot_propensities", one.slot_propensities)
    for place, (said, value) in enumerate(zip(one.slot_propensities, slots, strict=True)):
        if abs(value - said) > CLOSE * said:
            return _differs(one, f"slot_propensities[{place}]", said, value)
    return None


def _differs(one: Decided, field: str, logged: Any, remade: Any) -> Difference:
    return Difference(decision_id=one.decision_id, domain=one.domain, field=field, logged=logged, remade=remade)
