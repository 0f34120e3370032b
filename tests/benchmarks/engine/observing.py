"""What it costs to be watched: the same worker with its metrics on, scraped as Prometheus would, and with them off.

Runs of a whole worker differ by more than what is looked for, so that the work that watching adds is timed by itself
too, on the batches and steps of the reference job, and set against what a worker takes for them.
"""

import threading
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import Final, NamedTuple

from agents.contract import State, Step
from infra.broker.server import free_port
from infra.cluster.clients import Bare
from infra.metrics.observed import Observed
from infra.serving.inbox import Run as Taken
from policies.version import SHIPPED
from streams.topics import USER_EVENTS
from tests.benchmarks.engine import contestants as c
from tests.benchmarks.engine.agents import agent_of
from tests.benchmarks.engine.bench import Bench, Findings, say
from tests.benchmarks.engine.contest import Contestant, Run
from tests.benchmarks.engine.place import Placed
from tests.benchmarks.engine.profiles import inputs, shared_views
from tests.benchmarks.engine.spread import Spread
from tests.benchmarks.engine.table import Row
from tests.benchmarks.engine.throughput import full_speed

_SCRAPE_S: Final = 5.0  # thrice as often as is usual
_TARGET: Final = 3.0  # percent


_BATCH: Final = 200  # records in one transaction of the reference job, or more: the fewer, the dearer an event
_AGAIN: Final = 7


def measure(bench: Bench) -> Findings:
    """Processor time an event, in rounds of both; and of the watching alone."""
    job, runs = _cost(bench, c.TRADEWIND, bench.events)
    added = added_us(bench)
    share = 100 * added / median(float(each["plain"]) for each in runs)
    rows = [
        Row(
            measure="cost of metrics, reference job",
            target=f"< {_TARGET:.0f}%",
            measured=f"{share:.1f}% ({added:.2f} µs CPU an event)",
            reached=share < _TARGET,
        ),
        Row(measure="the same, as whole workers differ", target="", measured=job.text(".1f", "% CPU")),
    ]
    return Findings(rows=rows, numbers={"runs": runs, "added_us": added})


def added_us(bench: Bench) -> float:
    """What counting adds to an event of the reference job, in microseconds of processor time."""
    taken, steps = _stepped(bench)
    found: list[float] = []
    for _ in range(_AGAIN):
        observed, began = Observed(), time.process_time()
        for batch, step in zip(taken, steps, strict=True):
            observed.steps["recommendation"].add(time.perf_counter() - began)
            observed.quality.look(step.outputs)
            observed.handled("recommendation", 0, [batch])
        found.append(time.process_time() - began)
    return 1e6 * median(found) / sum(len(batch.records) for batch in taken)


def _stepped(bench: Bench) -> tuple[list[Taken], list[Step]]:
    """The reference job in batches, with a step each; its records are a millisecond apart."""
    entries: dict[str, bytes] = {}
    agent, state = agent_of("recommendation", Placed()), State(entries, shared_views(bench.job))
    events, taken, steps, now = bench.reference(), list[Taken](), list[Step](), 0
    for start in range(0, len(events), _BATCH):
        batch = events[start : start + _BATCH]
        step = agent.step(state, inputs(batch, start), SHIPPED, now)
        for key, raw in step.writes.items():
            if raw is None:
                entries.pop(key, None)
            else:
                entries[key] = raw
        now = step.now
        rows: list[Bare] = [
            Lain(start + n, int(time.time() * 1000) - n, key, value) for n, (key, value) in enumerate(batch)
        ]
        taken.append(Taken(USER_EVENTS.name, rows))
        steps.append(step)
    return taken, steps


class Lain(NamedTuple):
    """A record of a fetch."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def _cost(bench: Bench, one: Contestant, total: int) -> tuple[Spread, list[dict[str, float]]]:
    """By how many percent it takes more, round by round."""
    found: list[float] = []
    runs: list[dict[str, float]] = []
    for number in range(1, bench.repeats + 1):
        plain, watched = _pair(bench, one, total, watched_first=number % 2 == 0)
        found.append(100 * (watched.cpu_us / plain.cpu_us - 1))
        runs.append({"plain": plain.cpu_us, "watched": watched.cpu_us})
        say(f"round {number}/{bench.repeats}: {one.name} {plain.cpu_us:.1f} µs CPU each, watched {watched.cpu_us:.1f}")
    return Spread.of(found), runs


def _pair(bench: Bench, one: Contestant, total: int, *, watched_first: bool) -> tuple[Run, Run]:
    port = free_port()
    settings = {**one.settings, "TRADEWIND_METRICS_PORT": str(port)}
    shown = replace(one, name=f"{one.name}-watched", settings=settings)
    with _scraping(port):
        made = {
            found.name: full_speed(bench, found, total) for found in ((shown, one) if watched_first else (one, shown))
        }
    return made[one.name], made[shown.name]


@contextmanager
def _scraping(port: int) -> Generator[None]:
    """Ask for the metrics again and again, as long as the block runs."""
    done = threading.Event()

    def scrape() -> None:
        while not done.wait(_SCRAPE_S):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read()
            except OSError:
                continue  # it isn't up yet, or the other one runs

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
