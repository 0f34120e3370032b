"""A shop's own topics are taken in by a mapping, exactly once; what fails is retried after a fix, each message once."""

import os
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer
from kafka.structs import TopicPartition

from infra import provision, retry
from infra.cluster.reading import reading
from infra.mapping.entrance import Entrance
from infra.mapping.load import rules_of
from infra.marks import marks_topic, read_marks
from infra.settings import Settings, load
from streams.codec import encode
from streams.records import DeadLetter
from streams.topics import DEAD_LETTERS, ORDERS, Topic
from tests.kafka.harness import LONG_S, ROOT, TRADEWIND, Setting, committed, placed, values
from tests.unit.infra.mapping import shops

GUIDE = (ROOT / "docs/own-events.md").read_text()
AGENTS = ("-c", "from infra.cli import main; main(['worker', '--agents', 'orders,{}'])")


@pytest.fixture
def setting(broker: str, prefix: str, tmp_path: Path) -> Generator[Setting]:
    with placed(broker, prefix, tmp_path) as place:
        yield place


def make(address: str, name: str, partitions: int) -> None:
    with provision.admin(Settings(bootstrap_servers=address)) as admin:
        admin.create_topics({name: {"num_partitions": partitions, "replication_factor": 1}}, wait_for_metadata=True)


def tell(address: str, topic: str, messages: list[Any], key: bytes | None = None) -> None:
    client: Any = KafkaProducer(bootstrap_servers=address)
    for place, one in enumerate(messages):
        value = one if isinstance(one, bytes) else orjson.dumps(one)
        client.send(topic, key=key or f"session-{place}".encode(), value=value)
    client.close()


def test_a_shops_topic_feeds_two_of_ours_and_what_fails_comes_back_after_a_fix(setting: Setting) -> None:
    shop = f"{setting.prefix}shop.orders"
    make(setting.address, shop, 3)  # as many as the shop likes
    mapping = setting.folder / "mapping.toml"
    mapping.write_text(shops.WEBHOOKS_MAPPING.replace("shop.orders", shop))
    bad = {**shops.WEBHOOKS[1], "id": 7, "created_at": None, "placed_at": "2017-01-02T00:00:00Z"}
    worker = setting.start(
        program=(*AGENTS[:1], AGENTS[1].format(f"intake-{shop}")),
        mapping=str(mapping),
        topics=f"sku-demand={setting.prefix}renamed",
    )
    worker.wait_for("ready: 5 partitions")  # three of the shop's, two of orders
    tell(setting.address, shop, [*shops.WEBHOOKS, bad, b"{"])
    paid = [one for one in shops.WEBHOOKS if one["financial_status"] == "paid"]
    orders = values(committed(setting.address, f"{setting.prefix}orders", len(paid)))
    assert sorted(one["order_id"] for one in orders) == sorted(str(one["id"]) for one in paid)
    bought = values(committed(setting.address, f"{setting.prefix}user-events", 2 * len(paid)))
    assert len({one["event_id"] for one in bought}) == len(bought) == 2 * len(paid)
    assert len(committed(setting.address, f"{setting.prefix}renamed", 2 * len(paid))) == 2 * len(paid)
    letters = values(committed(setting.address, f"{setting.prefix}dead-letters", 2))
    assert sorted((one["topic"], one["reason"]) for one in letters) == [
        (f"from:{shop}", "invalid-record"),
        (f"from:{shop}", "not-json"),
    ]
    fix(mapping)
    told = [run(setting, "dead-letters", "retry", "--json", mapping=str(mapping)) for _ in range(2)]
    assert [one["put_back"] for one in told] == [1, 0]
    assert [one["fates"] for one in told] == [{"read": 1, "unreadable": 1}, {"retried": 1, "unreadable": 1}]
    orders = values(committed(setting.address, f"{setting.prefix}orders", len(paid) + 1))
    assert [one["order_id"] for one in orders].count("7") == 1
    assert len(orders) == len(paid) + 1
    assert len(committed(setting.address, shop, 14)) == 14  # nothing was written there
    assert worker.stop() == 0


def fix(mapping: Path) -> None:
    """Take the time from another field where it isn't in its own."""
    text = mapping.read_text().replace('"created_at"', '["created_at", "placed_at"]')
    mapping.write_text(text.replace('"$.created_at"', '["$.created_at", "$.placed_at"]'))


def run(setting: Setting, *arguments: str, **settings: str) -> Any:
    """A command's one JSON object."""
    environment = {
        **os.environ,
        "TRADEWIND_BOOTSTRAP_SERVERS": setting.address,
        "TRADEWIND_PREFIX": setting.prefix,
        **{f"TRADEWIND_{name.upper()}": value for name, value in settings.items()},
    }
    command = [sys.executable, "-c", f"from infra.cli import main; main({list(arguments)!r})"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONG_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return orjson.loads(done.stdout)


def letter(number: int, topic: Topic = ORDERS) -> DeadLetter:
    """A letter of a message that can be read by now."""
    from base64 import b64encode

    value = {
        "order_id": f"o{number}",
        "occurred_at": 1_483_272_000_000,
        "lines": [{"item_id": "milk", "location": "here", "quantity": 1}],
    }
    return DeadLetter(
        topic=topic.name,
        partition=number % 2,
        offset=number,
        reason="invalid-record",
        detail="it was",
        value=b64encode(orjson.dumps(value)).decode(),
        at=1_483_272_000_000,
        key=b64encode(f"o{number}".encode()).decode(),
    )


class KilledError(Exception):
    """Stands for kill -9."""


def test_a_retry_that_was_killed_goes_on_and_no_message_goes_twice(broker: str, prefix: str) -> None:
    settings = load(bootstrap_servers=broker, prefix=prefix)
    make(broker, prefix + "orders", 2)
    make(broker, prefix + "dead-letters", 1)
    numbers = range(350)
    client: Any = KafkaProducer(bootstrap_servers=broker)
    for number in numbers:
        one = letter(number)
        client.send(prefix + "dead-letters", key=DEAD_LETTERS.key(one).encode(), value=encode(one))
    client.close()
    entrance = Entrance(rules_of(settings))

    def put_back(stop_after: int) -> int:
        def killed(done: int) -> None:
            if done >= stop_after:
                raise KilledError

        with reading(settings, settings.topic("dead-letters")) as source:
            return retry.retry(settings, retry.letters(source, retry.Wanted()), entrance, on_done=killed)

    for stop_after in (100, 200):
        with pytest.raises(KilledError):
            put_back(stop_after)
    assert put_back(10_000) == 50
    assert put_back(10_000) == 0
    rows = committed(broker, prefix + "orders", len(numbers))
    assert sorted(row.key.decode() for row in rows) == sorted(f"o{number}" for number in numbers)
    _retention_takes_marks_with_it(settings, lambda: put_back(10_000))
    for row in rows:
        wanted = letter(int(row.key[1:]))
        assert (row.value, row.partition, row.timestamp) == (b64decode(wanted.value or ""), wanted.partition, wanted.at)


def _retention_takes_marks_with_it(settings: Settings, put_back: Callable[[], int]) -> None:
    """Marks of letters that left the log go, once each; those of the others still keep them from going twice."""
    gone = TopicPartition(settings.topic("dead-letters"), 0)
    with provision.admin(settings) as admin:
        client: Any = admin
        client.delete_records({gone: 200})
    with reading(settings, gone.topic) as source:
        left = sum(1 for _ in source.since(None))
    for _ in range(2):
        assert put_back() == 0
        assert len(read_marks(settings)) == left
        with reading(settings, marks_topic(settings)) as source:
            told = [row.value for row in source.since(None)]
        assert (len(told), told.count(None)) == (350 + 350 - left, 350 - left)


def test_topics_of_other_names_are_made_and_checked(setting: Setting) -> None:
    names = f"user-events={setting.prefix}clicks.v2,orders={setting.prefix}sales"
    made = run(setting, "topics", "create", "--json", topics=names)["created"]
    assert {f"{setting.prefix}clicks.v2", f"{setting.prefix}sales", f"{setting.prefix}catalog"} <= set(made)
    assert f"{setting.prefix}orders" not in made
    assert run(setting, "topics", "check", "--json", topics=names) == {"ok": True, "problems": []}


def test_a_missing_topic_of_the_shops_is_told_and_not_made(setting: Setting) -> None:
    mapping = setting.folder / "mapping.toml"
    mapping.write_text(shops.STOCK_MAPPING.replace("erp.stock", f"{setting.prefix}erp.stock"))
    worker = setting.start(program=TRADEWIND, mapping=str(mapping))
    assert worker.process.wait(LONG_S) == 2
    assert f"topic {setting.prefix}erp.stock is missing, which the mapping reads from" in worker.errors.read_text()


def commands() -> list[str]:
    return [line for found in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL) for line in found.strip().splitlines()]


def test_every_command_of_the_guide_runs(broker: str, prefix: str, tmp_path: Path) -> None:
    make(broker, prefix + "dead-letters", 1)
    make(broker, prefix + "orders", 2)
    make(broker, f"{prefix}shop.clicks", 2)
    tell(broker, f"{prefix}shop.clicks", shops.TRACKED)
    one = letter(1)
    tell(broker, prefix + "dead-letters", [encode(one)], DEAD_LETTERS.key(one).encode())
    (tmp_path / "clicks.jsonl").write_bytes(b"\n".join(map(orjson.dumps, shops.TRACKED)))
    script = "set -e\n" + "\n".join(commands()).replace(
        "--topic shop.clicks", f"--topic {prefix}shop.clicks --source your-topic"
    )
    environment = {**os.environ, "TRADEWIND_BOOTSTRAP_SERVERS": broker, "TRADEWIND_PREFIX": prefix}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(commands()) == 8
    assert done.stdout.count("30 messages: 24 become records, 6 are left aside, 0 fail.") == 2
    assert "1  invalid-record   orders: 1 can be read now" in done.stdout
    assert "1 would be put back." in done.stdout
    assert done.stdout.endswith("1 put back.\n")
