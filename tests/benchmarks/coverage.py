"""How often intervals hold the true value, on simulated logs whose value is known.

    python -m tests.benchmarks.coverage --runs 500

One line per kind of log and length: the share of runs in which each interval held the truth, in percent, with its
median width. `ips`, `snips`, `clipped-ips`, `dr` are the intervals that are shown first (low, high); what
follows are the other intervals of IPS. `always` is the share of runs in which the confidence sequence held the truth at
every one of the looks, from the 10th decision on.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from policies.estimators.judged import Judged
from policies.estimators.logged import Floats, Logged
from policies.estimators.sequence import Sequence
from policies.estimators.terms import Terms

SHOWN: Final = ("ips", "snips", "clipped-ips", "dr")
OTHERS: Final = ("asymptotic", "bootstrap", "empirical-bernstein", "confidence-sequence")
LOOKS: Final = 25
_LARGE: Final = 400_000  # contexts that the truth is averaged over


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """For n contexts: what both policies would do, and what comes of it."""

    logging: Floats  # [n, K]
    target: Floats  # [n, K]
    mean: Floats  # [n, K] expected reward


Maker = Callable[[int, np.random.Generator], World]


def softmax(logits: Floats) -> Floats:
    """[n, K] → [n, K]"""
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _logits(n: int, actions: int, dim: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    x = rng.normal(size=(n, dim))
    return x, x @ np.linspace(-1, 1, actions * dim).reshape(actions, dim).T


def light(n: int, rng: np.random.Generator) -> World:
    """Two policies not far from each other."""
    x, logits = _logits(n, 5, 3, rng)
    return World(logging=softmax(0.5 * logits), target=softmax(-0.4 * logits), mean=softmax(x[:, :1] * np.arange(5.0)))


def apart(n: int, rng: np.random.Generator) -> World:
    """Policies that prefer opposite actions; the logger explores 5%. Weights up to some hundreds."""
    x = rng.normal(size=(n, 4))
    logits = x @ np.random.default_rng(5).normal(size=(20, 4)).T
    mean = 1 / (1 + np.exp(1 - x[:, :1] * np.linspace(-1, 1, 20)))
    return World(logging=0.95 * softmax(logits) + 0.05 / 20, target=softmax(-0.7 * logits), mean=mean)


def pareto(tail: float) -> Maker:
    """One of two actions is wanted, and logged with p = u^(1/(tail − 1)), so that P(w > x) falls as x^−tail.

    The variance of the weights is infinite for a tail of 2 and below.
    """

    def made(n: int, rng: np.random.Generator) -> World:
        u = 1 - rng.random(n)
        p = np.maximum(u ** (1 / (tail - 1)), 1e-12)
        wanted = np.stack([np.ones(n), np.zeros(n)], axis=1)
        return World(
            logging=np.stack([p, 1 - p], axis=1), target=wanted, mean=np.stack([0.3 + 0.4 * u, np.full(n, 0.5)], axis=1)
        )

    return made


def rare(n: int, rng: np.random.Generator) -> World:
    """A click in fifty slates."""
    _, logits = _logits(n, 10, 2, rng)
    mean = np.broadcast_to(0.01 + 0.02 * np.arange(10) / 10, (n, 10))
    return World(logging=softmax(0.5 * logits), target=softmax(1.5 * logits), mean=mean)


def negative(n: int, rng: np.random.Generator) -> World:
    """Rewards around −2, of any size."""
    x, logits = _logits(n, 5, 3, rng)
    mean = -2 + x[:, :1] * np.linspace(-1, 1, 5)
    return World(logging=softmax(0.7 * logits), target=softmax(-0.7 * logits), mean=mean)


WORLDS: Final[dict[str, Maker]] = {
    "light": light,
    "apart": apart,
    "tail 3.5": pareto(3.5),
    "tail 2.5": pareto(2.5),
    "tail 2.1": pareto(2.1),
    "rare": rare,
    "negative": negative,
}


def log_of(name: str, n: int, seed: int) -> Logged:
    """A log of n decisions. Its reward model is off by a tenth and more."""
    rng = np.random.default_rng([seed, n])
    world = WORLDS[name](n, rng)
    row = np.arange(n)
    action = (world.logging.cumsum(axis=1) < rng.random((n, 1)) * world.logging.sum(axis=1)[:, None]).sum(axis=1)
    expected = world.mean[row, action]
    noise = rng.normal(size=n)
    reward = expected + noise if name == "negative" else (rng.random(n) < expected).astype(np.float64)
    q = 0.9 * world.mean + 0.02
    v = (world.target * q).sum(axis=1)
    return Logged(
        reward=reward,
        propensity=world.logging[row, action],
        target_propensity=world.target[row, action],
        cluster=np.arange(n, dtype=np.uint64),
        q_logged=q[row, action],
        v_target=v,
    )


def truth(name: str) -> float:
    """The target policy's value."""
    if name.startswith("tail"):
        return 0.5  # E[0.3 + 0.4 u]
    world = WORLDS[name](_LARGE, np.random.default_rng(7))
    return float((world.target * world.mean).sum(axis=1).mean())


def held_always(rows: Logged, value: float, low: float, high: float) -> bool:
    """Whether the confidence sequence held the value at each of the looks."""
    for n in np.unique(np.geomspace(10, len(rows), LOOKS).astype(int)).tolist():
        down, up = Sequence.of(rows.weight[:n], rows.reward[:n], low, high).interval(0.95)
        if not down <= value <= up:
            return False
    return True


def measure(name: str, n: int, runs: int, replicates: int = 200) -> dict[str, tuple[float, float]]:
    """Coverage and median width by interval; of `ess` the median, of `always` the share."""
    value, ess = truth(name), np.zeros(runs)
    ends: dict[str, list[tuple[float, float]]] = {}
    always = 0
    for run in range(runs):
        rows = log_of(name, n, run)
        # Nobody knows the range of normal rewards: the widest that the sequence needs is taken, the rest is as seen.
        low, high = (float(rows.reward.min()), float(rows.reward.max())) if name == "negative" else (0.0, 1.0)
        given = Terms(reward_low=low, reward_high=high, replicates=replicates)
        found = Judged.of(rows, given).result()
        ess[run] = found.ess
        for estimator in SHOWN:
            ends.setdefault(estimator, []).append((found.estimators[estimator].low, found.estimators[estimator].high))
        for other in OTHERS:
            ends.setdefault(other, []).append(found.estimators["ips"].intervals[other])
        always += held_always(rows, value, low, high)
    told = {name: _held(np.array(pairs), value) for name, pairs in ends.items()}
    return {"ess": (float(np.median(ess)), 0.0), **told, "always": (always / runs, 0.0)}


def _held(pairs: Floats, value: float) -> tuple[float, float]:
    inside = (pairs[:, 0] <= value) & (value <= pairs[:, 1])
    return float(inside.mean()), float(np.median(pairs[:, 1] - pairs[:, 0]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--sizes", default="200,2000")
    parser.add_argument("--worlds", default=",".join(WORLDS))
    given = parser.parse_args()
    columns = (*SHOWN, *OTHERS, "always")
    print("| log | n | ESS |" + "".join(f" {c} |" for c in columns))  # noqa: T201 # its output
    print("|---|---|---|" + "---|" * len(columns))  # noqa: T201
    for name in given.worlds.split(","):
        for n in map(int, given.sizes.split(",")):
            found = measure(name, n, given.runs)
            cells = [f"{100 * found[c][0]:.1f}" + (f" ({found[c][1]:.3g})" if c != "always" else "") for c in columns]
            print(f"| {name} | {n} | {found['ess'][0]:.0f} | " + " | ".join(cells) + " |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
