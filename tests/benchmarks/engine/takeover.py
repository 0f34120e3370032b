"""kill -9 of a worker under load, a replacement under the same name started at once: how long until the next action."""

import asyncio
import time
from typing import Final

from tests.benchmarks.engine.bench import Bench, Findings, say
from tests.benchmarks.engine.contest import end
from tests.benchmarks.engine.job import PARTITIONS, pairs
from tests.benchmarks.engine.live import Action, Traffic, traffic
from tests.benchmarks.engine.serving import Place, Serving
from tests.benchmarks.engine.spread import Spread
from tests.benchmarks.engine.table import Row

PER_SECOND: Final = 200.0
TARGET_S: Final = 8.0
_UP_S: Final = 6.0
_GIVE_UP_S: Final = 60.0


def measure(bench: Bench) -> Findings:
    """One worker after another on the same partitions, each killed in its turn."""
    where = Place(bench)
    serving = where.start({})
    serving.wait_until_ready()
    try:
        gaps, serving = asyncio.run(_kill_again_and_again(bench, where, serving))
    finally:
        end(serving.process)
        where.clear()
    rows = [_row(f"kill -9 → next action of {which}", times) for which, times in gaps.items()]
    return Findings(rows=rows, numbers={"per_second": PER_SECOND, "seconds": gaps})


def _row(name: str, times: list[float]) -> Row:
    spread = Spread.of(times)
    return Row(
        measure=name, target=f"≤ {TARGET_S:.0f} s", measured=spread.text(".1f", " s"), reached=spread.high <= TARGET_S
    )


async def _kill_again_and_again(bench: Bench, where: Place, serving: Serving) -> tuple[dict[str, list[float]], Serving]:
    gaps: dict[str, list[float]] = {"any partition": [], "every partition": []}
    async with traffic(bench.address, where.prefix, where.prefix, pairs(bench.job.events), PER_SECOND) as made:
        for number in range(1, bench.repeats + 1):
            await asyncio.sleep(_UP_S)
            serving.process.kill()
            killed_at = time.time()
            serving = where.start({})
            first, last = await _next_actions(made, killed_at)
            gaps["any partition"].append(first - killed_at)
            gaps["every partition"].append(last - killed_at)
            say(f"kill {number}/{bench.repeats}: {first - killed_at:.1f} s to the first, {last - killed_at:.1f} to all")
    return gaps, serving


async def _next_actions(made: Traffic, killed_at: float) -> tuple[float, float]:
    """When an action of the replacement was read, and when one of each partition was."""
    while time.time() < killed_at + _GIVE_UP_S:
        first: dict[int, Action] = {}
        for action in made.actions:
            if action.appended_at > killed_at:  # what the killed one appended and committed is older
                first.setdefault(action.partition, action)
        if len(first) == PARTITIONS:
            times = [action.received_at for action in first.values()]
            return min(times), max(times)
        await asyncio.sleep(0.05)
    raise RuntimeError(f"no action of every partition within {_GIVE_UP_S:.0f} s of the kill")
