"""Events a second with one, two and four workers on the same topic, and how evenly they share it.

All of them are ready, each with its part of the partitions, before the input is appended; how fast it was handled is
read from the log afterwards. Workers, broker and whoever fills the topic share the machine: with more workers than
cores to spare the figure says what this machine can do, not what the engine can.
"""

import asyncio
import os
import re
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

from streams.topics import USER_EVENTS
from tests.benchmarks.engine import place
from tests.benchmarks.engine.bench import Bench, Findings, say
from tests.benchmarks.engine.contest import cpu_seconds, end
from tests.benchmarks.engine.contestants import TRADEWIND
from tests.benchmarks.engine.job import PARTITIONS
from tests.benchmarks.engine.serving import Place, Serving
from tests.benchmarks.engine.spread import Spread, ratios
from tests.benchmarks.engine.table import Row

COUNTS: Final = (1, 2, 4)  # each divides the partitions
WARM_UP: Final = 0.25
_READY: Final = re.compile(r"^ready: (\d+) partition", re.MULTILINE)
_LONG_S: Final = 240.0


def measure(bench: Bench) -> Findings:
    """Each number of workers once per round, in turn."""
    found: list[dict[str, float]] = []
    spent: list[dict[str, float]] = []
    for number in range(1, bench.repeats + 1):
        made = {workers: _run(bench, workers) for workers in COUNTS}
        found.append({str(workers): rate for workers, (rate, _) in made.items()})
        spent.append({str(workers): cpu for workers, (_, cpu) in made.items()})
        say(
            f"round {number}/{bench.repeats}: "
            + ", ".join(f"{workers} workers {rate:,.0f} events/s" for workers, (rate, _) in made.items())
        )
    return Findings(rows=_rows(found, spent), numbers={"rates": found, "cpu_us": spent, "cores": os.cpu_count()})


def _rows(found: list[dict[str, float]], spent: list[dict[str, float]]) -> list[Row]:
    rows = [
        Row(
            measure=f"{name} worker{'s' * (name != '1')} on {os.cpu_count()} cores, events/s",
            target="",
            measured=Spread.of(each[name] for each in found).text(",.0f")
            + f", {median(each[name] for each in spent):,.0f} µs CPU each",
        )
        for name in found[0]
    ]
    against = [
        Row(
            measure=f"{name} workers against one",
            target="",
            measured=Spread.of(ratios(found, name, "1")).text(".2f", "×"),
        )
        for name in list(found[0])[1:]
    ]
    return rows + against


def _run(bench: Bench, workers: int) -> tuple[float, float]:
    """Events a second after the warm-up; processor time of all workers an event, in µs, from the first to the last."""
    where = Place(bench)
    serving = [_start(where, number) for number in range(workers)]
    try:
        _wait_until_shared(serving)
        before = sum(cpu_seconds(one.process.pid) for one in serving)
        bench.send(where.prefix, bench.reference())
        _wait_until_done(where, serving, bench.events)
        used = sum(cpu_seconds(one.process.pid) for one in serving) - before
        at = asyncio.run(place.stamps(bench.address, [where.prefix + topic.name for topic in TRADEWIND.outputs]))
    finally:
        for one in serving:
            end(one.process)
        where.clear()
    if len(at) < bench.events:
        raise RuntimeError(f"{workers} workers are done with {bench.events} events and have put out {len(at)} records")
    skipped = int(WARM_UP * len(at))
    return 1000 * (len(at) - skipped) / (at[-1] - at[skipped]), 1e6 * used / len(at)


def _start(where: Place, number: int) -> Serving:
    folder = Path(where.bench.folder) / "state" / f"{where.prefix}{number}"
    return where.start({"TRADEWIND_STATE_DIR": str(folder)}, name=f"worker-{number}")


def _wait_until_shared(serving: list[Serving]) -> None:
    """Until each has its even part, and is ready with it."""
    wanted = [PARTITIONS // len(serving)] * len(serving)
    _until(serving, lambda: [_parts(one) for one in serving] == wanted, "never shared the partitions evenly")


def _parts(one: Serving) -> int:
    """How many partitions it was ready with last."""
    said = _READY.findall(one.log.read_text())
    return int(said[-1]) if said else 0


def _wait_until_done(where: Place, serving: list[Serving], events: int) -> None:
    group, topic = f"{where.prefix}tradewind.recommendation", where.prefix + USER_EVENTS.name
    with place.admin(where.bench.address) as client:
        _until(serving, lambda: place.handled(client, group, topic) >= events, "are not done with their input")


def _until(serving: list[Serving], done: Any, otherwise: str) -> None:
    give_up = time.monotonic() + _LONG_S
    while not done():
        if time.monotonic() > give_up or any(one.process.poll() is not None for one in serving):
            logs = "\n".join(one.log.read_text()[-2000:] for one in serving)
            raise RuntimeError(f"{len(serving)} workers {otherwise}; their logs:\n{logs}")
        time.sleep(0.2)
