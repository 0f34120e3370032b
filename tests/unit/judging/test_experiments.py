"""A log with an experiment in it: read out by arm, shadows kept apart, refused where the arms aren't as they say."""

from collections.abc import Sequence
from random import Random

import msgspec
import numpy as np
import pytest

from agents.contract import State
from infra.history.message import Message
from infra.judging import read_out
from infra.judging.evidence import ExperimentRead
from infra.judging.judge import Judge
from infra.judging.reproduce import reproduced
from infra.judging.rivals import named, packed
from infra.judging.trial import MOST, Trial
from policies.experiment import Experiment
from policies.experiments import MISSING, NONE, Experiments
from policies.version import SHIPPED
from streams import topics as t
from tests.contract import world
from tests.unit.judging.log import STREAMS, TICK, agent_of, logged, message, outputs

VERSIONS = {one.sha256: one for one in (SHIPPED, *world.versions().values())}


def log(name: str, experiments: Experiments) -> list[Message]:
    made = outputs(name, STREAMS[name](Random(7), 200), experiments=experiments)
    return [one for one in made if one.topic in (t.DECISIONS, t.OUTCOMES)]


def fed(messages: Sequence[Message]) -> Judge:
    rivals = msgspec.to_builtins(named("logged", VERSIONS, SHIPPED))
    made = Judge(rivals=rivals, versions=packed(VERSIONS), categories={})
    for each in messages:
        made.add(each)
    return made


@pytest.mark.parametrize("name", world.TRIED)
def test_shadows_are_counted_and_judged_nowhere(name: str) -> None:
    with_shadow, without = (
        fed(log(name, world.experiments(name))),
        fed(log(name, world.experiments(name, shadow=False))),
    )
    with_shadow.finish()
    without.finish()
    mine, bare = with_shadow.gathered, without.gathered
    (beside,) = read_out.shadows(mine.shadows.values())
    assert beside.decisions == mine.waiting.counts.pop("shadow") > 0
    assert (beside.domain, beside.version) == (name, 8)
    assert 0.0 <= beside.same <= beside.agreement <= 1.0
    assert mine.waiting.counts == bare.waiting.counts
    assert (mine.judged, mine.checked) == (bare.judged, bare.checked)
    assert mine.domains == bare.domains
    assert not mine.checked.differing
    assert not mine.checked.unable  # every arm's decisions are made again by its own version


def test_arms_are_read_out_the_same_in_any_cut() -> None:
    messages = log("recommendation", world.experiments("recommendation"))
    whole, first, second = fed(messages), fed(messages[:150]), fed(messages[150:])
    first.merge(second.dump())
    again = fed([])
    again.load(first.dump())
    for one in (whole, again):
        one.finish()
    found, cut = (read_out.experiments(one.gathered.trials.values()) for one in (whole, again))
    assert found == cut
    mine, theirs = (read_out.shadows(one.gathered.shadows.values())[0] for one in (whole, again))
    assert (mine.decisions, mine.same) == (theirs.decisions, theirs.same)
    assert mine.agreement == pytest.approx(theirs.agreement, rel=1e-12)
    (one,) = found
    assert (one.name, one.domain, one.decisions) == ("trial", "recommendation", whole.gathered.judged)
    assert {arm.name: arm.share for arm in one.arms} == {"control": 0.5, "v7": 0.5}
    assert sum(arm.entities for arm in one.arms) == 3
    assert sum(arm.decisions for arm in one.arms) == one.decisions
    assert one.verdict == "refused"  # three users
    assert "fewer than 30 entities" in one.reasons[0]


@pytest.mark.parametrize("seed", [3, 4])
def test_the_run_made_again_decides_in_the_same_arms(seed: int) -> None:
    inputs = world.ads(Random(seed), 200)
    made = outputs("bidding", inputs, batch=1, experiments=world.experiments("bidding"))
    history = sorted([*logged(inputs), *made], key=lambda one: one.timestamp)
    found = reproduced(lambda: history, [agent_of("bidding")], VERSIONS)
    shadows = sum(b'"arm":"shadow:' in (one.value or b"") for one in history)
    decisions = sum(one.topic is t.DECISIONS for one in history) - shadows
    assert found.decisions == decisions > 5
    assert (found.equal, found.identical, found.extra, found.first) == (decisions, decisions, 0, None)


def test_a_version_that_is_missing_is_named_and_its_decisions_are_left_out() -> None:
    tried = Experiment(name="trial", domain="bidding", salt="halves", arms=(("v9", 1.0),))
    made = fed(log("bidding", Experiments(running={"bidding": tried})))
    made.finish()
    assert made.gathered.waiting.counts[MISSING] > 0
    assert made.gathered.judged == 0


def trial(entities: int, *, effect: float, lost: float = 0.0, share: float = 0.5) -> ExperimentRead:
    rng = np.random.default_rng(4)
    found = Trial("warm", "bidding", {"control": 1 - share, "v7": share})
    for n in range(entities):
        arm = "v7" if rng.random() < share else "control"
        if arm == "v7" and rng.random() < lost:
            continue
        level = rng.normal(1.0 + effect * (arm == "v7"), 0.3)
        for _ in range(3):
            found.add(f"c{n}", arm, rng.normal(level, 0.5))
    (one,) = read_out.experiments([found])
    return one


def test_a_better_arm_is_told_and_one_that_is_not_is_not() -> None:
    better, same = trial(2_000, effect=0.2), trial(2_000, effect=0.0)
    assert (better.verdict, same.verdict) == ("ok", "ok")
    low, high = (next(arm.difference for arm in one.arms if arm.name == "v7") for one in (better, same))
    assert low.low is not None
    assert 0.0 < low.low < 0.2
    assert high.low is not None
    assert high.high is not None
    assert high.low < 0.0 < high.high
    assert read_out.sentences([better], [])[1].endswith("better")
    assert read_out.sentences([same], [])[1].endswith("not told apart yet")


def test_arms_that_are_not_as_shared_are_refused_in_words() -> None:
    one = trial(2_000, effect=0.2, lost=0.2)
    assert one.verdict == "refused"
    assert one.mismatch < 0.01
    assert "didn't fall into the arms as the shares say" in one.reasons[0]
    assert all(arm.difference.low is None for arm in one.arms)


def test_an_entity_in_two_arms_is_refused_in_words() -> None:
    found = Trial("warm", "bidding", {"control": 0.5, "v7": 0.5})
    for arm in ("control", "v7"):
        found.add("ann", arm, 1.0)
    (one,) = read_out.experiments([found])
    assert "made in another arm than their entity was in before" in one.reasons[0]


def test_of_many_entities_a_fair_sample_is_kept_the_same_in_any_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST >= 10_000
    monkeypatch.setattr("infra.judging.trial.MOST", 100)
    shares = {"control": 0.5, "v7": 0.5}
    whole, parts = Trial("warm", "bidding", shares), [Trial("warm", "bidding", shares) for _ in range(3)]
    rng = Random(1)
    for n in range(6_000):
        entity = f"c{rng.randrange(1_500)}"
        arm = "v7" if hash_of(entity) else "control"
        whole.add(entity, arm, 1.0)
        parts[n % 3].add(entity, arm, 1.0)
        assert len(whole.members) <= 201
    for part in parts[1:]:
        parts[0].merge(part)
    assert whole.arms().keys() == parts[0].arms().keys()
    assert whole.members == parts[0].members
    assert len(whole.members) == 100
    assert sum(one.n for one in whole.members.values()) > 300  # each with all of its decisions, four or so


def hash_of(entity: str) -> bool:
    return Experiment(name="x", domain="bidding", salt="x", arms=(("v7", 0.5),)).arm_of(entity) == "v7"


def test_an_experiment_that_begins_and_ends_under_way_is_followed() -> None:
    inputs, running = world.ads(Random(3), 200), world.experiments("bidding")
    entries: dict[str, bytes] = {}
    history, now = logged(inputs), 0
    for place, given in enumerate(inputs):
        experiments = running if 60 <= place < 120 else NONE
        step = agent_of("bidding").step(State(entries, world.views(), experiments=experiments), [given], SHIPPED, now)
        now = step.now
        entries.update((key, raw) for key, raw in step.writes.items() if raw is not None)
        at = TICK * (place + 1) - 1
        history += [message(put.topic, put.record, len(history) + n, at) for n, put in enumerate(step.outputs)]
    history.sort(key=lambda one: one.timestamp)
    found = reproduced(lambda: history, [agent_of("bidding")], VERSIONS)
    arms = {msgspec.json.decode(one.value or b"")["arm"] for one in history if one.topic is t.DECISIONS}
    assert arms >= {"default", "trial/v7", "trial/control"}
    assert (found.equal, found.extra, found.first) == (found.decisions, 0, None)
