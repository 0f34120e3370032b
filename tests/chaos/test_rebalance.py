"""Workers come and go under load."""

from collections.abc import Callable

from tests.chaos.conftest import Form
from tests.chaos.events import steady
from tests.chaos.trial import Trial


def test_one_worker_then_two_then_one(trial: Callable[[str], Trial], form: Form) -> None:
    run = trial("1, 2, 1 workers")
    count, turns = form.of((8_000, 1), (60_000, 6))
    first = run.supervise("first", session_timeout_s="4")
    first.wait_ready(2)
    with run.flowing(steady(run.rng, count), per_s=500):
        for turn in range(turns):
            second = run.supervise(f"second-{turn}", session_timeout_s="4")
            second.wait_ready(1)
            first.wait_ready(1)
            assert second.stop() == 0
            first.wait_ready(2)
            run.faults += 2
    run.finish()
    assert first.ends == []
