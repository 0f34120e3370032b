"""What one slate costs: 10 of 100 candidates with exact propensities, 256 at once, on one core."""

import time
from typing import Final

import numpy as np
import torch

from policies.slates.evidence import Evidence
from policies.slates.recommend import FEATURES, prior_of, quantise, query
from policies.slates.slate import MAX_CANDIDATES, Query, choose
from policies.version import SHIPPED
from tests.benchmarks.engine.bench import Bench, Findings
from tests.benchmarks.engine.spread import Spread
from tests.benchmarks.engine.table import Row

BATCH: Final = 256
SIZE: Final = 10
TARGET_US: Final = 60.0


def queries() -> list[Query]:
    """Shares and ratios as the features are, for users with some evidence."""
    random = np.random.default_rng(7)
    made: list[Query] = []
    for seed in range(BATCH):
        phi = random.beta(0.5, 4.0, (MAX_CANDIDATES, len(FEATURES)))
        phi[:, 0] = 1.0
        evidence = Evidence()
        for _ in range(5):
            rewards = (random.random(SIZE) < 0.1).astype(np.float64)
            evidence.add(phi[:SIZE], rewards, noise=0.15, at=1, memory_ms=1e9)
        made.append(query(quantise(phi.T), evidence, seed, SIZE))
    return made


def measure(bench: Bench) -> Findings:
    """Processor time a slate, over many batches."""
    torch.set_num_threads(1)
    asked = queries()
    prior, temperature = prior_of(SHIPPED)
    choose(asked, prior, temperature)
    costs: list[float] = []
    for _ in range(20 if bench.quick else 100):
        before = time.process_time()
        choose(asked, prior, temperature)
        costs.append(1e6 * (time.process_time() - before) / BATCH)
    spread = Spread.of(costs)
    row = Row(
        measure=f"a slate of {SIZE} from {MAX_CANDIDATES}, batch {BATCH}, one core",
        target=f"≤ {TARGET_US:.0f} µs",
        measured=spread.text(".1f", " µs"),
        reached=spread.median <= TARGET_US,
    )
    return Findings(rows=[row], numbers={"us": costs})
