"""How long from an event's append until its slate can be read, committed, at 1,000 events a second."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from tests.benchmarks.engine.bench import Bench, Findings, say
from tests.benchmarks.engine.contest import end
from tests.benchmarks.engine.job import Pair, pairs
from tests.benchmarks.engine.live import traffic
from tests.benchmarks.engine.serving import Place
from tests.benchmarks.engine.spread import Spread, percentile
from tests.benchmarks.engine.table import Row

PER_SECOND: Final = 1_000.0
SETTINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "default settings": {},
    "batch_max_age_ms=0": {"TRADEWIND_BATCH_MAX_AGE_MS": "0"},
}
_SETTLE_S: Final = 5.0
TARGET_MS: Final = (25.0, 80.0)  # p50, p99


def measure(bench: Bench) -> Findings:
    """Each setting once per round, each time with a new worker and the same events."""
    seconds = 6.0 if bench.quick else 20.0
    found: dict[str, list[dict[str, float]]] = {name: [] for name in SETTINGS}
    for number in range(1, bench.repeats + 1):
        for name, settings in SETTINGS.items():
            made = _once(bench, settings, seconds)
            found[name].append(made)
            say(f"round {number}/{bench.repeats}: {name}: p50 {made['p50']:.1f} ms, p99 {made['p99']:.1f} ms")
    numbers: dict[str, Any] = {"per_second": PER_SECOND, "seconds": seconds, "runs": found}
    return Findings(rows=[row for name in SETTINGS for row in _rows(name, found[name])], numbers=numbers)


def _rows(name: str, runs: list[dict[str, float]]) -> list[Row]:
    rows: list[Row] = []
    for which, target in zip(("p50", "p99"), TARGET_MS, strict=True):
        spread = Spread.of(run[which] for run in runs)
        rows.append(
            Row(
                measure=f"append → action readable, {which}, {name}",
                target=f"≤ {target:.0f} ms",
                measured=spread.text(".1f", " ms"),
                reached=spread.median <= target,
            )
        )
    return rows


def _once(bench: Bench, settings: Mapping[str, str], seconds: float) -> dict[str, float]:
    where = Place(bench)
    serving = where.start(settings)
    try:
        serving.wait_until_ready()
        return asyncio.run(_listen(bench, where.prefix, pairs(bench.job.events), seconds))
    finally:
        end(serving.process)
        where.clear()


async def _listen(bench: Bench, prefix: str, events: list[Pair], seconds: float) -> dict[str, float]:
    async with traffic(bench.address, prefix, prefix, events, PER_SECOND) as made:
        await asyncio.sleep(_SETTLE_S)
        since = time.time()
        await asyncio.sleep(seconds)
        found, appended = made.latencies_ms(since)
    return {
        "p50": percentile(found, 0.5),
        "p99": percentile(found, 0.99),
        "p50_until_appended": percentile(appended, 0.5),
        "p99_until_appended": percentile(appended, 0.99),
        "slates": len(found),
        "sender_behind_s": made.behind_s,
    }
