"""Vowpal Wabbit as a player of the bandit's tasks: a program of its own that answers lines on its standard input.

    python vowpal.py TASKS.npz  '{"options": "--squarecb", "scaled": false, "crossed": false}'

Each line names the first and last task to play; the answer is one line of JSON: the regret of each, the CPU seconds of
choosing (making and reading the text, predicting) and of learning. Examples are read once for both, which is the
fastest use of its Python interface.
"""

import json
import sys
from random import Random
from time import process_time
from typing import Any

import numpy as np

WORST, BEST = -5.0, 5.0  # rewards between which costs are scaled into [0, 1], where its exploration expects them


class Player:
    def __init__(self, tasks: str, how: dict[str, Any]) -> None:
        import vowpalwabbit  # pyright: ignore[reportMissingImports] # it lives in an environment of its own

        self.scaled, self.crossed = bool(how["scaled"]), bool(how["crossed"])
        crossing = "--interactions ft" if self.crossed else ""
        options = f"--cb_explore_adf {how['options']} {crossing} --quiet --random_seed 1"
        self.vw: Any = vowpalwabbit.Workspace(options)  # pyright: ignore[reportUnknownMemberType]
        self.told: Any = np.load(tasks)
        self.dice = Random(1)

    def play(self, number: int) -> tuple[float, float, float]:
        """Regret of one task, and the seconds of choosing and of learning."""
        actions, rewards = self.told["actions"][number].tolist(), self.told["rewards"][number].tolist()
        expected = self.told["expected"][number]
        regret = choosing = learning = 0.0
        for round_, rows in enumerate(actions):
            began = process_time()
            examples, taken, propensity = self.choose(rows, number)
            middle = process_time()
            self.learn(examples, taken, propensity, rewards[round_][taken])
            choosing += middle - began
            learning += process_time() - middle
            regret += float(expected[round_].max() - expected[round_, taken])
        return regret, choosing, learning

    def choose(self, rows: list[list[float]], number: int) -> tuple[Any, int, float]:
        task = f" |t {number}" if self.crossed else ""
        examples = self.vw.parse(["|f " + " ".join(f"{i}:{x:.6g}" for i, x in enumerate(row)) + task for row in rows])
        shares = self.vw.predict(examples)
        aim, taken = self.dice.random() * sum(shares), 0
        while taken < len(shares) - 1 and aim >= shares[taken]:
            aim -= shares[taken]
            taken += 1
        return examples, taken, shares[taken]

    def learn(self, examples: Any, taken: int, propensity: float, reward: float) -> None:
        cost = min(1.0, max(0.0, (BEST - reward) / (BEST - WORST))) if self.scaled else -reward
        examples[taken].set_label_string(f"0:{cost:.6g}:{propensity:.6g}")
        self.vw.learn(examples)
        self.vw.finish_example(examples)


def main() -> None:
    player = Player(sys.argv[1], json.loads(sys.argv[2]))
    for line in sys.stdin:
        first, last = (int(word) for word in line.split())
        played = [player.play(number) for number in range(first, last)]
        regret = [one[0] for one in played]
        told = {"regret": regret, "choosing": sum(one[1] for one in played), "learning": sum(one[2] for one in played)}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
