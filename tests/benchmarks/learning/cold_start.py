"""Cold start: RMSE of ratings by unseen users after 0, 5 and 20 of theirs, MovieLens 100k.

    python -m tests.benchmarks.learning.cold_start [--quick] [--seeds N]

A fifth of the users is held out, another fifth for each seed; each one's first ratings by time are known, and all after
the 20th are predicted, whatever is known. Item factors and the prior are learned from the other users alone. Writes
build/learning/cold_start.json.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from infra.evaluate.cold_start import LEARNED, PLAIN, POLICIES
from infra.evaluate.ratings import read
from infra.serving.tuning import settle
from policies.ratings.factors import rmse, train, without
from policies.ratings.table import Ratings
from tests.benchmarks.learning.movielens import movielens

OUT: Final = Path("build/learning/cold_start.json")
SHOTS: Final = (0, 1, 2, 5, 10, 20)
TOLD: Final = (0, 5, 20)
HELD_OUT: Final = 0.2


def run(given: Ratings, seed: int) -> dict[str, dict[int, float]]:
    """RMSE by policy and shots, as `tradewind evaluate cold-start` measures it; the model is learned once for all."""
    users, items = int(given.user.max()) + 1, int(given.item.max()) + 1
    held = np.random.default_rng(seed).permutation(users)[: round(HELD_OUT * users)]
    known, judged = without(given, held.astype(np.int64))
    model = train(known, items=items, shots=TOLD, seed=seed, tell=lambda _said: None)
    raters = {name: make(known, items) for name, make in PLAIN.items()}
    raters |= {name: make(model, known, np.random.default_rng([seed, 4])) for name, make in LEARNED.items()}
    return {
        name: {shots: rmse(raters[name].adapt, raters[name].predict, judged, shots, TOLD) or 0.0 for shots in SHOTS}
        for name in POLICIES
    }


def measured(policy: str, runs: list[dict[str, dict[int, float]]]) -> dict[str, Any]:
    """RMSE by shots: the mean over seeds, its standard error, and each seed's."""
    told: dict[str, Any] = {}
    for shots in SHOTS:
        each = [one[policy][shots] for one in runs]
        error = float(np.std(each, ddof=1) / len(each) ** 0.5) if len(each) > 1 else None
        told[str(shots)] = {"rmse": float(np.mean(each)), "standard_error": error, "by_seed": each}
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one seed")
    parser.add_argument("--seeds", type=int, default=10)
    given = parser.parse_args()
    settle()
    seeds = 1 if given.quick else given.seeds
    ratings = read(movielens())
    runs = [run(ratings, seed) for seed in range(seeds)]
    print(f"RMSE over {seeds} seeds, after {TOLD} ratings", flush=True)
    found: dict[str, Any] = {}
    for policy in POLICIES:
        found[policy] = measured(policy, runs)
        errors = [found[policy][str(shots)]["standard_error"] or 0.0 for shots in TOLD]
        means = [found[policy][str(shots)]["rmse"] for shots in TOLD]
        print(f"  {policy:<16}", *(f"{m:.4f} ± {e:.4f}" for m, e in zip(means, errors, strict=True)), flush=True)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_bytes(orjson.dumps({"seeds": seeds, "rmse": found}, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
