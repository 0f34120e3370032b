"""`tradewind evaluate bandit`: what it says, that it says it again, and that learning the population pays."""

import numpy as np
import orjson
import pytest
from typer.testing import CliRunner

from infra.commands.evaluate import app
from infra.errors import UserError
from infra.evaluate.bandit import POLICIES, evaluate
from policies.tasks.shopper import population, task

SMALL = {"tasks": 6, "rounds": 12, "arms": 4, "dim": 3}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("drift", ["none", "midtask"])
def test_every_policy_gives_regret(policy: str, drift: str) -> None:
    found = evaluate(policy=policy, seed=3, drift=drift, **SMALL)  # pyright: ignore[reportArgumentType]
    assert 0.0 <= found["regret_per_task"] < 100.0
    assert set(found["regret_by_tasks"]) == {"0-3", "3-6"}


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    once, again, other = (
        evaluate(policy="meta", seed=seed, drift="none", tasks=6, rounds=12, arms=4, dim=3) for seed in (1, 1, 2)
    )
    assert once["regret_per_task"] == again["regret_per_task"] != other["regret_per_task"]


def test_the_learned_prior_comes_near_the_oracles_and_the_flat_one_does_not() -> None:
    settings = {"tasks": 60, "rounds": 20, "arms": 10, "dim": 6}
    late = "30-60"
    met = evaluate(policy="meta", seed=11, drift="none", **settings)  # pyright: ignore[reportArgumentType]
    flat = evaluate(policy="flat-prior", seed=11, drift="none", **settings)  # pyright: ignore[reportArgumentType]
    assert met["regret_by_tasks"][late] < 1.5 * met["oracle_regret_by_tasks"][late]
    assert flat["regret_by_tasks"][late] > 2.0 * flat["oracle_regret_by_tasks"][late]


@pytest.mark.parametrize(("tasks", "rounds", "arms", "dim"), [(1, 1, 2, 1), (2, 1, 2, 40), (3, 5, 60, 2)])
def test_odd_sizes_are_played(tasks: int, rounds: int, arms: int, dim: int) -> None:
    for drift in ("none", "midtask"):
        found = evaluate(policy="meta", seed=0, tasks=tasks, rounds=rounds, arms=arms, dim=dim, drift=drift)
        assert np.isfinite(found["regret_per_task"])


def test_what_would_not_fit_in_memory_is_refused_with_a_sentence() -> None:
    with pytest.raises(UserError, match="at most"):
        evaluate(policy="meta", seed=0, tasks=1, rounds=10_000_000, arms=100, dim=10, drift="none")


def test_the_command_prints_one_json_object_last() -> None:
    given = ["bandit", "--tasks", "3", "--rounds", "5", "--arms", "3", "--dim", "2", "--policy", "linucb", "--json"]
    told = orjson.loads(CliRunner().invoke(app, given).stdout.splitlines()[-1])
    assert told["policy"] == "linucb"
    assert told["regret_per_task"] >= 0.0


def test_a_task_changes_once_in_its_middle_half_or_never() -> None:
    drifting = population(dim=3, arms=4, rounds=40, drift="midtask", seed=0)
    calm = population(dim=3, arms=4, rounds=40, drift="none", seed=0)
    changes = [task(drifting, number).changes_at for number in range(50)]
    assert all(at is not None and 10 <= at <= 30 for at in changes)
    assert len(set(changes)) > 5
    assert task(calm, 0).changes_at is None
    assert task(drifting, 3).regret(task(drifting, 3).expected.argmax(axis=1).tolist()).max() == 0.0
