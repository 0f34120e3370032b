"""Who runs: Tradewind and its variants, the frameworks that people would pick instead, and the bare loop."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from streams.topics import ITEM_ACTIVITY, RECOMMENDATIONS, USER_EVENTS
from tests.benchmarks.engine.agents import ECHOED
from tests.benchmarks.engine.contest import Contestant
from tests.benchmarks.engine.job import SHARED
from tests.benchmarks.engine.place import WRITES

MANY: Final = "many."  # the prefix of the long input, for what has no state
EVENTS: Final = SHARED + USER_EVENTS.name

_WORKER: Final = ("{python}", "-m", "tests.benchmarks.engine.worker")
_SAYS: Final = (RECOMMENDATIONS, ITEM_ACTIVITY)  # a request gets its slate, a purchase its activity
_WRITES: Final = tuple(topic for topic in WRITES if topic not in _SAYS)


def _job(name: str, command: Iterable[str], group: str) -> Contestant:
    return Contestant(
        name=name,
        command=tuple(command),
        group="{prefix}" + group,
        source=EVENTS,
        outputs=_SAYS,
        writes=_WRITES,
    )


def _peer(name: str) -> Contestant:
    python = str(Path("build") / "peers" / name / "bin" / "python")
    module = f"tests.benchmarks.engine.peers.{name}_app"
    return _job(name, (python, "-m", module, "{address}", "{prefix}", "{state}", "{folder}"), name)


TRADEWIND: Final = _job("tradewind", (*_WORKER, "recommendation"), "tradewind.recommendation")
AT_LEAST_ONCE: Final = _job(
    "at-least-once", (*_WORKER, "recommendation", "--at-least-once"), "tradewind.recommendation.positions"
)
QUIX: Final = _peer("quix")
FAUST: Final = _peer("faust")
ECHO: Final = Contestant(
    name="empty-step",
    command=(*_WORKER, "echo"),
    group="{prefix}tradewind.echo",
    source=MANY + USER_EVENTS.name,
    outputs=(ECHOED,),
    settings={"TRADEWIND_BENCH_SHARED": MANY},
)
BARE: Final = Contestant(
    name="bare-loop",
    command=(
        *("{python}", "-m", "tests.benchmarks.engine.peers.bare"),
        *("{address}", MANY + USER_EVENTS.name, "{prefix}" + ECHOED.name, "{prefix}bare"),
    ),
    group="{prefix}bare",
    source=MANY + USER_EVENTS.name,
    outputs=(ECHOED,),
)
