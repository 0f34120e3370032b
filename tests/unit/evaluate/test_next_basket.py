"""`evaluate next-basket` judges every rule on the same baskets, says what it judged, and refuses what is no log."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.errors import UserError
from infra.evaluate.baskets import gathered
from infra.evaluate.next_basket import BASELINES, POLICIES, evaluate
from policies.tasks.shop import Basket, ShopTask, baskets

TASK = ShopTask(
    households=10, items=60, kinds=6, days=90, gap_days=4.0, size=2.0, faithful=0.7, skew=0.8, promotion=4.0, rests=0.0
)
AT = 1_700_000_000_000
DAY = 86_400_000


def line(topic: str, key: str, value: Any, at: int = AT) -> bytes:
    return orjson.dumps({"topic": topic, "key": key, "value": value, "timestamp": at}) + b"\n"


def bought(number: int, user: str, item: str, at: int, **more: Any) -> bytes:
    event = {"event_id": f"e{number}", "user_id": user, "type": "purchase", "occurred_at": at, "item_id": item, **more}
    return line("user-events", user, event, at)


def written(path: Path, log: list[Basket], *, orders: bool = False) -> Path:
    rows: list[bytes] = [line("catalog", f"i{n}", {"item_id": f"i{n}", "category": f"k{n % 6}"}) for n in range(60)]
    for number, (at, user, items) in enumerate(log):
        if orders:
            lines = [{"item_id": item, "location": "here", "quantity": 1} for item in items]
            order = {"order_id": f"o{number}", "user_id": user, "occurred_at": at, "lines": lines}
            rows.append(line("orders", f"o{number}", order, at))
        else:
            rows += [bought(1000 * number + n, user, item, at + n) for n, item in enumerate(items)]
    path.write_bytes(b"".join(rows))
    return path


@pytest.fixture(scope="module")
def log() -> list[Basket]:
    """Visits of one household minutes apart are one basket from the start."""
    return gathered([(at + n, user, item) for at, user, items in baskets(TASK, 1) for n, item in enumerate(items)])


def test_every_policy_is_judged_on_the_same_baskets(tmp_path: Path, log: list[Basket]) -> None:
    found = evaluate(policy="meta", seed=0, events=written(tmp_path / "log.jsonl", log), k=10)
    assert list(found["recall"]) == list(found["ndcg"]) == ["meta", *BASELINES]
    begins = log[0].at + 0.6 * (log[-1].at - log[0].at)
    had: dict[str, int] = {}
    judged = 0
    for at, user, _ in log:
        judged += at >= begins and had.get(user, 0) >= 3
        had[user] = had.get(user, 0) + 1
    assert found["baskets"] == found["cold"]["baskets"] == judged > 30
    items = {item for basket in log for item in basket.items}
    assert found["seen"] == {"baskets": len(log), "households": 10, "items": len(items), "kinds": 6}
    assert set(found["cold"]["by_known"]) == {"0", "1", "2"}
    assert all(0.0 < recall < 1.0 for recall in found["recall"].values())
    assert found["recall"]["personal-frequency"] > found["recall"]["global-popularity"]
    assert found["cold"]["by_known"]["0"]["personal-frequency"] == found["cold"]["by_known"]["0"]["global-popularity"]
    assert found["ahead"]["from"] <= found["ahead"]["by"] <= found["ahead"]["to"]


def test_orders_do_where_there_are_no_purchases(tmp_path: Path, log: list[Basket]) -> None:
    events = evaluate(policy="decayed-personal", seed=0, events=written(tmp_path / "a.jsonl", log), k=5)
    orders = evaluate(policy="decayed-personal", seed=0, events=written(tmp_path / "b.jsonl", log, orders=True), k=5)
    assert orders["recall"] == events["recall"]


@pytest.mark.parametrize("policy", [name for name in POLICIES if name != "meta"])
def test_every_name_runs(tmp_path: Path, log: list[Basket], policy: str) -> None:
    found = evaluate(policy=policy, seed=0, events=written(tmp_path / "log.jsonl", log[-60:]), k=3)
    assert policy in found["recall"]


def test_a_long_slate_is_filled_by_every_rule_there_is(tmp_path: Path, log: list[Basket]) -> None:
    found = evaluate(policy="none", seed=0, events=written(tmp_path / "log.jsonl", log), k=60)
    assert all(recall > 0.95 for recall in found["recall"].values())


def test_a_log_that_judges_nothing_says_why(tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_bytes(b"".join(bought(n, "u", "milk", AT + n) for n in range(3)))
    found = evaluate(policy="meta", seed=0, events=few, k=10)
    assert found["baskets"] == 0
    assert found["recall"]["meta"] is None
    assert "3 earlier ones" in found["why"]
    few.write_bytes(line("catalog", "milk", {"item_id": "milk", "category": "dairy"}))
    assert "no purchase" in evaluate(policy="meta", seed=0, events=few, k=10)["why"]


BAD = pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"{not json\n", "line 2"),
        (b'{"topic":"user-events","key":"u","value":{"price":NaN},"timestamp":0}\n', "line 2"),
        (bought(1, "u", "milk", AT, price=-1.0), "message 2"),
        (bought(1, "u", "milk", 5), "message 2"),
        (line("user-events", "u", {"user_id": "u"}), "message 2"),
        (b'{"event_id":"e","user_id":"u","type":"purchase"}\n', "line 2.*as export writes it"),
    ],
)


@BAD
def test_a_file_of_bad_records_is_refused(tmp_path: Path, bad: bytes, reason: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(bought(0, "u", "milk", AT) + bad)
    with pytest.raises(UserError, match=reason):
        evaluate(policy="meta", seed=0, events=path, k=10)


@BAD
def test_a_few_bad_records_are_counted_and_the_first_is_named(tmp_path: Path, bad: bytes, reason: str) -> None:
    few, good = tmp_path / "few.jsonl", b"".join(bought(1000 + n, "u", f"i{n}", AT + n * DAY) for n in range(30))
    few.write_bytes(bought(0, "u", "milk", AT) + bad + good + bad)
    found = evaluate(policy="global-popularity", seed=0, events=few, k=10)
    assert found["bad_records"] == 2
    assert re.search(reason.removesuffix(".*as export writes it"), found["first_bad_record"])
    few.write_bytes(bought(0, "u", "milk", AT) + good)
    whole = evaluate(policy="global-popularity", seed=0, events=few, k=10)
    assert whole["bad_records"] == 0
    assert "first_bad_record" not in whole
    assert found["recall"] == whole["recall"]


def test_no_file_and_an_empty_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be read"):
        evaluate(policy="meta", seed=0, events=tmp_path / "none.jsonl", k=10)
    (tmp_path / "empty.jsonl").write_bytes(b"")
    with pytest.raises(UserError, match="is empty"):
        evaluate(policy="meta", seed=0, events=tmp_path / "empty.jsonl", k=10)


def test_purchases_close_together_are_one_basket() -> None:
    minute = 60_000
    rows = [(0, "u", "a"), (9 * minute, "u", "b"), (5 * minute, "v", "a"), (11 * minute, "u", "c"), (1, "u", "a")]
    assert gathered(rows) == [
        Basket(0, "u", ["a", "b"]),
        Basket(5 * minute, "v", ["a"]),
        Basket(11 * minute, "u", ["c"]),
    ]
