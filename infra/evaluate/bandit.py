"""`tradewind evaluate bandit`: regret per task in a stream of linear bandits that come from one population.

Every policy meets the same tasks with the same noise. Nothing is learned beforehand: what a policy knows of the
population, it has from the tasks before. The generic rules that look ahead are told that choices have no consequences.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any, Final, Literal

import numpy as np

from infra.errors import UserError
from policies.bandit.hierarchy import LinearPrior
from policies.bandit.meta_bandit import flat, meta, oracle, pooled
from policies.baselines.counting import UCB1, Popularity
from policies.baselines.deep_q import DeepQ
from policies.baselines.linear import EpsilonGreedy, LinearThompson, LinUCB, greedy_rule
from policies.baselines.meta_gradient import MetaGradient
from policies.baselines.policy_gradient import ActorCritic, Reinforce
from policies.baselines.tabular import QLearning, Sarsa
from policies.contract import Policy
from policies.linalg import Floats
from policies.tasks.shopper import Shoppers, population, task
from policies.tasks.shopping import serve_one

MAX_NUMBERS: Final = 50_000_000  # features of one task that are drawn at once

Make = Callable[[Shoppers, int], Policy]


def _inputs(shoppers: Shoppers) -> int:
    """What a network sees: no state, an action's features, and a one."""
    return shoppers.dim + 1


def _ours() -> dict[str, Make]:
    return {
        "meta": lambda shoppers, _: meta(shoppers.dim),
        "flat-prior": lambda shoppers, _: flat(shoppers.dim),
        "oracle-prior": lambda shoppers, _: oracle(_truth(shoppers)),
        "none": lambda shoppers, _: pooled(shoppers.dim),
        "meta-thompson": lambda shoppers, _: meta(shoppers.dim, rule="thompson"),
    }


def _classical() -> dict[str, Make]:
    return {
        "popularity": lambda _shoppers, _seed: Popularity(),
        "greedy": lambda _shoppers, _seed: greedy_rule(),
        "epsilon-greedy": lambda _shoppers, _seed: EpsilonGreedy(),
        "ucb1": lambda _shoppers, _seed: UCB1(),
        "linucb": lambda _shoppers, _seed: LinUCB(),
        "linear-thompson": lambda _shoppers, _seed: LinearThompson(),
        "q-learning": lambda _shoppers, _seed: QLearning(discount=0.0),
        "sarsa": lambda _shoppers, _seed: Sarsa(discount=0.0),
    }


def _deep() -> dict[str, Make]:
    return {
        "dqn": lambda shoppers, seed: DeepQ(inputs=_inputs(shoppers), seed=seed, discount=0.0),
        "double-dqn": lambda shoppers, seed: DeepQ(inputs=_inputs(shoppers), seed=seed, discount=0.0, double=True),
        "reinforce": lambda shoppers, seed: Reinforce(inputs=_inputs(shoppers), seed=seed, discount=0.0),
        "actor-critic": lambda shoppers, seed: ActorCritic(inputs=_inputs(shoppers), seed=seed, discount=0.0),
        "maml": lambda shoppers, seed: MetaGradient(inputs=_inputs(shoppers), seed=seed, through=True),
        "reptile": lambda shoppers, seed: MetaGradient(inputs=_inputs(shoppers), seed=seed, through=False),
    }


def _truth(shoppers: Shoppers) -> LinearPrior:
    hazard = min(0.5, shoppers.hazard)
    return LinearPrior(mean=shoppers.mean, covariance=shoppers.covariance, noise=shoppers.noise**2, hazard=hazard)


MAKERS: Final[dict[str, Make]] = _ours() | _classical() | _deep()
POLICIES: Final = tuple(MAKERS)


def evaluate(
    *, policy: str, seed: int, tasks: int, rounds: int, arms: int, dim: int, drift: Literal["none", "midtask"]
) -> dict[str, Any]:
    """Regret per task of a policy, over all tasks and by ranges, and the oracle prior's on the same tasks beside it."""
    if rounds * arms * dim > MAX_NUMBERS:
        raise UserError(f"--rounds × --arms × --dim is {rounds * arms * dim:,}; at most {MAX_NUMBERS:,} are drawn")
    shoppers = population(dim=dim, arms=arms, rounds=rounds, drift=drift, seed=seed)
    regret, seconds = run(policy, shoppers, tasks, seed)
    oracle = regret if policy == "oracle-prior" else run("oracle-prior", shoppers, tasks, seed)[0]
    return {
        "regret_per_task": float(regret.mean()),
        "oracle_regret_per_task": float(oracle.mean()),
        "regret_by_tasks": _by_range(regret),
        "oracle_regret_by_tasks": _by_range(oracle),
        "tasks": tasks,
        "rounds": rounds,
        "arms": arms,
        "dim": dim,
        "drift": drift,
        "microseconds_per_decision": 1e6 * seconds / (tasks * rounds),
    }


def run(policy: str, shoppers: Shoppers, tasks: int, seed: int) -> tuple[Floats, float]:
    """The regret of each task [N], and the seconds of choosing and learning."""
    from rich.console import Console
    from rich.progress import track

    rule = MAKERS[policy](shoppers, seed)
    regret, seconds = np.zeros(tasks), 0.0
    console = Console(stderr=True)
    for number in track(range(tasks), policy, console=console, transient=True, disable=not console.is_terminal):
        drawn = task(shoppers, number)
        began = perf_counter()
        regret[number] = serve_one(rule, drawn, f"shopper-{number}", number * shoppers.rounds).sum()
        seconds += perf_counter() - began
    return regret, seconds


def _by_range(regret: Floats) -> dict[str, float]:
    """Regret per task of each hundred tasks, or of each half where there are no more than a hundred."""
    width = 100 if len(regret) > 100 else max(1, (len(regret) + 1) // 2)
    starts = range(0, len(regret), width)
    return {
        f"{first}-{min(first + width, len(regret))}": float(regret[first : first + width].mean()) for first in starts
    }
