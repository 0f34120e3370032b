"""Bad payloads among good ones: each is a dead letter once, with its bytes, and the good ones are all acted on."""

from collections.abc import Callable

from tests.chaos.conftest import Form
from tests.chaos.poison import among_good
from tests.chaos.trial import Trial


def test_poison_among_good(trial: Callable[[str], Trial], form: Form) -> None:
    run = trial("poison among good")
    good, poison = form.of((1_500, 500), (30_000, 10_000))
    mixed = list(among_good(run.rng, good, poison))
    # A good value under a bad key is known by its key: only values that are bad by themselves are named here.
    fine = {value for (_, value), is_good in mixed if is_good}
    bad = frozenset(value for (_, value), is_good in mixed if not is_good and value is not None and value not in fine)
    run.faults = poison
    worker = run.supervise()
    run.send(message for message, _ in mixed)
    worker.wait_ready(2)
    worker.kill()
    expected = run.finish(bad=bad)
    assert len(expected.letters) == poison
    assert expected.booked == good
