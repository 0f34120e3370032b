"""`tradewind evaluate bidding`: the figures of a file of auctions, and one sentence for a file that is none."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.errors import UserError
from infra.evaluate.bidding import POLICIES, Auction, evaluate
from policies.tasks.auctions import FACTS, Auctions, draw, hindsight


def _file(path: Path, given: Auctions) -> Path:
    lines = [json.dumps({"value": v, "price": p}) for v, p in zip(given.value, given.price, strict=True)]
    text = "\n".join(lines).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def _run(path: Path, budget: float, policy: str = "meta", auction: Auction = "second-price") -> dict[str, Any]:
    return evaluate(policy=policy, seed=0, auctions=path, budget=budget, auction=auction)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_keeps_the_budget(policy: str, tmp_path: Path) -> None:
    given = draw(FACTS, 300, 0.3, np.random.default_rng(0))
    found = _run(_file(tmp_path / "a.jsonl", given), given.budget, policy)
    assert found["overspend"] == 0.0
    assert found["spend"] <= given.budget
    assert found["auctions"] == 300
    assert found["hindsight_share"] == pytest.approx(found["value_won"] / hindsight(given))
    assert 0.5 < found["hindsight_share"] <= 1.0


@pytest.mark.parametrize("policy", POLICIES)
def test_in_first_price_too_every_policy_keeps_the_budget(policy: str, tmp_path: Path) -> None:
    given = draw(FACTS, 300, 0.3, np.random.default_rng(0))
    found = _run(_file(tmp_path / "a.jsonl", given), given.budget, policy, "first-price")
    assert found["overspend"] == 0.0
    assert found["spend"] <= given.budget
    assert found["hindsight_value"] == pytest.approx(hindsight(given))
    assert 0.2 < found["hindsight_share"] < 0.9  # nobody who has to shade pays just the price


def test_in_first_price_shading_wins_more_than_pacing_alone(tmp_path: Path) -> None:
    given = draw(FACTS, 600, 0.1, np.random.default_rng(1))
    path = _file(tmp_path / "a.jsonl", given)
    names = ("oracle-prior", "meta", "dual-pacing-warm", "dual-pacing-cold", "none")
    told, ours, warm, cold, plain = (_run(path, given.budget, name, "first-price")["hindsight_share"] for name in names)
    assert told > warm
    assert told + 0.01 > ours > cold
    assert cold > 2.0 * plain


def test_a_value_may_be_made_up_of_what_a_campaign_wants(tmp_path: Path) -> None:
    """Clicks are dear where conversions are cheap, so the weights decide which of the two is bought."""
    path = tmp_path / "a.jsonl"
    kinds = ({"ctr": 0.2, "cvr": 0.01, "price": 1.0}, {"ctr": 0.05, "cvr": 0.1, "price": 1.0})
    path.write_text("\n".join(json.dumps(kinds[at % 2]) for at in range(200)))

    def won(objective: str) -> float:
        run = evaluate(policy="meta", seed=0, auctions=path, budget=100.0, objective=objective)
        assert run["value_won"] <= run["hindsight_value"]
        return run["hindsight_value"]

    assert won("ctr=1") == pytest.approx(100 * 0.2)
    assert won("cvr=1") == pytest.approx(100 * 0.1)
    assert won("ctr=1,cvr=10") == pytest.approx(100 * (0.05 + 1.0))


@pytest.mark.parametrize("objective", ["ctr", "ctr=-1", "ctr=x", "clicks=1", "", "ctr=nan"])
def test_an_objective_that_is_none_is_refused(objective: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"ctr": 1, "price": 1}')
    with pytest.raises(UserError, match="--objective"):
        evaluate(policy="meta", seed=0, auctions=path, budget=1.0, objective=objective)


def test_a_line_without_what_is_wanted_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"ctr": 1, "price": 1}')
    with pytest.raises(UserError, match="line 1: it has no `cvr`"):
        evaluate(policy="meta", seed=0, auctions=path, budget=1.0, objective="ctr=1,cvr=1")
    with pytest.raises(UserError, match="line 1: it has no `value`"):
        _run(path, 1.0)


def test_gzip_reads_the_same(tmp_path: Path) -> None:
    given = draw(FACTS, 100, 0.3, np.random.default_rng(1))
    plain, packed = (_file(tmp_path / name, given) for name in ("a.jsonl", "a.jsonl.gz"))
    assert _run(plain, given.budget) == _run(packed, given.budget)


def test_without_money_only_what_is_free_is_won(tmp_path: Path) -> None:
    given = Auctions(value=np.array([1.0, 2.0, 0.0]), price=np.array([0.0, 1.0, 1.0]), budget=0.0)
    found = _run(_file(tmp_path / "a.jsonl", given), 0.0)
    assert (found["value_won"], found["spend"], found["hindsight_share"]) == (1.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2"),
        ('{"value": 1.0}', "price"),
        ('{"value": NaN, "price": 1.0}', "line 2"),
        ('{"value": 1e999, "price": 1.0}', "line 2"),
        ('{"value": 1.0, "price": -0.1}', "the price must be from 0"),
        ('{"value": "1", "price": 1}', "line 2"),
        ("[1, 2]", "line 2"),
    ],
)
def test_a_malformed_line_is_named(line: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"value": 1, "price": 1}\n' + line)
    with pytest.raises(UserError, match=says):
        _run(path, 1.0)


@pytest.mark.parametrize(("name", "content"), [("no.jsonl", None), ("e.jsonl", b"\n\n"), ("bad.jsonl.gz", b"not gzip")])
def test_a_file_that_holds_nothing_is_refused(name: str, content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=name):
        _run(path, 1.0)


@pytest.mark.parametrize("budget", [-1.0, float("nan"), float("inf")])
def test_a_budget_is_a_number(budget: float, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="budget"):
        _run(tmp_path / "a.jsonl", budget)
