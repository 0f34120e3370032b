"""What steps and decisions are like, measured from outside: the step itself stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import time
from typing import Any

import pytest
from msgspec.structs import replace

from agents.contract import Input, Output, State, Step
from infra.metrics.observed import Observed, Timed, timed
from infra.metrics.quality import Quality
from infra.serving.inbox import Run
from infra.serving.throttle import Throttled
from policies.version import SHIPPED, PolicyVersion
from streams.records import Decision, Outcome
from streams.topics import DECISIONS, OUTCOMES
from streams.views import Views

DECISION = Decision(
    decision_id="d",
    domain="recommendation",
    entity="u",
    event_ids=[],
    source=("user-events", 0, 0),
    occurred_at=1,
    decided_at=1,
    features={},
    feature_version=1,
    candidates=["a", "b", "c", "d"],
    chosen=["a", "b"],
    action={},
    propensity=0.25,
    slot_propensities=[0.5, 0.5],
    exploration={},
    policy_version=0,
    policy_hash="",
    seed="",
)
OUTCOME = Outcome(
    decision_id="d",
    domain="recommendation",
    entity="u",
    reward=1.0,
    slot_rewards=[],
    label="final",
    attribution="none",
    decided_at=1,
    matured_at=2,
    policy_version=0,
)


@dataclass(frozen=True)
class Agent:
    """Puts the same out at every step."""

    outputs: tuple[Output, ...] = ()
    name: str = "one"
    reads: tuple[Any, ...] = ()
    watches: tuple[Any, ...] = ()
    emits: tuple[Any, ...] = ()

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:  # noqa: ARG002
        return Step({}, list(self.outputs), now)


def test_a_step_that_is_timed_gives_the_same() -> None:
    agent = Agent((Output(DECISIONS, DECISION),))
    observed = Observed()
    watched = timed(agent, observed)
    state = State({}, Views())
    assert watched.step(state, [], SHIPPED, 5) == agent.step(state, [], SHIPPED, 5)
    assert (watched.name, watched.reads, watched.emits) == (agent.name, agent.reads, agent.emits)
    assert sum(observed.steps["one"].counts) == 1
    assert observed.quality.decisions == {("recommendation", "drawn"): 1}


def test_of_a_throttled_agent_the_rests_are_not_timed() -> None:
    watched = timed(Throttled(Agent(), 0.5), Observed())
    assert isinstance(watched, Throttled)
    assert isinstance(watched.agent, Timed)


@dataclass
class Row:
    offset: int
    timestamp: int
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


def test_the_age_of_each_record_counts() -> None:
    now = int(time() * 1000)
    observed = Observed()
    observed.handled("one", 2, [Run("orders", [Row(0, now - 4_000), Row(1, now - 4_000), Row(2, now + 60_000)])])
    ages = observed.ages["one"]
    assert dict(ages.cumulative())["0.01"] == 1  # a producer's clock that is ahead makes no negative age
    assert dict(ages.cumulative())["5.0"] == 3
    assert ages.total == pytest.approx(8, abs=1)
    assert ("one", 2) in observed.committed


def test_the_effective_sample_size_is_told_by_sums() -> None:
    quality = Quality()
    for first in (0.5, 0.25, 0.05):
        quality.look([Output(DECISIONS, replace(DECISION, slot_propensities=[first, 1.0]))])
    w = [1 / (4 * first) for first in (0.5, 0.25, 0.05)]
    assert quality.weights["recommendation"] == pytest.approx(sum(w))
    assert quality.squares["recommendation"] == pytest.approx(sum(one * one for one in w))
    assert quality.propensities["recommendation"].total == pytest.approx(0.8)


def test_a_certain_decision_weighs_nothing() -> None:
    quality = Quality()
    quality.look([Output(DECISIONS, replace(DECISION, propensity=1.0, slot_propensities=[]))])
    assert quality.decisions == {("recommendation", "certain"): 1}
    assert not quality.weights
    assert not quality.propensities


def test_a_change_of_the_mean_reward_is_found_and_corrections_are_left_out() -> None:
    quality = Quality()
    steady = [Output(OUTCOMES, replace(OUTCOME, reward=float(n % 2))) for n in range(1000)]
    quality.look(steady)
    assert quality.drifts["recommendation"] == 0
    quality.look([Output(OUTCOMES, replace(OUTCOME, reward=1.0)) for _ in range(1000)])
    assert quality.drifts["recommendation"] >= 1
    assert quality.levels["recommendation"].estimation > 0.8
    quality.look([Output(OUTCOMES, replace(OUTCOME, label="correction"))])
    assert quality.outcomes["recommendation"] == 2000
