"""Writes a small log for docs/ope.md: `python -m tests.benchmarks.example_log 3000 > log.jsonl`."""

import argparse

import numpy as np
import orjson

from tests.benchmarks.coverage import softmax


def lines(n: int, seed: int) -> list[bytes]:
    """Three actions; the target prefers what the logger avoids. The reward model is a little off."""
    rng = np.random.default_rng(seed)
    x = rng.random((n, 3))
    logging, target = softmax(x), softmax(-x)
    earns = 0.2 + 0.5 * x * np.arange(1, 4) / 3
    told: list[bytes] = []
    for i in range(n):
        action = int(rng.choice(3, p=logging[i]))
        line = {
            "decision_id": f"d{i}",
            "user_id": f"u{i % 500}",
            "action": action,
            "propensity": float(logging[i, action]),
            "target_propensity": float(target[i, action]),
            "reward": int(rng.random() < earns[i, action]),
            "reward_model": (0.05 + 0.9 * earns[i]).tolist(),
            "target_distribution": target[i].tolist(),
        }
        told.append(orjson.dumps(line))
    return told


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines", type=int)
    parser.add_argument("--seed", type=int, default=3)
    given = parser.parse_args()
    for line in lines(given.lines, given.seed):
        print(line.decode())  # noqa: T201 # its output


if __name__ == "__main__":
    main()
