"""The last decisions of users, campaigns and SKUs, as they lie in the log, and what came of them."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, get_args

import msgspec

from infra.dashboard.rings import Table
from infra.measures.recent import Recent
from streams.records import Decision, Domain, Outcome, Recommendation

KEPT: Final = 2_000  # entities of each domain
HISTORY: Final = 8  # decisions of each entity
_EARLY: Final = 10_000  # outcomes that were read before their decision
DOMAINS: Final[tuple[Domain, ...]] = get_args(Domain)


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of every decision; the rest of it only once somebody asks."""

    decision_id: str
    domain: Domain
    entity: str
    event_ids: list[str]
    decided_at: int
    policy_version: int
    arm: str = ""


@dataclass(slots=True, kw_only=True)
class Past:
    """A decision in an entity's history; `reward` is None until its outcome is told."""

    decision_id: str
    decided_at: int
    policy_version: int
    reward: float | None = None


@dataclass(slots=True)
class Entity:
    """`decision` is the raw record of the last decision, `slate` that of the last recommendation."""

    decision: bytes = b""
    decided_at: int = -1
    slate: bytes = b""
    history: deque[Past] = field(default_factory=lambda: deque[Past](maxlen=HISTORY))


@dataclass(slots=True)
class Rewards:
    """Final outcomes of one domain: how many, how many earned something, and their sum."""

    outcomes: int = 0
    positive: int = 0
    total: float = 0.0


@dataclass(slots=True)
class Entities:
    kept: dict[Domain, Table[Entity]] = field(
        default_factory=lambda: {domain: Table(Entity, KEPT) for domain in DOMAINS}
    )
    rewards: dict[Domain, Rewards] = field(default_factory=lambda: {domain: Rewards() for domain in DOMAINS})
    _early: Recent[float] = field(default_factory=lambda: Recent[float](_EARLY))

    def decided(self, head: Head, raw: bytes) -> None:
        entity = self.kept[head.domain].touch(head.entity)
        past = Past(decision_id=head.decision_id, decided_at=head.decided_at, policy_version=head.policy_version)
        past.reward = self._early.take(head.decision_id)
        entity.history.append(past)
        if head.decided_at >= entity.decided_at:
            entity.decision, entity.decided_at = raw, head.decided_at

    def sent(self, user_id: str, raw: bytes) -> None:
        self.kept["recommendation"].touch(user_id).slate = raw

    def came_of(self, outcome: Outcome) -> None:
        if outcome.label == "final":
            rewards = self.rewards[outcome.domain]
            rewards.outcomes += 1
            rewards.positive += outcome.reward > 0
            rewards.total += outcome.reward
        entity = self.kept[outcome.domain].get(outcome.entity)
        for past in entity.history if entity is not None else ():
            if past.decision_id == outcome.decision_id:
                past.reward = outcome.reward
                return
        self._early.take(outcome.decision_id)  # a correction stands in the place of what it corrects
        self._early.put(outcome.decision_id, outcome.reward)

    def forget(self, user_id: str) -> None:
        self.kept["recommendation"].remove(user_id)

    def last(self, domain: Domain, name: str) -> tuple[Decision, Recommendation | None] | None:
        """The last decision of an entity, and, of a user, the slate that it sent; None where none is kept."""
        entity = self.kept[domain].get(name)
        if entity is None or not entity.decision:
            return None
        decision = msgspec.json.decode(entity.decision, type=Decision)
        slate = msgspec.json.decode(entity.slate, type=Recommendation) if entity.slate else None
        same = slate is not None and slate.decision_id == decision.decision_id
        return decision, slate if same else None
