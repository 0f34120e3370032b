"""The broker goes away under load, in good order or by kill -9, for shorter or longer than a session."""

from pathlib import Path
from time import sleep

from tests.chaos.conftest import Form
from tests.chaos.events import steady
from tests.chaos.own_broker import OwnBroker
from tests.chaos.trial import trials
from tests.kafka.harness import placed


def test_the_broker_is_stopped_and_started(own_broker: OwnBroker, form: Form, seed: int, tmp_path: Path) -> None:
    count = form.of(6_000, 40_000)
    outages = form.of([(own_broker.kill, 2.0)], [(own_broker.stop, 2.0), (own_broker.kill, 5.0)] * 3)
    with placed(own_broker.address, "", tmp_path) as setting, trials(setting, seed) as begin:
        run = begin("broker stopped, started")
        worker = run.supervise(session_timeout_s="6")
        worker.wait_ready(2)
        with run.flowing(steady(run.rng, count), per_s=form.of(400, 300)):
            for end, away_s in outages:
                sleep(run.rng.uniform(1, 4))
                end()
                sleep(run.rng.uniform(0, 2 * away_s))
                own_broker.start()
                run.faults += 1
                sleep(form.of(0, 10))
        run.finish()
