"""A worker's own decisions on the real broker: `tradewind replay --verify` makes all of them again."""

import json
import time
from collections.abc import Generator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from kafka import KafkaProducer

from infra.cli import main
from streams.codec import encode
from streams.records import CatalogItem, StockUpdate, Supply
from streams.topics import CATALOG, ORDERS, STOCK_UPDATES, USER_EVENTS, Topic
from tests.contract import world
from tests.kafka.harness import LONG_S, Setting, committed, placed, values

WORKER = ("-c", "from infra.cli import main; main(['worker'])")


@pytest.fixture
def setting(broker: str, prefix: str, tmp_path: Path) -> Generator[Setting]:
    with placed(broker, prefix, tmp_path) as place:
        yield place


def tell(setting: Setting, topic: Topic, records: list[Any]) -> None:
    client: Any = KafkaProducer(bootstrap_servers=setting.address)
    for record in records:
        client.send(setting.prefix + topic.name, key=topic.key(record).encode(), value=encode(record))
    client.close()


def replay(setting: Setting, *arguments: str) -> int:
    try:
        main(["replay", *arguments, "--bootstrap-servers", setting.address, "--prefix", setting.prefix])
    except SystemExit as ended:
        return int(ended.code or 0)
    raise AssertionError("the command line ends by SystemExit")


def open_the_shop(setting: Setting) -> int:
    """A catalog, stock, orders and what three users do. Returns how many slates they ask for."""
    rng = Random(5)
    items = [CatalogItem(item_id=item, category=f"c{n % 3}", supply=Supply()) for n, item in enumerate(world.ITEMS)]
    stock = [
        StockUpdate(event_id=f"s-{item}", item_id=item, location="north", on_hand=9.0, occurred_at=world.START)  # pyright: ignore[reportArgumentType]
        for item in world.ITEMS
    ]
    events = [one.record for one in world.user_events(rng, 120) if one.topic is USER_EVENTS]
    tell(setting, CATALOG, items)
    tell(setting, STOCK_UPDATES, stock)
    tell(setting, ORDERS, [one.record for one in world.orders(rng, 40)])
    tell(setting, USER_EVENTS, events)
    return sum(one.type == "request" for one in events)


def all_decided(setting: Setting, asked: int) -> int:
    """How many decisions there are, once all slates are and nothing more comes."""
    give_up, known = time.monotonic() + LONG_S, 0
    while time.monotonic() < give_up:
        found = values(committed(setting.address, setting.prefix + "decisions", asked))
        if sum(one["domain"] == "recommendation" for one in found) >= asked and len(found) == known:
            return known
        known = len(found)
    raise AssertionError("the worker goes on deciding")


def test_every_decision_of_a_worker_is_made_again_and_so_is_the_run(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = setting.start("worker", program=WORKER)
    worker.wait_for("ready")
    asked = open_the_shop(setting)
    known = all_decided(setting, asked)
    assert worker.stop() == 0

    capsys.readouterr()
    assert replay(setting, "--verify", "--policy", "shipped,uniform", "--json") == 0
    evidence = json.loads(capsys.readouterr().out.splitlines()[-1])
    verified = evidence["verified"]
    assert verified["passed"]
    assert verified["recomputed"]["decisions"] == known
    assert verified["recomputed_share"] == 1.0
    assert verified["reproduced"]["runs_equal"]
    assert verified["reproduced_share"] >= 0.99, verified["reproduced"]
    assert {one["name"] for one in evidence["candidates"]} == {"shipped", "uniform"}
    assert {place["topic"] for place in evidence["range"]["places"]} == {"decisions", "outcomes"}

    for arguments, said in (
        (("--policy", "shipped", "--from", "2001-01-01", "--to", "2001-01-02"), "nothing lies in --from 2001-01-01"),
        (("--policy", "17"), "hold no such version"),
    ):
        assert replay(setting, *arguments) == 2
        assert said in capsys.readouterr().err
