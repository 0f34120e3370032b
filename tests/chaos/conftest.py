"""What the fault tests share: their form, short or full, and their seed; and the table at the end."""

import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from tests.chaos import summary
from tests.chaos.own_broker import OwnBroker, running
from tests.chaos.trial import Trial, trials
from tests.kafka.harness import ROOT, Setting, placed

Value = TypeVar("Value")
FULL = os.environ.get("CHAOS") == "full"
BROKERS = {"broker", "own_broker", "strict_broker"}
HERE = Path(__file__).parent
SEED = int(os.environ.get("CHAOS_SEED", "1"))


@dataclass(frozen=True)
class Form:
    """How much of a fault there is: little of it in `make test`, all of it in `make chaos`."""

    full: bool

    def of(self, short: Value, full: Value) -> Value:
        return full if self.full else short


@pytest.fixture
def form() -> Form:
    return Form(FULL)


@pytest.fixture
def seed() -> int:
    """From CHAOS_SEED; every test draws from a generator of its own that this seeds."""
    return SEED


@pytest.fixture
def setting(broker: str, prefix: str, tmp_path: Path) -> Generator[Setting]:
    with placed(broker, prefix, tmp_path) as place:
        yield place


@pytest.fixture
def trial(setting: Setting, seed: int) -> Generator[Callable[[str], Trial]]:
    """Make a run by the name of its fault; it is over when the test is."""
    with trials(setting, seed) as begin:
        yield begin


@pytest.fixture
def own_broker(tmp_path: Path) -> Generator[OwnBroker]:
    """A broker of the test's own, that it may stop and start."""
    with running(tmp_path / "broker") as started:
        yield started


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark those tests of this folder that do something to workers."""
    for item in items:
        if isinstance(item, pytest.Function) and BROKERS & set(item.fixturenames) and item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.kafka)
            item.add_marker(pytest.mark.chaos)
            # kafka-python drops the sockets of a broker that has gone without closing them.
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of the runs."""
    if summary.ROWS:
        terminalreporter.section("faults")
        terminalreporter.write_line(summary.table(summary.ROWS))
    if summary.ROWS and FULL:
        summary.save(summary.ROWS, ROOT / "build/chaos.json")
