"""Who is in which arm: by shares, for good, whatever else runs; and experiments that can't run are told why."""

from collections import Counter
from math import sqrt
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from policies.experiment import CONTROL, Experiment, experiments_of, place_of
from policies.experiments import MISSING, NONE, Experiments
from policies.version import SHIPPED, PolicyVersion

ENTITIES = [f"user-{n}" for n in range(20_000)]
SEVEN = PolicyVersion(number=7, parent=0, priors={"bidding": {"log_mu": 1.0}})
DOMAINS = ("recommendation", "bidding", "replenishment")


def experiment(salt: str = "warm", *arms: tuple[str, float]) -> Experiment:
    return Experiment(name="warm", domain="bidding", salt=salt, arms=arms)


def chi_square(counts: list[int], expected: list[float]) -> float:
    return sum((count - mean) ** 2 / mean for count, mean in zip(counts, expected, strict=True))


def test_entities_stand_uniformly() -> None:
    counts = Counter(int(place_of("warm", entity) * 20) for entity in ENTITIES)
    assert chi_square([counts[n] for n in range(20)], [len(ENTITIES) / 20] * 20) < 43.8  # p = 0.001 at 19 degrees


def test_arms_have_their_shares() -> None:
    one = experiment("warm", ("v7", 0.1), ("v8", 0.25))
    counts = Counter(one.arm_of(entity) for entity in ENTITIES)
    expected = [0.65, 0.1, 0.25]
    assert chi_square([counts[arm] for arm in one.shares], [len(ENTITIES) * share for share in expected]) < 13.8


def test_experiments_of_different_salts_are_independent() -> None:
    one, other = experiment("warm", ("v7", 0.5)), experiment("cold", ("v7", 0.5))
    both = Counter((one.arm_of(entity), other.arm_of(entity)) for entity in ENTITIES)
    assert chi_square(list(both.values()), [len(ENTITIES) / 4] * 4) < 16.3  # p = 0.001 at 3 degrees
    moved = sum(one.arm_of(entity) != other.arm_of(entity) for entity in ENTITIES)
    assert abs(moved - len(ENTITIES) / 2) < 4 * sqrt(len(ENTITIES) / 4)


@given(
    entity=st.text(max_size=20),
    salt=st.text(st.characters(codec="ascii"), min_size=1, max_size=20),
    first=st.floats(0, 1),
    second=st.floats(0, 1),
    grown=st.floats(0, 1),
    which=st.booleans(),
)
def test_a_share_that_grows_moves_entities_from_control_into_its_arm_only(
    entity: str, salt: str, first: float, second: float, grown: float, which: bool
) -> None:
    assume(first + second <= 1 and (first if which else second) <= grown)
    assume(grown + (second if which else first) <= 1)
    after_first, after_second = (grown, second) if which else (first, grown)
    before = experiment(salt, ("v7", first), ("v8", second)).arm_of(entity)
    after = experiment(salt, ("v7", after_first), ("v8", after_second)).arm_of(entity)
    assert after == before or (before, after) == (CONTROL, "v7" if which else "v8")


def test_control_goes_by_what_serves_and_an_arm_by_its_version() -> None:
    running = Experiments(running={"bidding": experiment("warm", ("v7", 0.5))}, versions={7: SEVEN})
    nine = PolicyVersion(number=9, parent=0, priors={})
    for entity in ENTITIES[:50]:
        given = running.assign(nine, "bidding", entity)
        treated = given.arm == "warm/v7"
        assert given.version is (SEVEN if treated else nine)
        assert given.fallback is None
        assert given.told == {"experiment": {"name": "warm", "shares": {"control": 0.5, "v7": 0.5}}}
        elsewhere = running.assign(nine, "recommendation", entity)
        assert (elsewhere.arm, elsewhere.version, elsewhere.told) == ("default", nine, {})


def test_where_the_version_of_an_arm_is_missing_what_serves_stands_in_and_it_is_said() -> None:
    running = Experiments(running={"bidding": experiment("warm", ("v7", 1.0))})
    given = running.assign(SHIPPED, "bidding", "ann")
    assert (given.arm, given.version, given.fallback) == ("warm/v7", SHIPPED, MISSING)
    assert running.missing == {"warm": [7]}
    assert NONE.missing == {}


WELL: dict[str, Any] = {"name": "warm", "domain": "bidding", "arms": {"control": 0.9, "v7": 0.1}}


def test_control_has_what_the_arms_leave_and_the_salt_is_the_name_unless_told() -> None:
    (one,) = experiments_of([WELL | {"arms": {"v7": 0.1, "v8": 0.2}, "shadow": [9]}], DOMAINS)
    assert one.shares == {"control": 0.7, "v7": 0.1, "v8": 0.2}
    assert (one.salt, one.shadows, one.numbers) == ("warm", (9,), {7, 8, 9})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"domain": "pricing"}, "there is no domain 'pricing': use one of bidding"),
        ({"name": "a b"}, "name is 'a b': use up to 64 letters"),
        ({"arms": {"v7": 0.6, "v8": 0.5}}, "add up to 1.1: they may not pass 1"),
        ({"arms": {"control": 0.8, "v7": 0.1}}, "control has what the others leave, which is 0.9, not 0.8"),
        ({"arms": {"seven": 0.1}}, "an arm is called 'seven': use control, or v and the number"),
        ({"arms": {"v07": 0.1}}, "an arm is called 'v07'"),
        ({"arms": {"v7": -0.1}}, "the share of v7 is -0.1: use a number from 0 to 1"),
        ({"arms": {"v7": float("nan")}}, "the share of v7 is nan"),
        ({"arms": {"v7": True}}, "the share of v7 is True"),
        ({"arms": []}, "arms must be a table"),
        ({"arms": {}}, "neither arms nor a shadow"),
        ({"shadow": ["8"]}, "use a list of version numbers"),
        ({"shadow": [8, 8]}, "names a version twice"),
        ({"salt": ""}, "the salt must be a text of 1 to 64 bytes"),
        ({"slat": "x"}, "an experiment has no 'slat': use name, domain"),
    ],
)
def test_what_cannot_run_is_told_in_a_sentence(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        experiments_of([WELL | changed], DOMAINS)


def test_two_experiments_keep_apart() -> None:
    with pytest.raises(ValueError, match="both run in bidding"):
        experiments_of([WELL, WELL | {"name": "cold"}], DOMAINS)
    with pytest.raises(ValueError, match="share a name or a salt"):
        experiments_of([WELL, WELL | {"name": "cold", "salt": "warm", "domain": "recommendation"}], DOMAINS)
    with pytest.raises(ValueError, match="must be a list of tables"):
        experiments_of(WELL, DOMAINS)
