"""vw-estimators on the same log: equal where the estimator is the same."""

from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from policies.estimators.judged import Judged
from policies.estimators.terms import Terms
from tests.unit.policies.estimators.test_open_bandit import logged

pytest.importorskip("estimators")


def _peer(module: str, kind: str, rows: Any, **given: Any) -> Any:
    made = getattr(import_module(f"estimators.bandits.{module}"), kind)(**given)
    for p, r, pi in zip(rows.propensity, rows.reward, rows.target_propensity, strict=True):
        made.add_example(float(p), float(r), float(pi))
    return made


@pytest.mark.parametrize("case", ["all_random", "all_bts"])
def test_estimates_and_the_normal_interval_are_equal(case: str) -> None:
    rows = replace(logged(case), q_logged=None, v_target=None)
    # As many buckets as make it unlikely that two rows share one: then the variance is that of single rows.
    found = Judged.of(rows, Terms(replicates=1, buckets=1 << 17)).result().estimators
    assert found["ips"].value == pytest.approx(_peer("ips", "Estimator", rows).get(), rel=1e-12)
    assert found["snips"].value == pytest.approx(_peer("snips", "Estimator", rows).get(), rel=1e-12)
    assert found["ips"].intervals["asymptotic"] == pytest.approx(_peer("gaussian", "Interval", rows).get(), rel=5e-3)


def test_the_confidence_sequence_is_about_as_wide() -> None:
    """Theirs rests on a gamma-exponential mixture, ours on fixed bets: the same three sums."""
    rows = logged("all_random")
    found = Judged.of(rows, Terms(reward_low=0.0, reward_high=1.0, replicates=1)).result().estimators["ips"]
    low, high = found.intervals["confidence-sequence"]
    peer_low, peer_high = _peer("cs", "Interval", rows).get(0.05)
    assert low == pytest.approx(peer_low, abs=0.002)
    assert high == pytest.approx(peer_high, abs=0.03)
    assert low < found.value < high
    assert np.isfinite([peer_low, peer_high]).all()
