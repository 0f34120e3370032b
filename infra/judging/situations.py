"""Logged situations that were decided without chance, decided again under as many versions as ask.

What versions have in common is made once: features are read once, and versions that believe the same decide the same.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from agents.bidder import decide_again
from agents.replenishment import prior_of, review_of
from infra.judging.logged import Decided, Versions
from policies.bidding import pacing
from policies.orders.demand import Belief, DemandPrior, Evidence
from policies.orders.replenish import Review, choose
from policies.version import PolicyVersion
from streams.records import Domain

Make = Callable[[Decided, dict[str, Any], PolicyVersion], tuple[float, dict[str, Any]]]  # propensity, fields

_SILENT: Final = "features-missing"


class Remade(NamedTuple):
    """What a decision comes to when it is made again: what is compared with the log, by the name of its field."""

    decision: Decided
    propensity: float
    fields: dict[str, Any]


class Unable(NamedTuple):
    """A decision that can't be made again, and why (from a closed set)."""

    decision: Decided
    why: str


Made = Remade | Unable


class Situations(Protocol):
    """Decisions of one domain. Answers are in their order; the same object is the same answer."""

    def as_logged(self, versions: Versions) -> list[Made]:
        """Each under the version that it was made by."""
        ...

    def under(self, version: PolicyVersion) -> list[Made]:
        """All of them under one version."""
        ...


class Each:
    """Decisions that a version makes one by one."""

    def __init__(self, decisions: Sequence[Decided], make: Make | None) -> None:
        self._decisions = decisions
        self._features = [_features_of(one) for one in decisions]
        self._make = make
        self._known: dict[tuple[int, str], Made] = {}

    def as_logged(self, versions: Versions) -> list[Made]:
        found: list[Made] = []
        for place, one in enumerate(self._decisions):
            version = versions.get(one.policy_hash)
            found.append(Unable(one, "version-unknown") if version is None else self._at(place, version))
        return found

    def under(self, version: PolicyVersion) -> list[Made]:
        return [self._at(place, version) for place in range(len(self._decisions))]

    def _at(self, place: int, version: PolicyVersion) -> Made:
        key = place, version.sha256
        if key not in self._known:
            self._known[key] = self._made(self._decisions[place], self._features[place], version)
        return self._known[key]

    def _made(self, one: Decided, features: dict[str, Any] | None, version: PolicyVersion) -> Made:
        if self._make is None:
            return Unable(one, "no-way-to-remake")
        if features is None:
            return Unable(one, _SILENT)
        try:
            return Remade(one, *self._make(one, features, version))
        except (KeyError, TypeError, ValueError):
            return Unable(one, _SILENT)


class Orders:
    """Reviews of stock. Only where another prior believes something else of a SKU is its review worked out again."""

    def __init__(self, decisions: Sequence[Decided]) -> None:
        self._decisions = decisions
        self._told = [_told_of(one) for one in decisions]
        self._logged: list[Made] = [Unable(one, _SILENT) for one in decisions]
        self._choose(self._logged, {at: told.review.belief for at, told in enumerate(self._told) if told is not None})
        self._under: dict[DemandPrior, list[Made]] = {}

    def as_logged(self, versions: Versions) -> list[Made]:
        """By the belief that was logged."""
        return [
            self._logged[place] if one.policy_hash in versions else Unable(one, "version-unknown")
            for place, one in enumerate(self._decisions)
        ]

    def under(self, version: PolicyVersion) -> list[Made]:
        prior = prior_of(version)
        if prior not in self._under:
            self._under[prior] = self._believing(prior)
        return self._under[prior]

    def _believing(self, prior: DemandPrior) -> list[Made]:
        """What is made of the same situations under a prior."""
        made = list(self._logged)
        changed: dict[int, Belief] = {}
        for place, told in enumerate(self._told):
            if told is None or told.evidence is None:
                made[place] = Unable(self._decisions[place], _SILENT)
            elif (belief := told.evidence.belief(prior)) != told.review.belief:
                changed[place] = belief
        self._choose(made, changed)
        return made

    def _choose(self, made: list[Made], beliefs: Mapping[int, Belief]) -> None:
        """Put in their places what the reviews come to by these beliefs."""
        reviews = [told.review for place in beliefs if (told := self._told[place]) is not None]
        for place, choice in zip(beliefs, choose(reviews, list(beliefs.values())), strict=True):
            made[place] = Remade(self._decisions[place], 1.0, {"quantity": choice.quantity})


class _Told(NamedTuple):
    """What was reviewed, and what the SKU's own data said of its demand; None where the features don't say that."""

    review: Review
    evidence: Evidence | None


def situations(domain: Domain, decisions: Sequence[Decided]) -> Situations:
    """These decisions, all of that domain."""
    if domain == "replenishment":
        return Orders(decisions)
    return Each(decisions, _bid if domain == "bidding" else _by_its_agent(domain))


def _bid(one: Decided, features: dict[str, Any], version: PolicyVersion) -> tuple[float, dict[str, Any]]:
    bid = decide_again(features, version.prior(pacing.DOMAIN, pacing.PRIOR), one.decided_at)
    return 1.0, {"bid_multiplier": bid.multiplier, "max_bid": bid.max_bid}


def _by_its_agent(domain: Domain) -> Make | None:
    """Of a domain whose agent says itself how a decision is made again: `again(features, version, seed)`."""
    again = getattr(import_module(f"agents.{domain}"), "again", None)
    return None if again is None else lambda one, features, version: again(features, version, one.seed)


def _told_of(one: Decided) -> _Told | None:
    features = _features_of(one)
    if features is None:
        return None
    try:
        review = review_of(features)
    except (KeyError, TypeError, ValueError):
        return None
    try:
        return _Told(review, msgspec.convert(features["evidence"], Evidence))
    except (KeyError, ValueError):
        return _Told(review, None)


_FEATURES: Final = msgspec.json.Decoder(dict[str, Any])


def features_of(one: Decided) -> dict[str, Any]:
    """What the decision was made from, as plain data. Raises msgspec.DecodeError."""
    return _FEATURES.decode(one.features)


def _features_of(one: Decided) -> dict[str, Any] | None:
    try:
        return features_of(one)
    except msgspec.DecodeError:
        return None
