"""What every agent owes, whatever it does: the same outputs for any batches, after any restart, for any copies.

A new agent joins by one line in AGENTS.
"""

import copy
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))  # the suite's own shop, beside it

import world

from agents import bidding, items, learner, orders, pricing, recommendation, replenishment
from agents.contract import Agent, Decoded, Input, Output, State
from policies.experiments import NONE, SHADOW, Experiments
from policies.version import SHIPPED
from streams.codec import encode
from streams.times import DAY, HOUR
from streams.topics import DECISIONS

AGENTS: Final[dict[str, tuple[Agent, world.Stream]]] = {
    "recommendation": (
        recommendation.build(refresh_interval_ms=HOUR, attribution_window_ms=DAY),
        world.user_events,
    ),
    "items": (items.build(), world.item_activity),
    "orders": (orders.build(), world.orders),
    "replenishment": (replenishment.build(), world.supply),
    "bidding": (bidding.build(), world.ads),
    "pricing": (pricing.build(), world.prices),
    "learner": (
        learner.LearnerAgent(at_least={"recommendation": 40, "history": 45, "replenishment": 40, "bidding": 5}),
        world.experiences,
    ),
}

VIEWS: Final = world.views()
each_agent = pytest.mark.parametrize("name", AGENTS)
seeds = st.integers(0, 2**32)
cuts = st.lists(st.integers(0, 200), max_size=8)


class Run:
    """An agent as a worker runs it: the writes of each step are merged before the next.

    With a `memo` the entries of each step are in the next one's hands as values, as they are in a worker.
    """

    def __init__(
        self,
        agent: Agent,
        entries: dict[str, bytes] | None = None,
        *,
        memo: bool = False,
        experiments: Experiments = NONE,
    ) -> None:
        self.agent = agent
        self.experiments = experiments
        self.memo: dict[str, Decoded] | None = {} if memo else None
        self.entries: dict[str, bytes] = dict(entries or {})
        self.outputs: list[Output] = []
        self.now = 0

    def feed(self, batch: Sequence[Input]) -> None:
        memo = {} if self.memo is None else self.memo
        step = self.agent.step(State(self.entries, VIEWS, memo, experiments=self.experiments), batch, SHIPPED, 0)
        self.outputs += step.outputs
        if self.memo is not None:
            self.memo |= step.opened
        self.now = step.now
        for key, raw in step.writes.items():
            if raw is None:
                self.entries.pop(key, None)
            else:
                self.entries[key] = raw

    def said(self) -> list[tuple[str, bytes]]:
        return [(output.topic.name, encode(output.record)) for output in self.outputs]

    def said_by_topic(self) -> dict[str, list[bytes]]:
        """Order is a promise within a topic only."""
        found: dict[str, list[bytes]] = {}
        for topic, body in self.said():
            found.setdefault(topic, []).append(body)
        return found


def _whole(agent: Agent, inputs: Sequence[Input]) -> Run:
    run = Run(agent)
    run.feed(inputs)
    return run


@each_agent
@settings(max_examples=8, deadline=None)
@given(seed=seeds, cuts=cuts)
def test_batches_dont_matter(name: str, seed: int, cuts: list[int]) -> None:
    agent, stream = AGENTS[name]
    inputs = stream(Random(seed), 60)
    whole, cut = _whole(agent, inputs), Run(agent)
    edges = [0, *sorted(min(place, len(inputs)) for place in cuts), len(inputs)]
    for first, last in pairwise(edges):
        cut.feed(inputs[first:last])
    assert cut.said_by_topic() == whole.said_by_topic()
    assert cut.entries == whole.entries
    assert cut.now == whole.now


@each_agent
@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_one_by_one_is_the_same_as_all_at_once(name: str, seed: int) -> None:
    agent, stream = AGENTS[name]
    inputs = stream(Random(seed), 50)
    whole, single = _whole(agent, inputs), Run(agent)
    for one in inputs:
        single.feed([one])
    assert single.said_by_topic() == whole.said_by_topic()
    assert single.entries == whole.entries


@each_agent
@settings(max_examples=5, deadline=None)
@given(seed=seeds, forget=st.sets(st.integers(0, 30)))
def test_what_the_memo_holds_doesnt_matter(name: str, seed: int, forget: set[int]) -> None:
    """Entries at hand as values are to the byte what they would be had they been put away and read again."""
    agent, stream = AGENTS[name]
    inputs = stream(Random(seed), 60)
    bare, helped = Run(agent), Run(agent, memo=True)
    for place in range(0, len(inputs), 4):
        bare.feed(inputs[place : place + 4])
        if place // 4 in forget and helped.memo is not None:
            for key in list(helped.memo)[::2]:
                del helped.memo[key]
        helped.feed(inputs[place : place + 4])
    assert helped.said() == bare.said()
    assert helped.entries == bare.entries


@each_agent
@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_a_copy_of_an_event_changes_nothing(name: str, seed: int) -> None:
    agent, stream = AGENTS[name]
    rng = Random(seed)
    inputs = stream(rng, 60)
    doubled = list(inputs)
    for _ in range(12):
        place = rng.randrange(len(inputs))
        doubled.insert(doubled.index(inputs[place]) + rng.randrange(1, 5), inputs[place])
    assert _whole(agent, doubled).said_by_topic() == _whole(agent, inputs).said_by_topic()


@each_agent
@settings(max_examples=5, deadline=None)
@given(seed=seeds, at=st.integers(1, 59))
def test_a_restart_goes_on_where_the_commit_was(name: str, seed: int, at: int) -> None:
    """A batch that failed to commit is made again, from the entries that stood, in another process."""
    agent, stream = AGENTS[name]
    inputs = stream(Random(seed), 60)
    run = Run(agent)
    run.feed(inputs[:at])
    lost = Run(agent, run.entries)
    lost.feed(inputs[at : at + 7])  # outputs and writes never committed
    run.feed(inputs[at:])
    assert run.said_by_topic() == _whole(agent, inputs).said_by_topic()


@each_agent
def test_a_step_changes_none_of_its_arguments(name: str) -> None:
    agent, stream = AGENTS[name]
    inputs = stream(Random(3), 60)
    run = _whole(agent, inputs[:40])
    entries, batch = dict(run.entries), copy.deepcopy(inputs[40:])
    first = agent.step(State(entries, VIEWS), batch, SHIPPED, 0)
    second = agent.step(State(entries, VIEWS), batch, SHIPPED, 0)
    assert entries == run.entries
    assert batch == inputs[40:]
    assert first.writes == second.writes
    assert [encode(o.record) for o in first.outputs] == [encode(o.record) for o in second.outputs]


@each_agent
def test_it_emits_only_what_it_says_it_does(name: str) -> None:
    agent, stream = AGENTS[name]
    run = _whole(agent, stream(Random(5), 500))
    assert {output.topic for output in run.outputs} <= set(agent.emits)
    assert run.outputs
    assert all(output.topic.key(output.record) for output in run.outputs)


@each_agent
def test_a_tick_moves_an_idle_partition_on(name: str) -> None:
    """Time that passes without events fires what was due, and never runs backwards."""
    agent, stream = AGENTS[name]
    run = _whole(agent, stream(Random(7), 60))
    later = run.now + 30 * DAY
    ticked = agent.step(State(run.entries, VIEWS), [], SHIPPED, later)
    assert ticked.now == later
    assert agent.step(State(run.entries, VIEWS), [], SHIPPED, run.now - DAY).now == run.now


@pytest.mark.parametrize("name", world.TRIED)
@settings(max_examples=5, deadline=None)
@given(seed=seeds, cuts=cuts)
def test_batches_dont_matter_in_an_experiment_either(name: str, seed: int, cuts: list[int]) -> None:
    agent, stream = AGENTS[name]
    inputs = stream(Random(seed), 60)
    whole = Run(agent, experiments=world.experiments(name))
    cut = Run(agent, experiments=world.experiments(name))
    whole.feed(inputs)
    edges = [0, *sorted(min(place, len(inputs)) for place in cuts), len(inputs)]
    for first, last in pairwise(edges):
        cut.feed(inputs[first:last])
    assert cut.said_by_topic() == whole.said_by_topic()
    assert cut.entries == whole.entries


@pytest.mark.parametrize("name", world.TRIED)
def test_each_entity_is_decided_for_by_its_arm_and_a_shadow_changes_nothing(name: str) -> None:
    agent, stream = AGENTS[name]
    inputs = stream(Random(11), 200)
    plain = Run(agent, experiments=world.experiments(name, shadow=False))
    shadowed = Run(agent, experiments=world.experiments(name))
    plain.feed(inputs)
    shadowed.feed(inputs)
    told = [one.record for one in shadowed.outputs if one.topic is DECISIONS]
    shadows = [one for one in told if one.arm.startswith(SHADOW)]
    real = [one for one in told if not one.arm.startswith(SHADOW)]
    assert [encode(one) for one in real] == plain.said_by_topic()[DECISIONS.name]
    assert shadowed.entries == plain.entries
    assert {k: v for k, v in shadowed.said_by_topic().items() if k != DECISIONS.name} == {
        k: v for k, v in plain.said_by_topic().items() if k != DECISIONS.name
    }
    tried = world.experiments(name).running[name]
    for one in real:
        arm = tried.arm_of(one.entity)
        assert (one.arm, one.policy_version) == (f"trial/{arm}", 7 if arm == "v7" else 0)
    assert {one.arm for one in real} == {"trial/control", "trial/v7"}
    assert [one.exploration["shadow_of"] for one in shadows] == [one.decision_id for one in real]
    assert {(one.arm, one.policy_version) for one in shadows} == {("shadow:8", 8)}
    assert all(0.0 <= one.exploration["agreement"] <= 1.0 for one in shadows)
    assert len({one.decision_id for one in told}) == len(told)
