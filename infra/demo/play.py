"""The demo from start to end: broker, topics, worker, three neighbours, an onlooker that keeps the score.

Tradewind meets its neighbours on topics only, and nothing in it knows that this is a demo.
"""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any, Final

from rich.console import Console

from infra.demo.cache import load
from infra.demo.crew import Crew
from infra.demo.journey import Journey, Subset, real_demand
from infra.demo.onlooker import Onlooker
from infra.demo.show import Show
from infra.measures.scoreboard import Scoreboard
from infra.privacy.pseudonyms import pseudonyms
from infra.settings import Settings
from infra.settings import load as load_settings

PARTITIONS: Final = 2  # one core for the worker, and less to commit
LAST_ACTIONS_S: Final = 30.0
BEAT_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to play, how fast, and where: on an embedded broker of its own, or at `bootstrap`, under `prefix`."""

    subset: Subset
    seconds: float
    bootstrap: str | None
    prefix: str
    dashboard: bool = False
    keep: bool = False


def play(plan: Plan, console: Console, finished: Callable[[dict[str, Any]], None]) -> None:
    """Run the whole demo, and hand its result to `finished`; with `keep`, go on until Ctrl-C. Raises UserError."""
    signal.signal(signal.SIGTERM, _interrupt)
    console.print("[bold]Tradewind demo[/]: a year of real shopping (Complete Journey) through a real Kafka broker")
    journey = load(plan.subset)
    console.print(
        f"  data       {len(journey.households):,} households, {len(journey.baskets):,} baskets, "
        f"{len(journey.item):,} lines, {len(journey.stocked)} items that a warehouse keeps",
        highlight=False,
    )
    with TemporaryDirectory(prefix="tradewind-demo-") as folder, _cluster(plan, Path(folder), console) as address:
        settings = load_settings(bootstrap_servers=address, prefix=plan.prefix, partitions=PARTITIONS)
        crew = Crew(Path(folder), _environment(settings))
        try:
            _run(plan, journey, settings, crew, console, finished)
            if plan.keep:
                _stay(crew, settings, console)
        finally:
            crew.close()


def _interrupt(*_: object) -> None:
    """End as on Ctrl-C: in order, with everything stopped that was started."""
    raise KeyboardInterrupt


@contextmanager
def _cluster(plan: Plan, folder: Path, console: Console) -> Generator[str]:
    """The address of the brokers to play on."""
    if plan.bootstrap is not None:
        yield plan.bootstrap
        return
    from infra.broker import server  # its extra is needed only here

    began = monotonic()
    with server.running(folder / "broker") as started:
        console.print(
            f"  broker     Apache Kafka {started.version} at {started.address}, up in {monotonic() - began:.1f} s",
            highlight=False,
        )
        yield started.address


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "TRADEWIND_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "TRADEWIND_PREFIX": settings.prefix,
        "TRADEWIND_PARTITIONS": str(settings.partitions),
        "PYTHONUNBUFFERED": "1",
    }


def _run(
    plan: Plan,
    journey: Journey,
    settings: Settings,
    crew: Crew,
    console: Console,
    finished: Callable[[dict[str, Any]], None],
) -> None:
    board = Scoreboard(demand=real_demand(journey), users=pseudonyms(settings))
    crew.start("worker", ["-c", "from infra.cli import main; main(['worker'])"])
    crew.await_ready("worker")
    crew.start("learner", ["-c", "from infra.cli import main; main(['learner'])"])
    crew.await_ready("learner")
    if plan.dashboard:
        crew.start("dashboard", ["-c", _DASHBOARD])
        crew.await_ready("dashboard")
        console.print(f"  dashboard  {_address_of(crew)}", highlight=False)
    console.print("  worker     all agents, exactly once, one process; beside it the learner, half a core")
    onlooker = Onlooker(settings, board)
    onlooker.start()
    began = monotonic()
    _open_the_shop(plan, settings, crew)
    console.print("  neighbours storefront and warehouse on the real baskets; ad exchange (simulated)")
    try:
        with Show(console, len(journey.baskets), board) as show:
            _watch(crew, onlooker, show)
        board.took(monotonic() - began)
        crew.stop("exchange", "warehouse")
    finally:
        onlooker.stop()
    finished(board.result() | {"neighbours": {name: crew.members[name].report() for name in _NEIGHBOURS}})


_NEIGHBOURS: Final = ("storefront", "warehouse", "exchange")
_DASHBOARD: Final = "from infra.cli import main; main(['dashboard', '--port', '0', '--from', 'beginning'])"


def _address_of(crew: Crew) -> str:
    """Where the dashboard said that it is."""
    return crew.members["dashboard"].said.read_text(encoding="utf-8").strip().rpartition(" ")[2]


def _open_the_shop(plan: Plan, settings: Settings, crew: Crew) -> None:
    where = ["--bootstrap", settings.bootstrap_servers, "--prefix", settings.prefix]
    which = [
        *("--households", str(plan.subset.households)),
        *("--stocked", str(plan.subset.stocked)),
        *("--days", str(plan.subset.days)),
    ]
    crew.start("warehouse", ["-m", "infra.demo.warehouse", *where, *which])
    crew.start("exchange", ["-m", "infra.demo.exchange", *where])
    crew.start("storefront", ["-m", "infra.demo.storefront", *where, *which, "--seconds", str(plan.seconds)])


def _watch(crew: Crew, onlooker: Onlooker, show: Show) -> None:
    """Until the storefront has played all, and the last actions are in."""
    storefront = crew.members["storefront"]
    while not storefront.ended:
        crew.check(done=["storefront"])
        onlooker.check()
        show.update()
        sleep(BEAT_S)
    crew.check(done=["storefront"])
    onlooker.await_quiet(LAST_ACTIONS_S, show.update)
    show.update()


def _stay(crew: Crew, settings: Settings, console: Console) -> None:
    shown = f"; the dashboard is at {_address_of(crew)}" if "dashboard" in crew.members else ""
    console.print(
        f"\nStaying up: the broker and the worker, at {settings.bootstrap_servers}{shown}. Ctrl-C ends it.",
        highlight=False,
    )
    try:
        while True:
            crew.check(done=_NEIGHBOURS)
            sleep(1.0)
    except KeyboardInterrupt:
        console.print("stopping")
