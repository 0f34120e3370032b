"""Where the time of the reference job goes, stage by stage: one worker, sampled while it runs at full speed."""

from collections import Counter
from dataclasses import replace
from typing import Any

import orjson

from tests.benchmarks.engine import contestants as c
from tests.benchmarks.engine.bench import Bench, Findings, say
from tests.benchmarks.engine.contest import Contestant, Run
from tests.benchmarks.engine.spread import Spread
from tests.benchmarks.engine.stages import BIN_S, EVERY_S, STAGES
from tests.benchmarks.engine.table import Row
from tests.benchmarks.engine.throughput import full_speed


def measure(bench: Bench) -> Findings:
    """Sampled and plain runs in turn, so that what sampling costs is known too; then the same with an empty step."""
    job, slowed = _sampled(bench, c.TRADEWIND, bench.events)
    empty, empty_slowed = _sampled(bench, c.ECHO, bench.many)
    rows = [*_rows("time by stage", job), *_rows("empty step by stage", empty)]
    numbers = {"us_an_event": job, "slowed_by_percent": slowed, "every_s": EVERY_S}
    return Findings(rows=rows, numbers={**numbers, "empty_us_an_event": empty, "empty_slowed_by_percent": empty_slowed})


def _sampled(bench: Bench, one: Contestant, total: int) -> tuple[list[dict[str, float]], list[float]]:
    """By round: microseconds an event by stage, and by how many percent sampling slowed it."""
    path = bench.folder / "samples.json"
    watched = replace(one, name=f"{one.name}-sampled", command=(*one.command, "--stages", str(path)))
    shares: list[dict[str, float]] = []
    slowed: list[float] = []
    for number in range(1, bench.repeats + 1):
        plain = full_speed(bench, one, total)
        sampled = full_speed(bench, watched, total)
        slowed.append(100 * (1 - sampled.rate / plain.rate))
        shares.append(by_stage(orjson.loads(path.read_bytes()), sampled))
        say(f"round {number}/{bench.repeats}: {one.name} {sampled.rate:,.0f} events/s sampled, {plain.rate:,.0f} plain")
    return shares, slowed


def _rows(title: str, shares: list[dict[str, float]]) -> list[Row]:
    return [
        Row(
            measure=f"{title}: {stage}",
            target="",
            measured=Spread.of(each[stage] for each in shares).text(".1f", " µs an event"),
        )
        for stage in (*STAGES, "waiting")
    ]


def by_stage(samples: dict[str, Any], of: Run) -> dict[str, float]:
    """Microseconds an event by stage, by the wall clock."""
    first, last = of.began_at / 1000 / BIN_S, of.ended_at / 1000 / BIN_S
    counts: Counter[str] = Counter()
    for number, found in samples["counts"].items():
        if first < int(number) < last:
            counts.update(found)
    whole, total = 1e6 / of.rate, sum(counts.values())
    return {stage: whole * counts[stage] / total for stage in (*STAGES, "waiting")}
