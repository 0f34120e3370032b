"""First-price auctions: our prior four ways beside dual pacing, as loss against hindsight.

    python -m tests.benchmarks.learning.first_price [--quick] [--seeds N]

The market of the second-price table, with as much budget; the same with prices that jump halfway; and markets drawn
from the population. A winner pays its own bid and a loser hears nothing. Hindsight pays just the prices to beat, which
nobody knows in time: `oracle-prior`, told how prices and values are spread, says what that is worth. Writes
build/learning/first_price.json.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import orjson

from policies.tasks.auctions import FACTS, Auctions
from tests.benchmarks.learning.bidding import drawn, flights_of, losses

OUT: Final = Path("build/learning/first_price.json")
JUMPS: Final = (2.0, 0.5)
DRAWN_SEEDS: Final = 5  # of 40 campaigns each


def cases(seeds: int, lengths: tuple[int, ...]) -> dict[str, list[Auctions]]:
    found: dict[str, list[Auctions]] = {}
    for length in lengths:
        for share in (0.3, 0.1):
            found[f"{length} auctions, budget for {share:.0%}"] = flights_of(FACTS, length, share, seeds)
    for jump in JUMPS:
        title = f"{lengths[0]} auctions, prices ×{jump:g} halfway"
        found[title] = flights_of(replace(FACTS, jump=jump), lengths[0], 0.3, seeds)
    return found


def show(title: str, found: dict[str, Any]) -> None:
    print(f"\n{title}: loss against hindsight, and value won over the oracle prior's")
    for name, one in found.items():
        error = "" if one["standard_error"] is None else f" ± {one['standard_error']:.4f}"
        of_oracle = (1.0 - one["loss"]) / (1.0 - found["oracle-prior"]["loss"])
        print(f"  {name:<20} {one['loss']:.4f}{error}   {of_oracle:.3f}   overspend {one['overspend']:g}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a thousand auctions only, and few drawn campaigns")
    parser.add_argument("--seeds", type=int, default=10)
    given = parser.parse_args()
    offered = cases(given.seeds, (1_000,) if given.quick else (1_000, 10_000))
    offered["drawn campaigns"] = drawn(1 if given.quick else DRAWN_SEEDS)
    found: dict[str, Any] = {}
    for title, flights in offered.items():
        found[title] = losses(flights, auction="first-price")
        show(title, found[title])
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_bytes(orjson.dumps({"seeds": given.seeds, "tables": found}, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
