"""Logged decisions made again, by the code that made them, from nothing but the log and the versions of the policy.

A decision that can't be made again is named with the reason: its version is unknown, or its features don't say enough.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from infra.judging.evidence import Difference
from infra.judging.logged import CLOSE, Decided, Versions
from infra.judging.situations import Made, Remade, Unable, situations
from infra.judging.slates import CannotError, Case, blocks
from policies.slates.recommend import prior_of
from policies.slates.slate import choose
from policies.version import PolicyVersion
from streams.records import Domain


def remake(decisions: Sequence[Decided], versions: Versions) -> Iterator[Made]:
    """Make them again, in batches of one domain and one version. In no particular order."""
    by: dict[tuple[Domain, str], list[Decided]] = defaultdict(list)
    for one in decisions:
        by[one.domain, one.policy_hash].append(one)
    for (domain, sha256), same in by.items():
        version = versions.get(sha256)
        if domain == "recommendation" and version is not None:
            yield from _slates(same, version)
        elif domain == "recommendation":
            yield from (Unable(one, "version-unknown") for one in same)
        else:
            yield from situations(domain, same).as_logged(versions)


def _slates(decisions: Sequence[Decided], version: PolicyVersion) -> Iterator[Made]:
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
