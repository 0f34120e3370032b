"""`tradewind evaluate pricing`: what it says, that it says it again, and that learning pays."""

from itertools import pairwise
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from infra.commands.evaluate import app
from infra.errors import UserError
from infra.evaluate.pricing import POLICIES, evaluate


def regret(policy: str, *, seed: int = 5, periods: int = 60, products: int = 25) -> dict[str, Any]:
    return evaluate(policy=policy, seed=seed, periods=periods, products=products, max_steps=4)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_gives_regret(policy: str) -> None:
    for drift in ("none", "midtask"):
        found = evaluate(policy=policy, seed=3, periods=8, products=3, max_steps=2, drift=drift)
        assert found["regret"] >= 0.0
        assert found["regret"] == pytest.approx(8 * found["regret_per_period"])
        assert found["profit_share"] <= 1.0
        assert list(found["regret_by_periods"]) == ["0-2", "2-4", "4-6", "6-8"]


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    once, again, other = (regret("meta", seed=seed, periods=9, products=4) for seed in (1, 1, 2))
    assert once == again
    assert once["regret"] != other["regret"]


def test_regret_falls_and_is_less_than_that_of_plain_rules() -> None:
    ours, greedy, fixed, told = (regret(name) for name in ("meta", "greedy", "none", "oracle-prior"))
    by_periods: list[float] = list(ours["regret_by_periods"].values())
    assert all(later < earlier for earlier, later in pairwise(by_periods[:3]))
    assert by_periods[-1] < 0.3 * by_periods[0]
    assert told["regret"] < ours["regret"] < 0.7 * greedy["regret"] < fixed["regret"]


def test_what_would_take_forever_is_refused_with_a_sentence() -> None:
    with pytest.raises(UserError, match="at most"):
        regret("meta", periods=10_000_000)


def test_the_command_prints_one_json_object_last() -> None:
    given = ["pricing", "--periods", "5", "--products", "2", "--policy", "greedy", "--seed", "4", "--json"]
    told = orjson.loads(CliRunner().invoke(app, given).stdout.splitlines()[-1])
    assert told["policy"] == "greedy"
    assert told["seed"] == 4
    assert {"regret", "regret_per_period", "profit_share", "seconds"} <= told.keys()
