"""kill -9, at random moments and at the worst ones."""

from collections.abc import Callable, Sequence
from signal import SIGKILL
from time import sleep

import pytest

from tests.chaos.conftest import Form
from tests.chaos.doom import STAGES, Doom, Stage
from tests.chaos.events import steady
from tests.chaos.supervisor import LEDGER
from tests.chaos.trial import Trial


def test_killed_at_random_moments(trial: Callable[[str], Trial], form: Form) -> None:
    run = trial("kill -9 at random")
    count, kills = form.of((8_000, 3), (100_000, 20))
    worker = run.supervise()
    worker.wait_ready(2)
    with run.flowing(steady(run.rng, count, users=form.of(200, 1_000)), per_s=600):
        for _ in range(kills):
            starting = run.rng.random() < 0.2
            if not starting:
                worker.wait_ready(2)
            sleep(run.rng.uniform(0, 3 if starting else 1.5))
            worker.kill()
            run.faults += 1
    run.finish()


@pytest.mark.parametrize("stage", STAGES)
def test_killed_within_a_transaction(trial: Callable[[str], Trial], form: Form, stage: Stage) -> None:
    run = trial(f"kill -9, {stage}")
    dooms = [run.rng.randrange(1, 30) for _ in range(form.of(1, 6))]

    def program(start: int) -> Sequence[str]:
        if start >= len(dooms):
            return LEDGER
        return (*LEDGER, "--at", str(Doom(at=stage, transaction=dooms[start], signal=SIGKILL)))

    worker = run.supervise(program=program)
    worker.wait_ready(2)
    run.send(steady(run.rng, form.of(4_000, 20_000)), per_s=1_000)  # offsets go along twice a second only
    run.faults = len(dooms)
    expected = run.finish()
    assert [end.code for end in worker.ends] == [-SIGKILL] * len(dooms)
    assert expected.booked == form.of(4_000, 20_000)
