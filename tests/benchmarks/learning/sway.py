"""How far each feature spreads within a slate: by that the training sets precisions (policies/slates/training.py).

    python -m tests.benchmarks.learning.sway [--seeds N] [--first SEED] [--journey HOUSEHOLDS] [--judged HOUSEHOLDS]

The live agents run over drawn shops and Complete Journey households, as in `history`; what is told is the root of the
mean variance of a feature among a slate's candidates. Slates of the first `--judged` households are left out, since
those are what slates are judged on.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
from collections.abc import Collection, Iterator
from typing import Any, Final

import numpy as np
import orjson

from infra.demo.cache import load
from infra.demo.journey import Subset
from infra.evaluate.shop_log import Log, log_of
from infra.serving.tuning import settle
from policies.linalg import Floats
from policies.slates.recommend import FEATURES, PRIOR
from streams.topics import DECISIONS
from tests.benchmarks.learning.history import journey_log, outputs, shops

JUDGED: Final = 150


def variances(log: Log, without: Collection[str] = ()) -> Iterator[Floats]:
    """The variance of each feature among the candidates of each slate [d], but for those of some users."""
    for made in outputs(log, said=True):
        if made.topic is not DECISIONS or made.value is None:
            continue
        told: dict[str, Any] = orjson.loads(made.value)
        if told["entity"] not in without and len(told["candidates"]) > 1:
            phi = np.array(told["features"]["phi"], dtype=np.float64) / told["features"]["unit"]
            yield phi.var(axis=0)


def spread(found: list[Floats]) -> Floats:
    """The root of the mean variance: [d]; 0 where no slate was asked for."""
    return np.sqrt(np.mean(found, axis=0)) if found else np.zeros(len(FEATURES))


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--seeds", type=int, default=6, help="drawn shops")
    given.add_argument("--first", type=int, default=400, help="the seed of the first one, among the unseen")
    given.add_argument("--journey", type=int, default=190, help="households of Complete Journey; 0: none")
    given.add_argument("--judged", type=int, default=JUDGED, help="the first so many are left out")
    asked = given.parse_args()
    settle()
    logs = [log for shop in shops(asked.seeds, asked.first) if (log := log_of(shop)) is not None]
    drawn = spread([spread(list(variances(log))) ** 2 for log in logs])
    real = spread([])
    if asked.journey:
        judged = set(load(Subset(households=asked.judged)).households.tolist())
        real = spread(list(variances(journey_log(asked.journey), judged)))
    print(f"{'feature':18} {'drawn shops':>12} {'journey':>9} {'precision':>10}")
    for row, name in enumerate(FEATURES):
        print(f"{name:18} {drawn[row]:12.3f} {real[row]:9.3f} {PRIOR['precision'][row][row]:10.0f}")


if __name__ == "__main__":
    main()
