"""What is refused, and whether the words say what would be needed."""

import numpy as np
import pytest

from policies.estimators.judged import Judged
from policies.estimators.judgement import Judgement
from policies.estimators.logged import Logged
from policies.estimators.terms import Terms

TERMS = Terms(replicates=10, buckets=64)


def said(
    n: int, p: float, pi: float, excluded: dict[str, int] | None = None, *, reward: float | None = None
) -> Judgement:
    """Every row has one of two weights, such that they are 1 on average where the log is sound."""
    chosen = np.arange(n) < round(n * p)
    rewards = np.array([float(i % 3) for i in range(n)]) if reward is None else np.full(n, reward)
    rows = Logged(
        reward=rewards,
        propensity=np.where(chosen, p, 1 - p),
        target_propensity=np.where(chosen, pi, 1 - pi),
        cluster=np.arange(n, dtype=np.uint64),
    )
    return Judged.of(rows, TERMS, excluded).result()


def test_a_sound_log_is_ok() -> None:
    found = said(1000, 0.4, 0.7)
    assert (found.verdict, list(found.reasons)) == ("ok", [])


def test_too_few_effective_decisions_and_how_many_more() -> None:
    found = said(1000, 0.05, 1.0)
    assert found.ess == pytest.approx(50)
    assert found.verdict == "refused"
    assert "about 1,000 more decisions" in found.reasons[0]


def test_weights_that_are_not_1_on_average() -> None:
    rows = Logged(
        reward=np.tile([0.0, 1.0], 500), propensity=np.full(1000, 0.5), target_propensity=np.full(1000, 0.3),
        cluster=np.arange(1000, dtype=np.uint64),
    )  # fmt: skip
    found = Judged.of(rows, TERMS).result()
    assert found.verdict == "refused"
    assert "about 40% of what the target policy does was never done" in found.reasons[0]


def test_labels_that_are_not_there_yet() -> None:
    found = said(1000, 0.4, 0.7, {"immature": 1000})
    assert found.verdict == "refused"
    assert "50% of the decisions have no final reward yet" in found.reasons[0]
    assert said(1000, 0.4, 0.7, {"immature": 100}).verdict == "ok"


def test_what_was_left_out_is_always_named() -> None:
    found = said(1000, 0.4, 0.7, {"propensity-zero": 7, "fallback": 900})
    assert found.verdict == "ok"
    assert list(found.reasons) == ["900 left out: fallback", "7 left out: propensity-zero"]
    assert said(1000, 0.4, 0.7, {"propensity-zero": 700}).verdict == "refused"


def test_rewards_that_never_differ_and_a_target_that_does_nothing_of_it() -> None:
    assert "all rewards are the same" in said(1000, 0.4, 0.7, reward=0.0).reasons[0]
    rows = Logged(
        reward=np.tile([0.0, 1.0], 100), propensity=np.full(200, 0.5), target_propensity=np.zeros(200),
        cluster=np.arange(200, dtype=np.uint64),
    )  # fmt: skip
    found = Judged.of(rows, TERMS).result()
    assert "all weights are 0" in found.reasons[0]
    assert found.as_dict()["estimators"]["snips"]["value"] is None


def test_nothing_at_all() -> None:
    found = Judged.nothing(TERMS, {"immature": 2}).result()
    assert found.verdict == "refused"
    assert found.reasons[0] == "no decision can be used"
    assert found.as_dict()["estimators"] == {}
