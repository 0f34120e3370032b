"""What a shop's own purchases teach the encoder of a user's history: served as it ships, and as the learner makes it.

    python -m tests.benchmarks.learning.encoder [--seeds N] [--first SEED] [--quick]

Drawn shops that no training has met, live agents over their logs (tests/benchmarks/learning/history.py), and beside
them the learner with its school of histories alone at work: each version that passes the gate serves from then on.
A version is a part of the dice, so what is asked where a visit begins, where attention has no say, shows what is
chance. Slates are judged on the later 70% of the log.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
import time
from functools import partial

from infra.serving.tuning import settle
from tests.benchmarks.learning.history import on_shops, served


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--seeds", type=int, default=12, help="drawn shops")
    given.add_argument("--first", type=int, default=400, help="the seed of the first one, among the unseen")
    given.add_argument("--quick", action="store_true", help="two shops, to see that it works")
    asked = given.parse_args()
    settle()
    began = time.process_time()
    ways = [partial(served, said=True, learner=learner) for learner in (False, True)]
    on_shops(2 if asked.quick else asked.seeds, asked.first, ways, ("shipped", "learned"))
    print(f"{time.process_time() - began:.0f} s of processor time")


if __name__ == "__main__":
    main()
