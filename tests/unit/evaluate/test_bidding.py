"""`tradewind evaluate bidding`: the figures of a file of auctions, and one sentence for a file that is none."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.errors import UserError
from infra.evaluate.bidding import POLICIES, evaluate
from policies.tasks.auctions import FACTS, Auctions, draw, hindsight


def _file(path: Path, given: Auctions) -> Path:
    lines = [json.dumps({"value": v, "price": p}) for v, p in zip(given.value, given.price, strict=True)]
    text = "\n".join(lines).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def _run(path: Path, budget: float, policy: str = "meta") -> dict[str, Any]:
    return evaluate(policy=policy, seed=0, auctions=path, budget=budget)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_keeps_the_budget(policy: str, tmp_path: Path) -> None:
    given = draw(FACTS, 300, 0.3, np.random.default_rng(0))
    found = _run(_file(tmp_path / "a.jsonl", given), given.budget, policy)
    assert found["overspend"] == 0.0
    assert found["spend"] <= given.budget
    assert found["auctions"] == 300
    assert found["hindsight_share"] == pytest.approx(found["value_won"] / hindsight(given))
    assert 0.5 < found["hindsight_share"] <= 1.0


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
