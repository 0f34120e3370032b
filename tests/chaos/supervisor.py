"""What an orchestrator does for a worker: starts it again whenever it ends, and notes how it ended."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tests.kafka.harness import LONG_S, ROOT, Setting, Worker

LEDGER: Final = (str(ROOT / "tests/chaos/ledger.py"),)
_POLL_S: Final = 0.05
_STARTING: Final = threading.Lock()  # the setting numbers its workers


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a worker's process ended: its exit code (negative: by that signal) and its last words."""

    name: str
    code: int
    last: str

    def __str__(self) -> str:
        return f"{self.name} ended with {self.code}: {self.last}"


class Supervisor:
    """One named worker, kept alive from `start` to `stop`. `program(n)` is what its n-th start runs."""

    def __init__(
        self, setting: Setting, name: str, program: Callable[[int], Sequence[str]] = lambda _: LEDGER, **settings: str
    ) -> None:
        self.ends: list[End] = []
        self._setting = setting
        self._name = name
        self._program = program
        self._settings = settings
        self._over = threading.Event()
        self._changed = threading.Condition()
        self._may_start = threading.Event()
        self._may_start.set()
        self._worker: Worker | None = None
        self._starts = 0
        self._ready = (0, 0)  # the last announcement heard: of which start, of how many partitions
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def worker(self) -> Worker:
        """The process of this moment."""
        assert self._worker is not None, "start the supervisor first"
        return self._worker

    @property
    def restarts(self) -> int:
        return self._starts - 1

    def start(self) -> None:
        self._launch()
        self._thread.start()

    def wait_ready(self, partitions: int) -> None:
        """Wait until the process of this moment has announced that so many partitions have their state."""
        now = (self._starts, partitions)
        if self._ready != now:
            self.worker.wait_for(f"ready: {partitions} partitions")
            self._ready = now

    def wait_restarted(self, times: int) -> None:
        """Wait until the worker was started again so often."""
        with self._changed:
            done = self._changed.wait_for(lambda: self.restarts >= times, LONG_S)
        assert done, f"{self._name} was started again {self.restarts} times, not {times}"

    def wait_frozen(self) -> None:
        """Wait until the process of this moment is stopped by a signal (and still there)."""
        give_up = time.monotonic() + LONG_S
        while not _state(self.worker.process.pid).startswith("T"):
            assert time.monotonic() < give_up, f"{self._name} was never frozen"
            time.sleep(_POLL_S)

    def set(self, **settings: str) -> None:
        """Settings that count from the next start on."""
        self._settings |= settings

    def kill(self, sign: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the process of this moment; where it ends by it, wait until another runs in its place."""
        with self._changed:
            before, worker = self._starts, self.worker
            worker.process.send_signal(sign)
            if sign in {signal.SIGKILL, signal.SIGTERM}:
                self._changed.wait_for(lambda: self._starts > before or self._over.is_set())

    @contextmanager
    def down(self, sign: signal.Signals = signal.SIGKILL) -> Generator[None]:
        """End the process by a signal, and start it again only when the block is over."""
        self._may_start.clear()
        self.worker.process.send_signal(sign)
        self.worker.process.wait(LONG_S)
        before = self._starts
        try:
            yield
        finally:
            self._may_start.set()
        with self._changed:
            self._changed.wait_for(lambda: self._starts > before, LONG_S)

    def stop(self) -> int:
        """SIGTERM, and no start any more; the exit code."""
        self._over.set()
        self._thread.join()
        if self.worker.process.poll() is None:
            self.worker.process.send_signal(signal.SIGCONT)  # one that is frozen could not hear the other
            return self.worker.stop()
        return self.worker.process.returncode

    def end(self) -> None:
        """kill -9, and no start any more."""
        self._over.set()
        self._may_start.set()
        self._thread.join()
        if self.worker.process.poll() is None:
            self.worker.kill()

    def _launch(self) -> None:
        with _STARTING:
            self._worker = self._setting.start(self._name, self._program(self._starts), **self._settings)
        self._starts += 1

    def _run(self) -> None:
        while not self._over.wait(_POLL_S):
            code = self.worker.process.poll()
            if code is not None:
                self._note(code)
                self._may_start.wait(LONG_S)
                with self._changed:
                    self._launch()
                    self._changed.notify_all()

    def _note(self, code: int) -> None:
        end = End(name=self._name, code=code, last=_last_words(self.worker.errors.read_text(errors="replace")))
        self.ends.append(end)
        print(end)  # noqa: T201 # pytest shows it where the test fails


def _last_words(log: str) -> str:
    """The sentence that `tradewind` ended with; without one, the last line of the log."""
    lines = log.strip().splitlines()
    told = [line for line in lines if line.startswith("tradewind: ")]
    return (told or lines or [""])[-1]


def _state(pid: int) -> str:
    """A process's state as `ps` tells it."""
    asked = ["/bin/ps", "-o", "stat=", "-p", str(pid)]
    return subprocess.run(asked, check=False, capture_output=True, text=True).stdout
