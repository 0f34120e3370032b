"""A policy serves shoppers, one task after another: what it chose fell short of the best by so much."""

from collections.abc import Iterator

import numpy as np

from policies.contract import Policy, Situation, Transition
from policies.linalg import Floats
from policies.tasks.shopper import Shoppers, Task, task

NOTHING: Floats = np.zeros(0)


def serve(policy: Policy, shoppers: Shoppers, tasks: int) -> Iterator[Floats]:
    """The regret of each round, task by task: [R]."""
    for number in range(tasks):
        yield serve_one(policy, task(shoppers, number), f"shopper-{number}", number * shoppers.rounds)


def serve_one(policy: Policy, drawn: Task, name: str, first_seed: int) -> Floats:
    """The regret of each round of one task: [R]."""
    situations = [Situation(entity=name, actions=actions, state=NOTHING) for actions in drawn.actions]
    taken: list[int] = []
    for number, before in enumerate(situations):
        choice = policy.choose(before, first_seed + number)
        taken.append(choice.action)
        policy.learn(
            Transition(
                before=before,
                action=choice.action,
                propensity=choice.propensity,
                reward=float(drawn.rewards[number, choice.action]),
                after=situations[number + 1] if number + 1 < len(situations) else None,
            )
        )
    return drawn.regret(taken)
