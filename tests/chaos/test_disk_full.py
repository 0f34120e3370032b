"""The disk that state is kept on is full: the worker says so and ends; with room made, it goes on."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.chaos.conftest import Form
from tests.chaos.events import heavy
from tests.chaos.supervisor import LEDGER
from tests.chaos.trial import Trial

SMALL: Final = 12 * 1024 * 1024  # bytes: room for the first save of one task, and not for all
LARGE: Final = 400 * 1024 * 1024


class Disk:
    """A disk of a size of its own, where this system lets us mount one; else a limit on each file of the worker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self.mounted = self._mount(f"size={SMALL}")

    def _mount(self, options: str) -> bool:
        command = ["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self._folder)]
        try:
            return subprocess.run(command, check=False, capture_output=True).returncode == 0
        except FileNotFoundError:
            return False

    def resize(self, size: int) -> None:
        if self.mounted:
            assert self._mount(f"remount,size={size}")

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["/bin/umount", "-l", str(self._folder)], check=True)


def test_the_disk_for_state_is_full_until_room_is_made(
    trial: Callable[[str], Trial], form: Form, tmp_path: Path
) -> None:
    run = trial("disk full")
    disk = Disk(tmp_path / "disk")
    full = True

    def program(_: int) -> Sequence[str]:
        return (*LEDGER, "--largest-file", "2000000") if full and not disk.mounted else LEDGER

    try:
        worker = run.supervise(program=program, state_dir=str(tmp_path / "disk"), hot_state_mb="1")
        users = form.of(600, 3_000)
        run.send(heavy(run.rng, users, ballast=60_000))
        worker.wait_restarted(form.of(1, 3))
        run.faults = len(worker.ends)
        for end in worker.ends:
            assert end.code == 1
            assert f"state can't be kept in {tmp_path / 'disk'}" in end.last
            assert "Make room there" in end.last
        full = False
        disk.resize(LARGE)
        run.settle()
        run.send(heavy(run.rng, users, ballast=50_000, first=users))
        run.finish()
    finally:
        run.close()
        disk.close()
