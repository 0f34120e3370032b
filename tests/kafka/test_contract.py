"""What a worker puts on the wire is what the contract says; and what it takes in by a mapping."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer

from infra.cli import main
from infra.contract.registry import frame
from infra.retry import letter_of
from tests.kafka.harness import AT, LONG_S, Setting, committed, placed
from tests.unit.infra.contract.test_headers_and_frames import Registry, serving

SALES = """
[[rule]]
to = "orders"
when = { kind = "sale" }
[rule.fields]
order_id = "no"
occurred_at = { path = "ts", unit = "s" }
lines = { each = "basket", fields = { item_id = "sku", location = { value = "here" }, quantity = "qty" } }
"""


@pytest.fixture
def setting(broker: str, prefix: str, tmp_path: Path) -> Generator[Setting]:
    with placed(broker, prefix, tmp_path) as place:
        yield place


@contextmanager
def a_registry() -> Generator[tuple[Registry, str]]:
    """A registry that serves in a thread of its own."""
    registry, found, stop = Registry(), list[str](), asyncio.Event()
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def serve() -> None:
        async with serving(registry) as url:
            found.append(url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(LONG_S)
        yield registry, found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(LONG_S)
        loop.close()


def sale(number: int, **more: Any) -> bytes:
    lines = [{"sku": f"n{number}", "qty": "1"}]
    return orjson.dumps({"kind": "sale", "no": number, "ts": AT // 1000, "basket": lines, **more})


def send(address: str, topic: str, messages: list[bytes]) -> None:
    client: Any = KafkaProducer(bootstrap_servers=address)
    for number, value in enumerate(messages):
        client.send(topic, key=str(number).encode(), value=value, partition=0)
    client.close()


def test_a_worker_reads_by_a_mapping_and_writes_as_the_contract_says(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping = setting.folder / "mapping.toml"
    mapping.write_text(SALES)
    sales = f"{setting.prefix}sales.v2"
    with a_registry() as (registry, url):
        worker = setting.start(
            mapping=str(mapping), topics=f"orders={sales}", cloud_events="all", schema_registry_url=url
        )
        worker.wait_for("ready: 2 partitions")
    framed = frame(7) + sale(2)
    send(setting.address, sales, [sale(0), sale(1, kind="quote"), framed, sale(3, ts="noon"), sale(5)])
    said = committed(setting.address, f"{setting.prefix}sku-demand", 2)
    said.sort(key=lambda one: one.value)  # they may lie on two partitions
    assert [orjson.loads(one.value)["event_id"] for one in said] == ["n0", "n2"]
    headers = dict(said[0].headers)
    assert headers["ce_source"] == f"/tradewind/{setting.prefix}sku-demand".encode()
    assert (headers["ce_id"], headers["ce_subject"], headers["content-type"]) == (b"n0", b"0@here", b"application/json")
    letters = committed(setting.address, f"{setting.prefix}dead-letters", 2)
    (number,) = registry.subjects[f"{setting.prefix}dead-letters-value"]
    assert {one.value[:5] for one in letters} == {frame(number)}
    read = [letter_of(one) for one in letters]
    assert sorted(one.record.reason for one in read if one is not None) == ["invalid-time", "key-mismatch"]
    assert worker.stop() == 0
    _tail(setting, capsys)


def _tail(setting: Setting, capsys: pytest.CaptureFixture[str]) -> None:
    """Framed dead letters are read by a person's commands."""
    where = ["--bootstrap-servers", setting.address, "--prefix", setting.prefix]
    with pytest.raises(SystemExit):
        main(["tail", "dead-letters", "--no-follow", *where])
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 2
    assert (
        "invalid-time  orders, partition 0, offset 3: orders: occurred_at: 'noon' is no number of seconds" in shown[0]
    )
    with pytest.raises(SystemExit):
        main(["dead-letters", "list", "--json", *where])
    groups = orjson.loads(capsys.readouterr().out)["groups"]
    assert [(one["reason"], one["count"]) for one in groups] == [("invalid-time", 1), ("key-mismatch", 1)]
    with pytest.raises(SystemExit):
        main(["dead-letters", "show", groups[0]["example"]["place"], *where])
    assert "from topic orders, partition 0, offset 3" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["tail", "dead-letter", *where])
    assert ended.value.code == 2
    assert "did you mean dead-letters?" in capsys.readouterr().err


def test_a_worker_says_that_the_registry_is_away(setting: Setting) -> None:
    worker = setting.start(schema_registry_url="http://127.0.0.1:9", start_timeout_s="3")
    assert worker.process.wait(LONG_S) != 0
    assert "the schema registry at http://127.0.0.1:9 doesn't answer" in worker.errors.read_text()
