"""Ten million outcomes, one after another, through the beliefs in full: how far they end from the exact ones.

    python -m tests.benchmarks.learning.updates [--updates N]

Nearly collinear contexts, which is where rounding hurts. `gaussian`: N updates, of 100 entities at a time. `runs`: N/10
of a single entity with hypotheses, against the exact posterior from its likeliest run's sums. Writes
build/learning/updates.json.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
from pathlib import Path
from time import process_time
from typing import Any, Final

import numpy as np
import orjson

from infra.serving.tuning import settle
from policies.bandit.hierarchy import LinearPrior, Sums
from policies.beliefs.gaussian import Evidence, Posterior, Prior
from policies.beliefs.runs import Runs, Start
from policies.linalg import Floats

OUT: Final = Path("build/learning/updates.json")
D, ENTITIES, CHUNK = 6, 100, 1000


def contexts(rng: np.random.Generator, n: int) -> Floats:
    return 1.0 + 1e-3 * rng.normal(size=(n, D))


def solved(matrix: Floats, right: Floats) -> Floats:
    return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)


def gaussian(updates: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    evidence = Evidence.none(D, ENTITIES)
    squares, products, seconds = np.zeros((D, D)), np.zeros(D), 0.0  # of the first entity, in extended precision
    squares, products = squares.astype(np.longdouble), products.astype(np.longdouble)
    for _ in range(max(1, updates // ENTITIES // CHUNK)):
        phi = contexts(rng, CHUNK * ENTITIES).reshape(CHUNK, ENTITIES, D).transpose(0, 2, 1).copy()
        y = phi.sum(axis=1) + rng.normal(size=(CHUNK, ENTITIES))
        began = process_time()
        for now, paid in zip(phi, y, strict=True):
            evidence = evidence.learn(now, paid, noise=1.0)
        seconds += process_time() - began
        first, told = phi[:, :, 0].astype(np.longdouble), y[:, 0].astype(np.longdouble)
        squares, products = squares + first.T @ first, products + first.T @ told
    posterior = Posterior.of(Prior(mean=np.zeros(D), precision=np.eye(D)), evidence)
    whole: Floats = np.asarray(squares + np.eye(D), dtype=np.float64)
    exact = solved(whole, np.asarray(products, dtype=np.float64))
    done = max(1, updates // ENTITIES // CHUNK) * CHUNK * ENTITIES
    return {
        "updates": done,
        "microseconds": 1e6 * seconds / done,
        "furthest": float(np.abs(posterior.mean[:, 0] - exact).max()),
        "least_pivot": float(posterior.pivots.min()),
    }


def runs(updates: int) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    prior = LinearPrior.flat(D, hazard=0.001)
    one, seconds, done = Runs.starting(Start.of(prior)), 0.0, 0
    while done < updates:
        phi = contexts(rng, CHUNK)
        y = (phi.sum(axis=1) + rng.normal(size=CHUNK)).tolist()
        began = process_time()
        for now, paid in zip(phi, y, strict=True):
            one.learn(now, paid)
        seconds += process_time() - began
        done += CHUNK
    best = int(np.argmax(one.weights))
    sums = Sums(one.sums[best : best + 1], D)
    precision = np.linalg.inv(prior.covariance)
    exact = solved(np.asarray(precision + sums.squares[0] / prior.noise), sums.products[0] / prior.noise)
    return {
        "updates": done,
        "microseconds": 1e6 * seconds / done,
        "furthest": float(np.abs(one.known[best, :, D] - exact).max()),
        "weights_sum": sum(one.weights),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=10_000_000)
    given = parser.parse_args()
    settle()
    told = {"gaussian": gaussian(given.updates), "runs": runs(given.updates // 10)}
    for name, row in told.items():
        print(name, "  ".join(f"{part}: {value:.4g}" for part, value in row.items()))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
