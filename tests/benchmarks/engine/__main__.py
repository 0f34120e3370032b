"""The command line of the engine's benchmark: `make bench`, or

    python -m tests.benchmarks.engine --only quix,faust --repeats 7
    python -m tests.benchmarks.engine --quick
    python -m tests.benchmarks.engine --show
    python -m tests.benchmarks.engine --only empty-step --setting batch_max_records=2000

The table goes to stdout, progress to stderr, all numbers to build/bench/NAME.json.
"""

import argparse
import logging
import os
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import orjson

from infra.broker.jars import KAFKA_VERSION
from infra.broker.server import running
from tests.benchmarks.engine import contestants as c
from tests.benchmarks.engine import (
    environments,
    growth,
    latency,
    observing,
    profile,
    restore,
    slates,
    takeover,
    throughput,
    workers,
)
from tests.benchmarks.engine.bench import Bench, Findings, Measure, say
from tests.benchmarks.engine.contest import ROOT, Contestant
from tests.benchmarks.engine.making import prepared
from tests.benchmarks.engine.table import Row, markdown

FOLDER: Final = ROOT / "build" / "bench"
RIVALS: Final = {"quix": c.QUIX, "faust": c.FAUST, "exactly-once": c.AT_LEAST_ONCE}
ALONE: Final[dict[str, Measure]] = {
    "empty-step": throughput.empty_step,
    "latency": latency.measure,
    "takeover": takeover.measure,
    "slate": slates.measure,
    "growth": growth.measure,
    "restore": restore.measure,
    "stages": profile.measure,
    "metrics": observing.measure,
    "workers": workers.measure,
}
ALL: Final = (*RIVALS, *ALONE)


def plan(only: Sequence[str]) -> dict[str, Measure]:
    """The measures by name; those that run the reference job are one, so that they share its rounds."""
    rivals: list[Contestant] = [one for name, one in RIVALS.items() if name in only]
    alone = {name: measure for name, measure in ALONE.items() if name in only}
    if not rivals:
        return alone
    return {"job": partial(throughput.job, peers=rivals), **alone}


def main() -> None:
    given = parse()
    if given.show:
        sys.stdout.write(markdown(kept()) + "\n")
        return
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a topic that is being made has no leader yet: it retries
    chosen = plan(given.only)
    for name in ("quix", "faust"):
        if name in given.only:
            environments.ensure(name)
    shutil.rmtree(FOLDER / "logs", ignore_errors=True)
    (FOLDER / "logs").mkdir(parents=True)
    made: dict[str, Findings] = {}
    with TemporaryDirectory() as data, running(Path(data)) as broker:
        bench = Bench(
            address=broker.address,
            folder=FOLDER,
            job=prepared(FOLDER),
            repeats=given.repeats,
            quick=given.quick,
            settings=dict(given.setting),
        )
        bench.fill()
        for name, measure in chosen.items():
            say(f"measuring: {name}")
            made[name] = measure(bench)
            _keep(name, bench, made[name])
    sys.stdout.write(markdown(row for found in made.values() for row in found.rows) + "\n")


def _keep(name: str, bench: Bench, found: Findings) -> None:
    about = {
        "measure": name,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "kafka": KAFKA_VERSION,
        "repeats": bench.repeats,
        "quick": bench.quick,
        "settings": dict(bench.settings),
    }
    rows = [{name: getattr(row, name) for name in ("measure", "target", "measured", "reached")} for row in found.rows]
    text = orjson.dumps({**about, "rows": rows, "numbers": found.numbers}, option=orjson.OPT_INDENT_2)
    (bench.folder / f"{name}.json").write_bytes(text)


def kept() -> list[Row]:
    """The lines of what was measured last, measure by measure."""
    found = [FOLDER / f"{name}.json" for name in ("job", *ALONE)]
    return [Row(**row) for path in found if path.exists() for row in orjson.loads(path.read_bytes())["rows"]]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.engine",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", type=_names, default=list(ALL), help=f"some of: {', '.join(ALL)}")
    parser.add_argument("--repeats", type=int, help="rounds of each measure [5, or 2 with --quick]")
    parser.add_argument("--show", action="store_true", help="measure nothing: print the table of what is there")
    parser.add_argument("--quick", action="store_true", help="shorter runs: ratios to about a fifth")
    parser.add_argument(
        "--setting", type=_setting, action="append", default=[], metavar="NAME=VALUE", help="of Tradewind's workers"
    )
    given = parser.parse_args(arguments)
    given.repeats = given.repeats or (2 if given.quick else 5)
    return given


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    unknown = sorted(set(names) - set(ALL))
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no measure {unknown[0]!r}: use some of {', '.join(ALL)}")
    return names


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return f"TRADEWIND_{name.upper()}", value


if __name__ == "__main__":
    main()
