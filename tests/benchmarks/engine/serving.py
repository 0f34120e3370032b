"""A worker of the reference job that is kept running, on topics of its own."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from streams.topics import Topic
from tests.benchmarks.engine import place
from tests.benchmarks.engine.bench import Bench
from tests.benchmarks.engine.contest import Process, launch
from tests.benchmarks.engine.contestants import TRADEWIND

_READY_S: Final = 180.0


class Place:
    """Topics for one worker after another; what they read lies under `prefix` too."""

    def __init__(self, bench: Bench, *, extra: tuple[Topic, ...] = ()) -> None:
        self.bench = bench
        self.prefix = f"l{time.monotonic_ns():x}."
        bench.furnish(self.prefix)
        place.create(bench.address, self.prefix, (*TRADEWIND.outputs, *TRADEWIND.writes, *extra))

    def start(self, settings: Mapping[str, str], *, name: str = "only", agent: str = "recommendation") -> "Serving":
        """A worker process, not ready yet."""
        log = self.bench.folder / "logs" / f"serving-{time.monotonic_ns():x}.log"
        environment = {
            "TRADEWIND_BOOTSTRAP_SERVERS": self.bench.address,
            "TRADEWIND_PREFIX": self.prefix,
            "TRADEWIND_BENCH_SHARED": self.prefix,
            "TRADEWIND_GROUP_INSTANCE_ID": name,
            "TRADEWIND_STATE_DIR": str(self.bench.folder / "state" / self.prefix),
            **self.bench.settings,
            **settings,
        }
        command = [sys.executable, "-m", "tests.benchmarks.engine.worker", agent]
        return Serving(launch(command, log, environment), log)

    def clear(self) -> None:
        """Delete the topics."""
        place.drop(self.bench.address, self.prefix)


class Serving:
    """A worker process and its log."""

    def __init__(self, process: Process, log: Path) -> None:
        self.process = process
        self.log = log

    def wait_until_ready(self) -> str:
        """What it announced once all its partitions have their state. Raises RuntimeError."""
        give_up = time.monotonic() + _READY_S
        while time.monotonic() < give_up and self.process.poll() is None:
            said = [line for line in self.log.read_text().splitlines() if line.startswith("ready: 4 partitions")]
            if said:
                return said[-1]
            time.sleep(0.02)
        raise RuntimeError(f"the worker didn't get ready; its log:\n{self.log.read_text()[-4000:]}")
