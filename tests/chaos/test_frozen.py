"""A worker that is frozen for longer than its session, and wakes: what it held is somebody else's by now."""

from collections.abc import Callable, Sequence
from signal import SIGCONT, SIGSTOP

from tests.chaos.conftest import Form
from tests.chaos.doom import Doom, Stage
from tests.chaos.events import steady
from tests.chaos.supervisor import LEDGER
from tests.chaos.trial import Trial


def test_frozen_within_a_transaction_and_woken_after_another_has_taken_over(
    trial: Callable[[str], Trial], form: Form
) -> None:
    run = trial("frozen, woken")
    stages: list[Stage] = form.of(["sent"], ["sent", "offsets", "committed"] * 2)
    each = form.of(1_500, 4_000)

    def program(start: int) -> Sequence[str]:
        if start >= len(stages):
            return LEDGER
        doom = Doom(at=stages[start], transaction=run.rng.randrange(2, 12), signal=SIGSTOP)
        return (*LEDGER, "--at", str(doom))

    first = run.supervise("first", program=program, session_timeout_s="4")
    for turn in range(len(stages)):
        run.send(steady(run.rng, each, first=each * turn))
        first.wait_frozen()
        second = run.supervise(f"second-{turn}", session_timeout_s="4")
        second.wait_ready(2)
        run.settle()
        before = run.written()
        first.kill(SIGCONT)
        run.faults += 1
        first.wait_restarted(turn + 1)
        assert run.written() == before
        assert first.ends[-1].code == 1
        assert "another worker has taken over" in first.ends[-1].last
        second.stop()
    run.send(steady(run.rng, each, first=each * len(stages)))
    expected = run.finish()
    assert expected.booked == each * (len(stages) + 1)
