"""All tables of how well it learns, and docs/learning.md made of what they print.

    python -m tests.benchmarks.learning [--quick] [--only bandit,bidding] [--write-only]

Each table is a module of its own that can be run by itself; its output is kept in build/learning/TABLE.txt and goes
into the document as it was printed, with the command and the time it took. A table that wasn't run stays as it was.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Final

from tests.benchmarks.learning.page import page

TABLES: Final = (
    "replenishment",
    "bidding",
    "first_price",
    "objectives",
    "pricing",
    "bandit",
    "cold_start",
    "next_basket",
    "encoder",
    "slow_loop",
)
OUT: Final = Path("build/learning")
PAGE: Final = Path("docs/learning.md")


def run(table: str, *, quick: bool) -> None:
    """Run one table, show what it prints as it comes, and keep it."""
    command = ["-m", f"tests.benchmarks.learning.{table}", *(["--quick"] if quick else [])]
    began = monotonic()
    print(f"\n== {table}", flush=True)
    lines: list[str] = []
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        raise SystemExit(f"{table} failed with {process.returncode}")
    head = f"$ python {' '.join(command)}    # {datetime.now(UTC):%Y-%m-%d}, {(monotonic() - began) / 60:.0f} min"
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{table}.txt").write_text("\n".join([head, "", "".join(lines).strip(), ""]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a short form of each, to see that it works")
    parser.add_argument("--only", default=",".join(TABLES), help="tables, separated by commas")
    parser.add_argument("--write-only", action="store_true", help="write the page from what was printed before")
    given = parser.parse_args()
    for table in TABLES:
        if table in given.only.split(",") and not given.write_only:
            run(table, quick=given.quick)
    PAGE.write_text(page(OUT, PAGE.parent / "learning"))
    print(f"\nwritten: {PAGE}")


if __name__ == "__main__":
    main()
