"""Where the time of the reference job goes, stage by stage: one worker, sampled while it runs at full speed."""

from collections import Counter
from dataclasses import replace
from typing import Any

import orjson

from tests.benchmarks.engine import contestants as c
from tests.benchmarks.engine.bench import Bench, Findings, say
from tests.benchmarks.engine.contest import Run, run
from tests.benchmarks.engine.spread import Spread
from tests.benchmarks.engine.stages import BIN_S, EVERY_S, STAGES
from tests.benchmarks.engine.table import Row
from tests.benchmarks.engine.throughput import WARM_UP


def measure(bench: Bench) -> Findings:
    """Sampled and plain runs in turn, so that what sampling costs is known too."""
    path = bench.folder / "samples.json"
    watched = replace(c.TRADEWIND, name="sampled", command=(*c.TRADEWIND.command, "--stages", str(path)))
    shares: list[dict[str, float]] = []
    speeds: list[float] = []
    for number in range(1, bench.repeats + 1):
        plain = _run(bench, c.TRADEWIND)
        sampled = _run(bench, watched)
        speeds.append(100 * (1 - sampled.rate / plain.rate))
        shares.append(by_stage(orjson.loads(path.read_bytes()), sampled))
        say(f"round {number}/{bench.repeats}: {sampled.rate:,.0f} events/s sampled, {plain.rate:,.0f} plain")
    rows = [
        Row(
            measure=f"time by stage: {stage}",
            target="",
            measured=Spread.of(one[stage] for one in shares).text(".1f", " µs an event"),
        )
        for stage in (*STAGES, "waiting")
    ]
    return Findings(rows=rows, numbers={"us_an_event": shares, "slowed_by_percent": speeds, "every_s": EVERY_S})


def _run(bench: Bench, one: c.Contestant) -> Run:
    return run(
        one,
        address=bench.address,
        folder=bench.folder,
        total=bench.events,
        warm_up=int(WARM_UP * bench.events),
        settings=bench.settings,
    )


def by_stage(samples: dict[str, Any], of: Run) -> dict[str, float]:
    """Microseconds an event by stage, by the wall clock."""
    first, last = of.began_at / 1000 / BIN_S, of.ended_at / 1000 / BIN_S
    counts: Counter[str] = Counter()
    for number, found in samples["counts"].items():
        if first < int(number) < last:
            counts.update(found)
    whole, total = 1e6 / of.rate, sum(counts.values())
    return {stage: whole * counts[stage] / total for stage in (*STAGES, "waiting")}
