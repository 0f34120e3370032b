"""The files that state is kept in are torn, spoilt or gone: the changelog has everything."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Final

import pytest

from tests.chaos.conftest import Form
from tests.chaos.events import heavy, steady
from tests.chaos.trial import Trial

USERS: Final = 400
BALLAST: Final = 60_000  # bytes: three times what makes a worker save

Spoil = Callable[[random.Random, list[Path]], None]


def flip(rng: random.Random, files: list[Path]) -> None:
    """Forty bytes of every table, changed where they lie."""
    for file in files:
        if file.suffix == ".sst":
            raw = bytearray(file.read_bytes())
            for _ in range(40):
                raw[rng.randrange(len(raw))] ^= rng.randrange(1, 256)
            file.write_bytes(raw)


def tear(rng: random.Random, files: list[Path]) -> None:
    """Every file is cut short, as by a disk that lost what was written last."""
    for file in files:
        raw = file.read_bytes()
        file.write_bytes(raw[: rng.randrange(len(raw) + 1)])


def tear_tables(rng: random.Random, files: list[Path]) -> None:
    tear(rng, [file for file in files if file.suffix == ".sst"])


def lose(rng: random.Random, files: list[Path]) -> None:
    """One file in two is gone."""
    for file in rng.sample(files, len(files) // 2):
        file.unlink()


def lose_all(rng: random.Random, files: list[Path]) -> None:
    for file in files:
        shutil.rmtree(file.parent, ignore_errors=True)


SPOILS: Final[dict[str, Spoil]] = {
    "flipped bytes": flip,
    "torn": tear,
    "torn tables": tear_tables,
    "half lost": lose,
    "lost": lose_all,
}


@pytest.mark.parametrize("stopped", [SIGKILL, SIGTERM], ids=["killed", "stopped"])
def test_state_files_are_spoilt_while_the_worker_is_down(
    trial: Callable[[str], Trial], form: Form, stopped: int
) -> None:
    run = trial(f"state files spoilt, {'killed' if stopped == SIGKILL else 'stopped'}")
    worker = run.supervise(hot_state_mb="1")
    run.send(heavy(run.rng, USERS, BALLAST))
    run.settle()
    names = list(SPOILS)
    first = USERS
    for name in form.of(run.rng.sample(names, 1), names * 2):
        with worker.down(SIGKILL if stopped == SIGKILL else SIGTERM):
            files = state_files(run)
            assert any(file.suffix == ".sst" for file in files)
            SPOILS[name](run.rng, files)
            run.faults += 1
        # Each user once more, so that every account is looked up, wherever it lies.
        run.send(heavy(run.rng, USERS, BALLAST // 10 * 9, first=first))
        run.send(steady(run.rng, 1_000, users=USERS, first=first + USERS))
        run.settle()
        first += USERS + 1_000
    run.finish()


def state_files(run: Trial) -> list[Path]:
    """All that the tasks keep on disk."""
    found = (run.setting.folder / "state").rglob("*changelog*/*")
    return sorted(file for file in found if file.is_file() and file.stat().st_size)
