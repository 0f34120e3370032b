"""One contestant's run: its process, from its start until the group says that it is done with all of the input."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from streams.topics import Topic
from tests.benchmarks.engine import place

ROOT: Final = Path(__file__).parents[3]
_POLL_S: Final = 0.2
_STUCK_S: Final = 90.0
_STOP_S: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """How one is started, and where to look. `{…}` in the command and the group stand for what a run fills in."""

    name: str
    command: tuple[str, ...]
    group: str
    source: str  # the topic that it reads
    outputs: tuple[Topic, ...]  # of each event, exactly one record lands on one of these
    writes: tuple[Topic, ...] = ()  # the other topics that it writes to
    settings: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run came to, after the warm-up. `cpu_us`: processor time of its process per event, in microseconds."""

    contestant: str
    rate: float  # events a second
    events: int
    seconds: float
    cpu_us: float
    began_at: int  # epoch ms
    ended_at: int


class ContestError(RuntimeError):
    """A contestant ended early, stood still or lost something; its log's end is in the message."""


Process = subprocess.Popen[str]


def launch(command: Sequence[str], log: Path, settings: Mapping[str, str]) -> Process:
    """Start a process of the benchmark; what it says goes to its log."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRADEWIND_")}
    cache = {name: os.environ[name] for name in ("TRADEWIND_CACHE",) if name in os.environ}
    with log.open("a") as file:
        return subprocess.Popen(
            list(command),
            cwd=ROOT,
            env={**environment, **cache, "PYTHONPATH": str(ROOT), **settings},
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
        )


@contextmanager
def started(command: Sequence[str], log: Path, settings: Mapping[str, str]) -> Generator[Process]:
    """A process of the benchmark, gone at the end of the block."""
    process = launch(command, log, settings)
    try:
        yield process
    finally:
        end(process)


def end(process: Process) -> None:
    """SIGTERM, and SIGKILL for what doesn't listen."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(
    one: Contestant,
    *,
    address: str,
    folder: Path,
    total: int,
    warm_up: int,
    settings: Mapping[str, str] | None = None,
) -> Run:
    """Let it handle the whole of its input, and read from the log how fast it was."""
    prefix = f"r{time.monotonic_ns():x}."
    fills = {
        "python": sys.executable,
        "address": address,
        "prefix": prefix,
        "folder": str(folder),
        "state": str(folder / "state" / prefix),
    }
    place.create(address, prefix, (*one.outputs, *one.writes))
    (folder / "state").mkdir(exist_ok=True)
    log = folder / "logs" / f"{one.name}.log"
    log.unlink(missing_ok=True)
    environment = {
        "TRADEWIND_BOOTSTRAP_SERVERS": address,
        "TRADEWIND_PREFIX": prefix,
        "TRADEWIND_STATE_DIR": fills["state"],
        **(settings or {}),
        **one.settings,
    }
    with started([part.format(**fills) for part in one.command], log, environment) as process:
        used = _await_all(process, log, address, one.group.format(**fills), one.source, total)
    at = asyncio.run(place.stamps(address, [prefix + topic.name for topic in one.outputs]))
    place.drop(address, prefix)
    shutil.rmtree(folder / "state", ignore_errors=True)
    if len(at) < total:
        raise ContestError(f"{one.name} is done with {total} events and has put out {len(at)} records for them")
    seconds = (at[-1] - at[warm_up]) / 1000
    cpu = used_by(at[-1] / 1000, used) - used_by(at[warm_up] / 1000, used)
    return Run(
        contestant=one.name,
        rate=(len(at) - warm_up) / seconds,
        events=len(at),
        seconds=seconds,
        cpu_us=1e6 * cpu / (len(at) - warm_up),
        began_at=at[warm_up],
        ended_at=at[-1],
    )


def _await_all(
    process: Process, log: Path, address: str, group: str, source: str, total: int
) -> list[tuple[float, float]]:
    """Until the group is done with `total` records: seconds of processor time used, by the wall clock.

    Raises ContestError.
    """
    before, moved = 0, time.monotonic()
    used: list[tuple[float, float]] = []
    with place.admin(address) as client:
        while (now := place.handled(client, group, source)) < total:
            if now > before:
                before, moved = now, time.monotonic()
            if process.poll() is not None or time.monotonic() - moved > _STUCK_S:
                raise ContestError(f"ended or stood still at {now} of {total}; its log:\n{log.read_text()[-4000:]}")
            used.append((time.time(), cpu_seconds(process.pid)))
            time.sleep(_POLL_S)
    return [*used, (time.time(), cpu_seconds(process.pid))]


def used_by(moment: float, used: Sequence[tuple[float, float]]) -> float:
    """Processor seconds used by a moment, between those at which they were asked for.

    >>> used_by(1.5, [(1.0, 10.0), (2.0, 20.0)])
    15.0
    """
    moments = [at for at, _ in used]
    return float(np.interp(moment, moments, [seconds for _, seconds in used]))


def cpu_seconds(pid: int) -> float:
    """What a process has used so far; 0 where the system doesn't tell (it has no /proc)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
