"""A shop in records: what the tests of the dashboard feed to its model."""

from typing import Any

import numpy as np

from infra.dashboard.model import Model
from policies.slates.evidence import Evidence
from policies.slates.recommend import FEATURES, MEMORY_MS, SCALE, prior_of, query
from policies.slates.slate import Slate, choose
from policies.version import SHIPPED, PolicyVersion
from streams.codec import encode
from streams.records import Decision, Outcome, Recommendation, ScoredItem
from streams.topics import DECISIONS, RECOMMENDATIONS, Topic

AT = 1_483_272_000_000  # 2017-01-01T12:00Z


def tell(model: Model, topic: Topic, *records: Any, at: int = AT, received: int | None = None) -> None:
    """Feed records as the reader would; `at` is the log's time."""
    for record in records:
        model.observe(topic, topic.key(record).encode(), encode(record), at, at if received is None else received)


def evidence_of(rng: np.random.Generator, outcomes: int, policy: PolicyVersion = SHIPPED) -> Evidence:
    """A user who was shown slates before."""
    evidence, (prior, _) = Evidence(), prior_of(policy)
    for day in range(outcomes):
        phi = rng.random((4, len(FEATURES)))
        evidence.add(phi, rng.random(4), noise=prior.noise, at=AT + day * 86_400_000, memory_ms=MEMORY_MS)
    return evidence


def slates(
    rng: np.random.Generator, evidences: list[Evidence], policy: PolicyVersion = SHIPPED, candidates: int = 30
) -> list[tuple[Decision, Recommendation]]:
    """Slates chosen together, as the agent chooses and logs them."""
    prior, temperature = prior_of(policy)
    phi = [rng.integers(0, 2 * SCALE, (candidates, len(FEATURES))) for _ in evidences]
    queries = [query(of, one, n, 10) for n, (of, one) in enumerate(zip(phi, evidences, strict=True))]
    chosen = choose(queries, prior, temperature)
    return [
        _logged(f"u{n}", of, one, slate, policy)
        for n, (of, one, slate) in enumerate(zip(phi, evidences, chosen, strict=True))
    ]


def _logged(
    user: str, phi: Any, evidence: Evidence, slate: Slate, policy: PolicyVersion
) -> tuple[Decision, Recommendation]:
    items = [f"i{n}" for n in range(len(phi))]
    picked = [items[place] for place in slate.chosen]
    upper, shift = np.frombuffer(evidence.upper), np.frombuffer(evidence.shift)
    belief = {"precision_upper": upper, "shift": shift} if upper.any() else {}
    decision = Decision(
        decision_id=f"d-{user}",
        domain="recommendation",
        entity=user,
        event_ids=[f"e-{user}"],
        source=("user-events", 0, 0),
        occurred_at=AT,
        decided_at=AT,
        features={"names": FEATURES, "unit": SCALE, "phi": phi, "belief": belief},
        feature_version=1,
        candidates=items,
        chosen=picked,
        action={"placement": "home", "size": 10},
        propensity=slate.propensity,
        slot_propensities=slate.slot_propensities,
        exploration={"kind": "plackett-luce-mixture"},
        policy_version=policy.number,
        policy_hash=policy.sha256,
        seed="0",
    )
    sent = Recommendation(
        decision_id=decision.decision_id,
        event_id=f"e-{user}",
        user_id=user,
        placement="home",
        items=[ScoredItem(item_id=item, score=score) for item, score in zip(picked, slate.scores, strict=True)],
        policy_version=policy.number,
        decided_at=AT,
    )
    return decision, sent


def tell_slate(model: Model, logged: tuple[Decision, Recommendation], at: int = AT) -> None:
    tell(model, DECISIONS, logged[0], at=at)
    tell(model, RECOMMENDATIONS, logged[1], at=at)


def outcome(decision_id: str, entity: str, reward: float, label: Any = "final") -> Outcome:
    return Outcome(
        decision_id=decision_id,
        domain="recommendation",
        entity=entity,
        reward=reward,
        slot_rewards=[reward],
        label=label,
        attribution="window",
        decided_at=AT,
        matured_at=AT,
        policy_version=0,
    )
