"""Events twice, late, out of order, and from clocks that are wrong."""

import time
from collections.abc import Callable

from tests.chaos.conftest import Form
from tests.chaos.events import disordered, jumping
from tests.chaos.trial import Trial


def test_duplicated_late_and_out_of_order_through_a_kill(trial: Callable[[str], Trial], form: Form) -> None:
    run = trial("copies, late, disorder")
    count = form.of(3_000, 50_000)
    worker = run.supervise()
    worker.wait_ready(2)
    messages = list(disordered(run.rng, count))
    run.send(messages[: count // 2])
    worker.kill()
    run.faults += 1
    # From the beginning once more: what was booked before the kill is still known.
    run.send(messages)
    expected = run.finish()
    assert expected.left_aside > count // 2


def test_clocks_that_jump(trial: Callable[[str], Trial], form: Form) -> None:
    run = trial("clock jumps")
    count = form.of(3_000, 50_000)
    run.supervise()
    run.send(jumping(run.rng, count, today=int(time.time() * 1000)))
    expected = run.finish()
    run.faults += len(expected.letters)
    assert len(expected.letters) > count // 40
    assert expected.left_aside > count // 100
