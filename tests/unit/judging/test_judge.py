"""Decisions joined with outcomes, in any cut, to the same sums; and everything that is left out counted by name."""

from typing import Any

import msgspec
import numpy as np
import pytest

from infra.history.message import Message
from infra.judging import assemble
from infra.judging.evidence import Candidate
from infra.judging.judge import Judge
from infra.judging.logged import decided
from infra.judging.prices import distributions, priced
from infra.judging.rivals import named, packed
from infra.judging.score import Scorer
from policies.slates.likelihood import even, likelihood, ranked
from policies.slates.slate import slot_propensities
from policies.version import SHIPPED
from streams.records import Decision, Outcome
from streams.topics import DECISIONS, OUTCOMES, Topic
from tests.unit.judging.log import log, message

VERSIONS = {SHIPPED.sha256: SHIPPED}


def judge(policies: str = "logged,shipped,uniform,popularity,greedy") -> Judge:
    rivals = msgspec.to_builtins(named(policies, VERSIONS, SHIPPED))
    return Judge(rivals=rivals, versions=packed(VERSIONS), categories={})


def fed(messages: list[Message], one: Judge | None = None) -> Judge:
    made = one or judge()
    for each in messages:
        made.add(each)
    return made


def told(made: Judge) -> dict[str, Candidate]:
    return {one.name: one for one in assemble.candidates(made, SHIPPED)}


@pytest.fixture(scope="module")
def history() -> list[Message]:
    return [*log("recommendation"), *log("replenishment")]


@pytest.fixture(scope="module")
def whole(history: list[Message]) -> Judge:
    made = fed(history)
    made.finish()
    return made


@pytest.fixture(scope="module")
def candidates(whole: Judge) -> dict[str, Candidate]:
    return told(whole)  # intervals take seconds


def test_a_domain_that_judging_has_no_words_for_is_made_again_by_its_own_agent() -> None:
    made = fed(log("pricing"), judge("logged,shipped,popularity"))
    made.finish()
    found = told(made)
    assert found["logged"].domains["pricing"].same == found["shipped"].domains["pricing"].same == pytest.approx(1.0)
    assert made.gathered.checked.equal.keys() == {"pricing"}
    assert not made.gathered.checked.differing
    assert "pricing" not in found["popularity"].domains  # it says nothing of prices


def test_prices_are_weighed_by_the_chances_that_they_were_drawn_with() -> None:
    messages = log("pricing", 150)
    made = fed(messages, judge("logged,uniform,greedy,popularity"))
    made.finish()
    found = told(made)
    uniform = found["uniform"].domains["pricing"]
    assert uniform.headline == "dr"
    assert uniform.estimators.keys() == {
        "ips", "snips", "clipped-ips", "dm", "dr", "sndr", "switch-dr", "dros"
    }  # fmt: skip
    rewards = {one.decision_id: one.reward for one in _decoded(messages, OUTCOMES, Outcome)}
    drawn = [one for one in _decoded(messages, DECISIONS, Decision) if one.decision_id in rewards]
    terms = [rewards[one.decision_id] / len(one.candidates) / one.propensity for one in drawn]
    assert uniform.estimators["ips"].value == pytest.approx(float(np.mean(terms)))
    assert found["logged"].domains["pricing"].difference.value == pytest.approx(0.0, abs=1e-12)
    logged = [decided(one.value) for one in messages if one.topic is DECISIONS]
    greedy = Scorer([named("greedy", VERSIONS, SHIPPED)[0]], VERSIONS, {}).score(logged)
    chances = {chance for one in greedy for match in one.matches if match is not None for chance in match.slots}
    assert chances
    assert chances <= {0.0, 1.0}  # it never draws
    assert made.gathered.domains["pricing"].calibration.tenths() == []


def _decoded(messages: list[Message], topic: Topic, record: type[Any]) -> list[Any]:
    return [msgspec.json.decode(one.value or b"", type=record) for one in messages if one.topic is topic]


@pytest.mark.parametrize("name", ["shipped", "uniform", "greedy"])
def test_the_chances_of_a_price_add_up_whatever_was_set(name: str) -> None:
    rival = named(name, VERSIONS, SHIPPED)[0]
    logged = [decided(one.value) for one in log("pricing") if one.topic is DECISIONS]
    for one in logged:
        each = [priced(msgspec.structs.replace(one, chosen=[other]), SHIPPED) for other in one.candidates]
        asked = [distributions(found, one, [(rival.rule, SHIPPED)], [0.0])[0] for found in each if found is not None]
        assert sum(slots[0] for slots, _ in filter(None, asked)) == pytest.approx(1.0)
        assert len({expected[0] for _, expected in filter(None, asked)}) == 1
    assert priced(msgspec.structs.replace(logged[0], features=msgspec.Raw(b"{}")), SHIPPED) is None
    assert priced(msgspec.structs.replace(logged[0], chosen=["7"]), SHIPPED) is None


def test_what_was_logged_is_that_though_nobody_knows_the_version_it_was_made_by() -> None:
    logged = [decided(one.value) for one in log("pricing") if one.topic is DECISIONS]
    unknown = [
        msgspec.structs.replace(one, policy_hash="ab", propensity=0.5, slot_propensities=[0.5]) for one in logged
    ]
    for scored in Scorer([named("logged", VERSIONS, SHIPPED)[0]], VERSIONS, {}).score(unknown):
        (match,) = scored.matches
        assert match is not None
        assert match.slots == scored.slots == [0.5]
        assert match.expected == scored.served


def test_what_decides_as_was_logged_is_worth_what_was_earned(whole: Judge, candidates: dict[str, Candidate]) -> None:
    for name in ("logged", "shipped"):
        slates = candidates[name].domains["recommendation"]
        assert slates.same == pytest.approx(1.0)
        assert slates.difference.value == pytest.approx(0.0, abs=1e-12)
        assert slates.estimators["ips"].value == pytest.approx(_mean(whole), abs=1e-12)
        assert "recommendation" in candidates[name].same
        assert "replenishment" in candidates[name].same
    assert whole.gathered.checked.equal.keys() == {"recommendation", "replenishment"}
    assert not whole.gathered.checked.differing
    assert "replenishment" not in candidates["uniform"].domains  # it says nothing of orders


def _mean(made: Judge) -> float:
    observed = made.gathered.domains["recommendation"].logged.all.observed
    assert observed is not None
    return observed


def test_too_little_overlap_is_refused_in_words(candidates: dict[str, Candidate]) -> None:
    for name in ("uniform", "greedy", "popularity"):
        found = candidates[name].domains["recommendation"]
        assert found.verdict == "refused"
        assert found.reasons
        assert candidates[name].better == []


@pytest.mark.parametrize("cut", [1, 37, 100, 211])
def test_a_judge_taken_up_again_says_the_same(history: list[Message], cut: int) -> None:
    whole, begun, resumed = fed(history), fed(history[:cut]), judge()
    resumed.load(begun.dump())
    fed(history[cut:], resumed)
    assert resumed.dump() == whole.dump()


def test_shares_merge_to_the_whole_and_halves_find_each_other(
    history: list[Message], whole: Judge, candidates: dict[str, Candidate]
) -> None:
    some = "shipped,uniform"
    shares = [
        fed([one for one in history if one.topic is DECISIONS], judge(some)),
        fed([one for one in history if one.topic is OUTCOMES], judge(some)),
    ]
    merged = judge(some)
    merged.load(shares[0].dump())
    merged.merge(shares[1].dump())
    merged.finish()
    assert merged.gathered.judged == whole.gathered.judged > 20
    assert merged.gathered.waiting.counts == whole.gathered.waiting.counts
    found_merged = told(merged)
    assert list(found_merged) == some.split(",")
    for name, candidate in found_merged.items():
        for domain, found in candidate.domains.items():
            other = candidates[name].domains[domain]
            assert found.value.value == pytest.approx(other.value.value, rel=1e-9)
            assert found.weights.effective == pytest.approx(other.weights.effective, rel=1e-9)


def outcome(of: Message, reward: float, label: Any) -> Message:
    known = msgspec.json.decode(of.value or b"", type=Outcome)
    slots = [reward, *[0.0] * (len(known.slot_rewards) - 1)]
    changed = msgspec.structs.replace(known, reward=reward, slot_rewards=slots, label=label)
    return message(OUTCOMES, changed, 9_999)


def test_everything_left_out_is_counted_by_name() -> None:
    history = log("recommendation")
    decisions = [one for one in history if one.topic is DECISIONS]
    outcomes = [one for one in history if one.topic is OUTCOMES and b'"label":"final"' in (one.value or b"")]
    stranger = outcomes[0]._replace(value=(outcomes[0].value or b"").replace(b'"decision_id":"', b'"decision_id":"x'))
    bad = [
        decisions[0]._replace(value=b"{"),
        decisions[0]._replace(value=(decisions[0].value or b"").replace(b'"propensity":', b'"propensity":-')),
        decisions[1],
        outcomes[0],
        stranger,
    ]
    made = fed([*decisions, *outcomes[:-1], *bad])
    made.finish()
    counts = made.gathered.waiting.counts
    assert counts["decision-unreadable"] == 1
    assert counts["decision-propensity-impossible"] == 1
    assert counts["decision-duplicate"] == 1
    assert counts["outcome-duplicate"] == 1
    assert counts["outcome-without-decision"] == 1
    assert counts["immature"] == len(decisions) - len(outcomes) + 1


def test_a_correction_is_applied() -> None:
    history = log("recommendation")
    finals = [one for one in history if one.topic is OUTCOMES and b'"label":"final"' in (one.value or b"")]
    decisions = [one for one in history if one.topic is DECISIONS]
    plain = fed([*decisions, *finals])
    corrected = fed([*decisions, *finals, outcome(finals[0], 50.0, "correction")])
    for made in (plain, corrected):
        made.finish()
    count = plain.gathered.judged
    before = msgspec.json.decode(finals[0].value or b"", type=Outcome).reward
    assert (_mean(corrected) - _mean(plain)) * count == pytest.approx(50.0 - before)
    assert corrected.gathered.waiting.corrected == 1


# ---- How likely a slate would have been -----------------------------------------------------------------------------


def test_likelihood_is_the_propensity_of_the_choice_and_the_mean_over_what_is_left() -> None:
    rng = np.random.default_rng(1)
    for spread in (1.0, 900.0):  # the second underflows: logarithms take over
        logits = rng.normal(0.0, spread, (4, 3, 6))
        logits[:, 1, 4:] = -np.inf
        chosen = np.array([[2, 0, 1], [3, 1, 2], [5, 4, 0]])
        reward = rng.random((3, 6))
        slots, expected = likelihood(logits, chosen, reward)
        usual = slot_propensities(logits, chosen)
        assert slots[:, 0] == pytest.approx(usual[:, 0], rel=1e-9, abs=1e-300)
        for row in range(3):
            for k in range(3):
                left = [c for c in range(4 if row == 1 else 6) if c not in chosen[row, :k]]
                tried = np.array([[*chosen[row, :k], c] for c in left])
                each = slot_propensities(np.repeat(logits[:, row : row + 1], len(left), axis=1), tried)
                if slots[row, : k + 1].prod() > 0:
                    mean = float(np.nansum(each[:, k] * reward[row, left]))
                    assert expected[row, k] == pytest.approx(mean, rel=1e-6), (spread, row, k)


def test_rules_without_a_version() -> None:
    reward = np.array([[0.1, 0.2, 0.3, 0.4]])
    slots, expected = even(np.array([3]), np.array([[2, 0]]), reward)
    assert slots.tolist() == [[1 / 3, 1 / 2]]
    assert expected[0] == pytest.approx([0.2, 0.15])
    keys = np.array([[5.0, 7.0, 1.0, -np.inf]])
    slots, expected = ranked(keys, np.array([[1, 2]]), reward)
    assert slots.tolist() == [[1.0, 0.0]]
    assert expected.tolist() == [[0.2, 0.1]]
