"""`tradewind evaluate bidding`: the figures of a file of auctions, and one sentence for a file that is none."""

import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infra.errors import UserError
from infra.evaluate.bidding import POLICIES, Auction, bidder, evaluate
from policies.bidding.flight import Bidder
from policies.tasks.auctions import FACTS, Account, Auctions, draw, hindsight


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


def test_in_first_price_shading_wins_more_than_pacing_alone() -> None:
    flights = [draw(FACTS, 500, 0.1, np.random.default_rng(seed)) for seed in range(2)]

    def share(policy: str, flight: Auctions) -> float:
        account = Account(flight.budget)
        rule = bidder(policy, flight, "first-price")
        account.fly(rule, flight.value, flight.price, first_price=True)
        return account.won / hindsight(flight)

    names = ("oracle-prior", "meta", "dual-pacing-warm", "dual-pacing-cold", "none")
    told, ours, warm, cold, plain = (float(np.mean([share(name, each) for each in flights])) for name in names)
    assert told > warm
    assert told + 0.01 > ours > cold
    assert cold > 2.0 * plain


@dataclass(slots=True)
class _Recorded:
    inner: Bidder
    bids: list[float] = field(default_factory=list[float])

    def bid(self, value: float, left: float) -> float:
        self.bids.append(self.inner.bid(value, left))
        return self.bids[-1]

    def learn(self, value: float, paid: float | None) -> None:
        self.inner.learn(value, paid)


@pytest.mark.parametrize("policy", ["meta", "flat-prior", "oracle-prior"])
@pytest.mark.parametrize("auction", ["second-price", "first-price"])
@settings(max_examples=3, deadline=None)
@given(money=st.floats(1e-6, 1e6), worth=st.floats(1e-6, 1e6))
@example(money=100.0, worth=100.0)
@example(money=1 / 7, worth=1 / 7)
def test_no_unit_changes_a_bid(auction: Auction, policy: str, money: float, worth: float) -> None:
    """Prices and the budget in another currency, values in another unit: the same bids, in that currency."""
    offered = draw(FACTS, 60, 0.3, np.random.default_rng(4))
    other = Auctions(value=offered.value * worth, price=offered.price * money, budget=offered.budget * money)

    def bids(given: Auctions) -> list[float]:
        rule = _Recorded(bidder(policy, given, auction))
        Account(given.budget).fly(rule, given.value, given.price, first_price=auction == "first-price")
        return rule.bids

    assert [each / money for each in bids(other)] == pytest.approx(bids(offered), rel=1e-6)


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


def test_earlier_campaigns_are_flown_first(tmp_path: Path) -> None:
    flights = [draw(FACTS, 200, 0.3, np.random.default_rng([8, seed])) for seed in range(3)]
    day, *before = (_file(tmp_path / f"{at}.jsonl", each) for at, each in enumerate(flights))
    alone, after = (
        evaluate(policy="meta", seed=0, auctions=day, budget=flights[0].budget, earlier=earlier)
        for earlier in ((), tuple(before))
    )
    assert (alone["earlier"], after["earlier"], after["overspend"]) == (0, 2, 0.0)
    assert after["auctions"] == 200
    assert after["hindsight_share"] > alone["hindsight_share"]


@pytest.mark.parametrize("given", [{"policy": "none"}, {"policy": "meta", "auction": "first-price"}])
def test_only_what_learns_from_earlier_campaigns_is_given_them(given: dict[str, Any], tmp_path: Path) -> None:
    path = _file(tmp_path / "a.jsonl", draw(FACTS, 20, 0.3, np.random.default_rng(0)))
    with pytest.raises(UserError, match="--earlier goes with --policy meta"):
        evaluate(seed=0, auctions=path, budget=1.0, earlier=(path,), **given)


def test_an_earlier_file_that_holds_nothing_is_named(tmp_path: Path) -> None:
    path = _file(tmp_path / "a.jsonl", draw(FACTS, 20, 0.3, np.random.default_rng(0)))
    (tmp_path / "b.jsonl").write_text("{")
    with pytest.raises(UserError, match=r"--earlier .*b\.jsonl, line 1"):
        evaluate(policy="meta", seed=0, auctions=path, budget=0.0, earlier=(tmp_path / "b.jsonl",))


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
