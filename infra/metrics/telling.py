"""Has a worker answer for itself while it runs, where a port is set. Nothing that goes wrong here ends the work."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic

from infra.metrics.health import Health
from infra.metrics.observed import Observed
from infra.metrics.pulse import Logs, Pulse
from infra.serving.ownership import Ownership
from infra.serving.tally import Tally
from infra.serving.watch import Watcher
from infra.serving.watchdog import Watchdog
from infra.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a worker is made of, as far as it is told of. `logs` is its consumer."""

    ownership: Ownership
    watcher: Watcher
    watchdog: Watchdog
    tally: Tally
    logs: Logs


def watching(settings: Settings) -> Observed | None:
    """What is to be measured, where a port is set. It loads the modules for it: call it before `tuning.settle`.

    Raises UserError where an extra is missing or the port isn't free.
    """
    if settings.metrics_port is None:
        return None
    from infra.metrics.server import (
        check_free,
        check_installed,
    )  # what an extra brings is imported only where it is used

    check_installed()
    check_free(settings)
    return Observed()


@asynccontextmanager
async def telling(settings: Settings, parts: Parts, observed: Observed | None) -> AsyncGenerator[None]:
    """Answer on the port of the settings while the block runs."""
    if observed is None:
        yield
        return
    from infra.metrics.inside import Inside
    from infra.metrics.server import answering

    ownership = parts.ownership
    pulse = Pulse(lambda: ownership.tasks, parts.logs, joined=lambda: ownership.assigned or bool(ownership.tasks))
    inside = Inside(
        tasks=lambda: ownership.tasks,
        latest=ownership.latest,
        serving=parts.watcher.serving,
        verdicts=parts.watcher.verdicts,
        tally=parts.tally,
        observed=observed,
        pulse=pulse,
        health=_health(parts, pulse),
    )
    async with answering(settings, inside):
        beating = asyncio.create_task(pulse.run(), name="pulse")
        try:
            yield
        finally:
            beating.cancel()


def _health(parts: Parts, pulse: Pulse) -> Health:
    ownership = parts.ownership
    return Health(
        failed=ownership.failed.done,
        standstills=lambda: parts.watchdog.standstills(monotonic()),
        assigned=lambda: ownership.assigned,
        warm=parts.watcher.warm.is_set,
        tasks=lambda: ownership.tasks,
        answered=lambda: pulse.answered(monotonic()),
    )
