"""A decision and an outcome as they are read to be judged: only what that takes, and only what can be so."""

from collections.abc import Mapping
from functools import cache
from math import isfinite, prod
from typing import Any, Final, Literal

import msgspec

from policies.version import PolicyVersion
from streams.records import Domain

CLOSE: Final = 1e-9  # relative: as near as a propensity must be to be the same

Versions = Mapping[str, PolicyVersion]  # by sha256

Bad = Literal[
    "decision-unreadable",
    "decision-propensity-impossible",
    "decision-slots-disagree",
    "outcome-unreadable",
    "outcome-reward-not-finite",
]


class BadLogError(ValueError):
    """A message of the log that can't be judged. `reason` is from a closed set."""

    def __init__(self, reason: Bad, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Bad = reason


class Told(msgspec.Struct, frozen=True, gc=False):
    """The experiment that a decision was part of."""

    name: str
    shares: dict[str, float]


class Explored(msgspec.Struct, frozen=True, gc=False):
    """What of a decision's `exploration` matters here. `agreement` is that of a shadow with what was done."""

    experiment: Told | None = None
    agreement: float = 0.0


class Decided(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A logged decision; `features` stays as it was written until somebody needs it."""

    decision_id: str
    domain: Domain
    entity: str
    decided_at: int
    features: msgspec.Raw
    candidates: list[str]
    chosen: list[str]
    action: dict[str, Any]
    propensity: float
    slot_propensities: list[float]
    policy_version: int
    policy_hash: str
    seed: str
    fallback: str | None = None
    arm: str = "default"
    exploration: Explored = Explored()


class Earned(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a decision has earned, in all and by slot."""

    decision_id: str
    reward: float
    slot_rewards: list[float]
    label: Literal["final", "correction"]
    matured_at: int


@cache
def _decoder(kind: type[Any]) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(kind)


def decided(value: bytes | None) -> Decided:
    """The decision in a message. Raises BadLogError."""
    try:
        found: Decided = _decoder(Decided).decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadLogError("decision-unreadable", str(error)) from error
    if not all(0.0 < one <= 1.0 for one in (found.propensity, *found.slot_propensities)):
        raise BadLogError("decision-propensity-impossible", f"{found.decision_id}: outside (0, 1]")
    if found.domain == "recommendation" and not _hold_together(found):
        raise BadLogError("decision-slots-disagree", found.decision_id)
    return found


def _hold_together(found: Decided) -> bool:
    """Whether the slots are as many as their propensities, none is twice, all were candidates."""
    slots = found.slot_propensities
    return (
        len(slots) == len(found.chosen) == len(set(found.chosen))
        and abs(prod(slots) - found.propensity) <= CLOSE * found.propensity
        and set(found.chosen).issubset(found.candidates)
    )


def earned(value: bytes | None) -> Earned:
    """The outcome in a message. Raises BadLogError."""
    try:
        found: Earned = _decoder(Earned).decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadLogError("outcome-unreadable", str(error)) from error
    if not all(isfinite(one) for one in (found.reward, *found.slot_rewards)):
        raise BadLogError("outcome-reward-not-finite", found.decision_id)
    return found
