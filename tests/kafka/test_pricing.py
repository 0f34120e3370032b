"""Prices on the real broker: reviews in, changes out, each decision once though the worker is killed in between."""

from collections.abc import Generator
from pathlib import Path

import orjson
import pytest

from agents.wiring import FLOWS
from infra.provision import ensure
from infra.settings import load
from streams.times import DAY
from tests.kafka.harness import AT, Setting, committed, placed, send, values

PRICING = ("-c", "from infra.cli import main; main(['worker', '--agents', 'pricing'])")
LIMITS = {"floor": 2, "ceiling": 6, "step": 0.5, "max_steps": 2, "hold_days": 1}
ITEM = {"item_id": "tea", "category": "c", "unit_cost": 1, "pricing": LIMITS}


@pytest.fixture
def setting(broker: str, prefix: str, tmp_path: Path) -> Generator[Setting]:
    with placed(broker, prefix, tmp_path) as place:
        yield place


def review(day: int, price: float) -> tuple[bytes, bytes]:
    told = {"event_id": f"r{day}", "item_id": "tea", "occurred_at": AT + day * DAY, "price": price}
    return b"tea", orjson.dumps(told | {"units_sold": round(12 - 2 * price, 1), "periods": 1})


def test_reviews_become_price_changes(setting: Setting) -> None:
    topics = {name: f"{setting.prefix}{name}" for name in ("catalog", "price-reviews", "price-changes", "decisions")}
    ensure(load(bootstrap_servers=setting.address, prefix=setting.prefix, partitions=2), [FLOWS["pricing"]])
    send(setting.address, topics["catalog"], [(b"tea", orjson.dumps(ITEM))])
    worker = setting.start(program=PRICING)  # the catalog is read whole before the first review
    worker.wait_for("ready")
    send(setting.address, topics["price-reviews"], [review(day, 3.0 + day % 3) for day in range(10)])
    committed(setting.address, topics["decisions"], 10)
    worker.kill()
    send(setting.address, topics["price-reviews"], [review(9, 3.0), *(review(day, 4.0) for day in range(10, 14))])
    setting.start(program=PRICING).wait_for("ready")
    decisions = values(committed(setting.address, topics["decisions"], 14))
    changes = values(committed(setting.address, topics["price-changes"], 1))
    assert [one["event_ids"] for one in decisions] == [[f"r{day}"] for day in range(14)]
    moved = {one["decision_id"] for one in decisions if one["action"]["price"] != one["action"]["previous_price"]}
    assert {one["decision_id"] for one in changes} == moved
    assert all(2 <= one["price"] <= 6 and 0 < abs(one["price"] - one["previous_price"]) <= 1 for one in changes)
