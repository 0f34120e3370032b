"""From event appended to action readable."""

import numpy as np
import pytest

from infra.dashboard.waits import Waits


@pytest.mark.parametrize("action_first", [False, True])
def test_event_and_action_may_be_read_in_either_order(action_first: bool) -> None:
    waits = Waits(since=0)
    told = [lambda: waits.asked("e", 1_000), lambda: waits.answered("e", 1_250)]
    for tell in reversed(told) if action_first else told:
        tell()
    found = waits.quantiles(now=2_000)
    assert found is not None
    assert (found.p50, found.p99, found.n) == (250, 250, 1)


def test_quantiles_are_those_of_the_window() -> None:
    waits = Waits(since=0)
    for n in range(1, 201):
        waits.asked(f"e{n}", 100_000 - n)
        waits.answered(f"e{n}", 100_000)
    waits.asked("old", 1)
    waits.answered("old", 2)
    found = waits.quantiles(now=100_000, window_ms=50_000)
    assert found is not None
    sample = np.arange(1, 201)
    assert found.p50 == np.percentile(sample, 50, method="inverted_cdf")
    assert found.p99 == np.percentile(sample, 99, method="inverted_cdf")
    assert found.n == 200


def test_what_lay_in_the_log_before_anyone_looked_is_not_waited_for() -> None:
    waits = Waits(since=5_000)
    waits.asked("before", 4_999)
    waits.answered("before", 9_000)
    assert waits.quantiles(now=10_000) is None
