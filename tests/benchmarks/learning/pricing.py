"""Dynamic pricing: our prior five ways beside plain rules, as regret against the best price.

    python -m tests.benchmarks.learning.pricing [--quick] [--seeds N]

Products of one population come one after another, 100 periods each, on one ladder of prices and moved at most four
steps at once. Regret per product in money over all and over the last half of the products, ± the deviation over seeds;
the share of the best price's profit that was lost; and, as a share of the oracle prior's, the ratio of means, and that
of each seed. Writes build/learning/pricing.json.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from infra.evaluate.pricing import POLICIES, lost_by
from infra.serving.tuning import settle
from policies.linalg import Floats
from policies.tasks.shopper import Drift

OUT: Final = Path("build/learning/pricing.json")
DRIFTS: Final[tuple[Drift, ...]] = ("none", "midtask")
PERIODS: Final = 100
MAX_STEPS: Final = 4
FIRST_SEED: Final = 1_000  # training and choosing were done on others
ORACLE: Final = "oracle-prior"


def played(policy: str, drift: Drift, seeds: range, products: int) -> Floats:
    """[seeds, products, 2, periods] money lost, and the best price's profit."""
    sys.stderr.write(f"{drift}: {policy}\n")
    return np.stack(
        [
            lost_by(policy, seed=seed, periods=PERIODS, products=products, max_steps=MAX_STEPS, drift=drift)[0]
            for seed in seeds
        ]
    )


def table(drift: Drift, seeds: range, products: int) -> dict[str, Any]:
    found = {policy: played(policy, drift, seeds, products) for policy in POLICIES}
    oracle = found[ORACLE]
    return {policy: _row(lost, oracle) for policy, lost in found.items()}


def _row(lost: Floats, oracle: Floats) -> dict[str, Any]:
    late = lost.shape[1] // 2
    of_seed, of_late = (_regret(lost[:, first:]) for first in (0, late))
    of_oracle = _regret(oracle[:, late:])
    return {
        "regret": float(of_seed.mean()),
        "deviation": float(of_seed.std(ddof=1)),
        "late": float(of_late.mean()),
        "late_deviation": float(of_late.std(ddof=1)),
        "share": float(lost[:, :, 0].sum() / lost[:, :, 1].sum()),
        "late_ratio": float(of_late.mean() / of_oracle.mean()),
        "late_ratio_by_seed": (of_late / of_oracle).tolist(),
        "curve": lost[:, late:, 0].mean(axis=(0, 1)).tolist(),
    }


def _regret(lost: Floats) -> Floats:
    """[seeds] money lost on a product over all its periods."""
    return lost[:, :, 0].sum(axis=2).mean(axis=1)


def show(title: str, found: dict[str, Any]) -> None:
    print(f"\n{title}\n{'policy':<16}{'regret':>16}{'last half':>17}{'lost':>8}{'/ oracle':>10}  by seed, last half")
    for name, row in found.items():
        spread = " ".join(f"{one:.2f}" for one in row["late_ratio_by_seed"])
        regret = f"{row['regret']:>9.1f} ±{row['deviation']:>5.1f}{row['late']:>10.1f} ±{row['late_deviation']:>5.1f}"
        print(f"{name:<16}{regret}{row['share']:>8.2%}{row['late_ratio']:>10.2f}  {spread}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two seeds of twenty products")
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    settle()
    products = 20 if given.quick else 100
    seeds = range(FIRST_SEED, FIRST_SEED + max(2, 2 if given.quick else given.seeds))
    told: dict[str, Any] = {"products": products, "seeds": list(seeds), "regret": {}}
    for drift in DRIFTS:
        told["regret"][drift] = found = table(drift, seeds, products)
        show(f"{products} products of {PERIODS} periods, {len(seeds)} seeds, drift {drift}", found)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
