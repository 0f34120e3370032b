"""Why an action was taken: the terms come to the score that was sent, to the last bit."""

from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from infra.dashboard.model import Model
from infra.dashboard.why import Why, explain
from policies.bidding import pacing
from policies.orders import demand
from policies.slates.recommend import DOMAIN, FEATURES, PRIOR
from policies.version import SHIPPED, PolicyVersion
from streams.codec import encode
from streams.records import Decision, Recommendation
from tests.unit.infra.dashboard.shop import AT, evidence_of, slates, tell_slate


def through_the_log(logged: tuple[Decision, Recommendation]) -> tuple[Decision, Recommendation]:
    """As JSON and back: nothing may be rounded on the way."""
    decision, sent = logged
    return msgspec.json.decode(encode(decision), type=Decision), msgspec.json.decode(encode(sent), type=Recommendation)


def learned() -> PolicyVersion:
    rng = np.random.default_rng(5)
    d = len(FEATURES)
    root = rng.normal(size=(d, d))
    prior = {"mean": rng.normal(0, 0.3, d).tolist(), "precision": (root @ root.T + 50 * np.eye(d)).tolist()}
    return PolicyVersion(number=3, parent=0, priors={DOMAIN: PRIOR | prior})


@pytest.mark.parametrize("policy", [SHIPPED, learned()], ids=["shipped", "learned"])
@pytest.mark.parametrize("together", [1, 7, 45])  # slates asked for at once: the agent works them out in blocks
def test_terms_sum_exactly_to_the_score_that_was_sent(policy: PolicyVersion, together: int) -> None:
    rng = np.random.default_rng(together)
    evidences = [evidence_of(rng, outcomes=n % 4, policy=policy) for n in range(together)]
    for logged in slates(rng, evidences, policy):
        decision, sent = through_the_log(logged)
        why = explain(decision, policy.prior(DOMAIN, PRIOR), sent)
        assert not why.unknown
        assert [slot.item for slot in why.slots] == [one.item_id for one in sent.items]
        for slot, one in zip(why.slots, sent.items, strict=True):
            summed = 0.0
            for term in slot.terms:
                assert term.amount == term.value * term.weight
                summed += term.amount
            assert summed == slot.score == one.score
            assert slot.exact


def test_without_a_history_of_their_own_a_user_is_explained_by_the_prior_alone() -> None:
    rng = np.random.default_rng(1)
    decision, sent = through_the_log(slates(rng, [evidence_of(rng, 0)])[0])
    why = explain(decision, SHIPPED.prior(DOMAIN, PRIOR), sent)
    assert all(weight.belief == pytest.approx(weight.prior) for weight in why.weights)
    terms = [term for slot in why.slots for term in slot.terms]
    assert [term.amount for term in terms] == pytest.approx([term.of_prior for term in terms])


def test_ranks_are_by_score_among_all_candidates() -> None:
    rng = np.random.default_rng(2)
    decision, sent = through_the_log(slates(rng, [evidence_of(rng, 2)])[0])
    why = explain(decision, SHIPPED.prior(DOMAIN, PRIOR), sent)
    by_score = sorted(why.slots, key=lambda slot: -slot.score)
    assert [slot.rank for slot in by_score] == sorted(slot.rank for slot in why.slots)
    assert min(slot.rank for slot in why.slots) >= 1


def test_a_score_that_other_code_made_is_told_from_ours() -> None:
    rng = np.random.default_rng(3)
    decision, sent = through_the_log(slates(rng, [evidence_of(rng, 1)])[0])
    off = replace(sent, items=[replace(one, score=np.nextafter(one.score, 1.0)) for one in sent.items])
    assert not any(slot.exact for slot in explain(decision, SHIPPED.prior(DOMAIN, PRIOR), off).slots)


def test_an_unknown_version_is_said_to_be_unknown() -> None:
    rng = np.random.default_rng(4)
    decision, sent = slates(rng, [evidence_of(rng, 1)], learned())[0]
    model = Model()
    tell_slate(model, (decision, sent))
    prior = model.versions.prior(decision.policy_hash, DOMAIN, PRIOR)
    assert prior is None
    assert "version 3" in explain(decision, prior, sent).unknown


def decision(domain: Any, features: dict[str, Any], action: dict[str, Any]) -> Decision:
    return Decision(
        decision_id="d",
        domain=domain,
        entity="x",
        event_ids=[],
        source=("t", 0, 0),
        occurred_at=AT,
        decided_at=AT,
        features=features,
        feature_version=1,
        candidates=[],
        chosen=[],
        action=action,
        propensity=1.0,
        slot_propensities=[1.0],
        exploration={},
        policy_version=0,
        policy_hash=SHIPPED.sha256,
        seed="",
    )


def told(why: Why) -> dict[str, str]:
    return {one.words: one.value for one in why.numbers}


def test_an_order_is_what_is_missing_and_what_packs_added() -> None:
    features = {"on_hand": 3.0, "due": [[1.0, 4.0]], "a": 8.0, "b": 4.0, "level": 12.5, "projected": 2.25}
    prior = demand.PRIOR | {"a": 1.0, "b": 2.0, "size": 3.0}  # half an order a day, of three units
    why = explain(decision("replenishment", features, {"quantity": 12.0, "reason": "low"}), prior)
    numbers = told(why)
    assert numbers["missing"] == "10.25 units"
    assert numbers["added or cut for packs and order limits"] == "+1.75 units"
    assert numbers["ordered"] == "12 units"
    assert (why.summary, why.weights[0].belief, why.weights[0].prior) == ("low", 2.0, 1.5)


def test_a_bid_is_quality_over_mu() -> None:
    features = {
        "log_mu": 0.5,
        "quality": 1.2,
        "shade": 1.0,
        "remaining": 40.0,
        "in_flight": 3.0,
        "safe_bid": 2.0,
        "log_price_mean": -1.0,
        "log_price_deviation": 0.4,
    }
    multiplier = 1.2 * float(np.exp(-0.5))
    why = explain(decision("bidding", features, {"bid_multiplier": multiplier, "max_bid": 1.7}), pacing.PRIOR)
    numbers = told(why)
    assert numbers["quality × share / μ"] == numbers["bid multiplier"] == f"{multiplier:.4g}"
    lifted = explain(decision("bidding", features, {"bid_multiplier": 3.0, "max_bid": 1.7}), pacing.PRIOR)
    assert "bid multiplier, raised to the campaign's lowest bid" in told(lifted)


def test_what_was_logged_in_another_form_is_shown_as_it_is() -> None:
    why = explain(decision("replenishment", {"stock": 3}, {"quantity": 1.0}), demand.PRIOR)
    assert "another form" in why.unknown
    assert told(why) == {"stock": "3"}


def test_a_domain_without_words_of_its_own_shows_the_agents_reason_and_what_it_logged() -> None:
    why = explain(decision("pricing", {"price": 3.0, "max_steps": 2}, {"price": 3.5, "reason": "up by 1 step"}), {})
    assert (why.summary, why.unknown) == ("Up by 1 step.", "")
    assert {"price": "3", "max steps": "2"}.items() <= told(why).items()
