"""A worker process from start to end: read what is watched, join the group, run until told to stop."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, cast

import uvloop

from agents.contract import Agent
from infra.contract.registry import frames
from infra.mapping.entrance import entrance_of
from infra.metrics.observed import timed
from infra.metrics.telling import Parts, telling, watching
from infra.serving import tuning
from infra.serving.app import WorkerApp, build
from infra.serving.ownership import Logs, Ownership
from infra.serving.tally import Tally
from infra.serving.task import Surroundings
from infra.serving.transport import BatchConsumer
from infra.serving.watch import Watcher
from infra.serving.watchdog import Watchdog
from infra.settings import Settings
from infra.state.folder import held
from infra.state.hot import Hot
from infra.tracing.spans import Spans, exporting
from streams.topics import DEAD_LETTERS

_RATE_S: Final = 5.0
_STOP_S: Final = 8.0  # a process that can't stop in this time is ended as it is: nothing is lost by it

log = logging.getLogger(__name__)


def serve(settings: Settings, agents: Sequence[Agent], *, group: str, announce: Callable[[str], None]) -> None:
    """`run`, in an event loop of its own: uvloop's, since a worker's transactions are many small messages."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(settings, agents, group=group, announce=announce))


async def run(settings: Settings, agents: Sequence[Agent], *, group: str, announce: Callable[[str], None]) -> None:
    """Run the agents until SIGTERM or SIGINT. Raises what ended it, if that was anything else.

    `announce` is told `ready: …` each time all assigned partitions have their state.
    """
    instance = settings.group_instance_id or f"{socket.gethostname()}-{os.getpid()}"
    with held(settings) as folder:
        async with exporting(settings, group=group, instance=instance) as spans:
            await _run(settings, agents, group, announce, folder, spans)


async def _run(
    settings: Settings,
    agents: Sequence[Agent],
    group: str,
    announce: Callable[[str], None],
    folder: Path,
    spans: Spans | None,
) -> None:
    observed = watching(settings)
    tuning.settle()
    stop = _on_signals()
    hot = Hot(settings.hot_state_mb * 1024 * 1024)
    tally = Tally()
    framed = await frames(settings, {DEAD_LETTERS, *(topic for agent in agents for topic in agent.emits)})
    watcher = Watcher(settings, (topic for agent in agents for topic in agent.watches), entrance_of(settings))

    def around(ownership: Ownership) -> Surroundings:
        return Surroundings(
            settings=settings,
            folder=folder,
            hot=hot,
            group=group,
            views=watcher.views,
            policy=watcher.policy,
            experiments=watcher.experiments,
            latest=ownership.latest,
            tally=tally,
            frames=framed,
            entrance=watcher.entrance,
            observed=observed,
            spans=spans,
        )

    shown = agents if observed is None else [timed(agent, observed) for agent in agents]
    ownership = Ownership(shown, around, warm=watcher.warm, announce=announce)
    app = build(settings, agents, ownership, group)
    ownership.logs = cast(Logs, app.consumer)
    helpers = [
        asyncio.create_task(watcher.run(), name="watch"),
        asyncio.create_task(_report(tally, ownership), name="report"),
    ]
    consumer = cast(BatchConsumer, app.consumer)
    watchdog = Watchdog(lambda: ownership.tasks, consumer, settings.stall_timeout_s)
    parts = Parts(ownership=ownership, watcher=watcher, watchdog=watchdog, tally=tally, logs=consumer)
    try:
        async with telling(settings, parts, observed):
            await app.start()
            helpers.append(asyncio.create_task(_end_on_crash(app), name="faust"))
            helpers.append(asyncio.create_task(watchdog.run(), name="watchdog"))
            await _first_of(stop, ownership.failed, *helpers)
    finally:
        await _stop(app, ownership, helpers)


def _on_signals() -> asyncio.Future[None]:
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        if not stop.done():
            stop.set_result(None)

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, end)
    return stop


async def _end_on_crash(app: WorkerApp) -> None:
    """Raise when Faust gives up."""
    await app.wait_until_stopped()
    raise app.crash_reason or RuntimeError("the Faust app has stopped by itself")


async def _first_of(*futures: asyncio.Future[Any]) -> None:
    done, _ = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
    for future in done:
        future.result()


async def _stop(app: WorkerApp, ownership: Ownership, helpers: list[asyncio.Task[None]]) -> None:
    log.info("stopping")
    for helper in helpers:
        helper.cancel()
    try:
        async with asyncio.timeout(_STOP_S):
            # What goes wrong in letting go must not keep the process alive: what ended it is told by `run`.
            for failed in await asyncio.gather(ownership.close(), return_exceptions=True):
                if failed is not None:
                    log.error("while stopping: %s", failed)
            await app.stop()
            await asyncio.gather(*helpers, return_exceptions=True)
    except TimeoutError:
        log.exception("not stopped after %.0f s: ending as it is, nothing committed is lost", _STOP_S)
        os._exit(1)


async def _report(tally: Tally, ownership: Ownership) -> None:
    before = tally.snapshot()
    while True:
        await asyncio.sleep(_RATE_S)
        now = tally.snapshot()
        records, outputs, letters, transactions = (b - a for a, b in zip(before, now, strict=True))
        if now != before:
            log.info(
                "rate records=%.0f/s outputs=%.0f/s transactions=%.0f/s dead_letters=%d partitions=%d ignored=%s",
                records / _RATE_S,
                outputs / _RATE_S,
                transactions / _RATE_S,
                letters,
                len(ownership.tasks),
                dict(tally.ignored),
            )
        before = now
