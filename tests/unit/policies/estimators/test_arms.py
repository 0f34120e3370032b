"""Whoever looks at an experiment every day is still right, and arms that aren't as shared are found out."""

import numpy as np

from policies.estimators.arms import FEWEST, Arm, difference, mismatch


def wrong(runs: int, *, between: float, share: float, effect: float = 0.0) -> float:
    """The part of experiments in which an interval misses `effect` on some day; entities differ by `between`."""
    rng, missed = np.random.default_rng(5), 0
    for _ in range(runs):
        treated = rng.random(250) < share
        level = rng.normal(0.0, between, 250) + effect * treated
        n, earned, ever = np.zeros(250), np.zeros(250), False
        for _ in range(40):
            more = rng.poisson(0.7, 250)
            n += more
            earned += more * level + np.sqrt(more) * rng.normal(0.0, 1.0, 250)
            sides = [mask & (n > 0) for mask in (treated, ~treated)]
            if min(int(side.sum()) for side in sides) < FEWEST:
                continue
            arm, control = (Arm(n[side], earned[side]) for side in sides)
            _, low, high = difference(arm, control, 1.0 + between**2, 0.95)
            ever = ever or not low <= effect <= high
        missed += ever
    return missed / runs


def test_the_interval_holds_on_all_days_at_once_whatever_entities_have_in_common() -> None:
    for between in (0.0, 1.0):
        assert wrong(80, between=between, share=0.5, effect=0.3) <= 0.05
        assert wrong(80, between=between, share=0.3) <= 0.05


def test_an_effect_is_found_in_the_end() -> None:
    rng = np.random.default_rng(1)
    n = np.full(2_000, 5.0)
    control, arm = (Arm(n, n * mean + np.sqrt(5.0) * rng.normal(0.0, 1.0, 2_000)) for mean in (1.0, 1.2))
    value, low, high = difference(arm, control, 1.0, 0.95)
    assert low > 0.0
    assert abs(value - (arm.mean - control.mean)) < 1e-12
    assert low < value < high


def test_a_fair_assignment_is_hardly_ever_doubted_however_often_one_looks() -> None:
    rng, doubted = np.random.default_rng(2), 0
    for _ in range(200):
        fell = np.cumsum(rng.random(3_000) < 0.1)
        doubted += any(
            mismatch([at + 1 - int(fell[at]), int(fell[at])], [0.9, 0.1]) < 0.05 for at in range(0, 3000, 50)
        )
    assert doubted / 200 <= 0.05


def test_an_arm_that_loses_entities_is_found_out() -> None:
    assert mismatch([9_000, 900], [0.9, 0.1]) > 0.01  # 909 to be expected, give or take 27
    assert mismatch([9_000, 800], [0.9, 0.1]) < 0.01
    assert mismatch([100, 0], [0.5, 0.5]) < 1e-9
    assert mismatch([100, 3], [1.0, 0.0]) == 0.0
