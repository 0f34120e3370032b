"""A worker may be killed, joined or left at any moment: every event has its effect, and has it once."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kafka.harness import Setting, check_each_once, committed, placed, produce, values


@pytest.fixture
def setting(broker: str, prefix: str, tmp_path: Path) -> Generator[Setting]:
    with placed(broker, prefix, tmp_path) as place:
        yield place


@contextmanager
def flowing(setting: Setting, numbers: range) -> Generator[None]:
    """Orders flow in while the block runs; at its end all of them are in."""
    topic = f"{setting.prefix}orders"
    sender = threading.Thread(target=produce, args=(setting.address, topic, numbers), kwargs={"pause_s": 0.08})
    sender.start()
    try:
        yield
    finally:
        sender.join()


def said(setting: Setting, count: int) -> list[object]:
    return values(committed(setting.address, f"{setting.prefix}sku-demand", count))


def test_killed_again_and_again_nothing_is_lost_and_nothing_is_done_twice(setting: Setting) -> None:
    worker = setting.start()
    worker.wait_for("ready: 2 partitions")
    numbers = range(8_000)
    with flowing(setting, numbers):
        for alive_s in (0.9, 0.4, 1.1):
            time.sleep(alive_s)
            worker.kill()
            worker = setting.start()
            worker.wait_for("ready: 2 partitions")
    check_each_once(said(setting, len(numbers)), numbers)
    assert worker.stop() == 0


def test_a_restart_goes_on_from_the_state_in_the_changelog(setting: Setting) -> None:
    worker = setting.start()
    worker.wait_for("ready: 2 partitions, 0 entries")
    produce(setting.address, f"{setting.prefix}orders", range(300))
    check_each_once(said(setting, 300), range(300))
    assert worker.stop() == 0
    worker = setting.start()
    worker.wait_for("ready: 2 partitions, 20 entries")
    produce(setting.address, f"{setting.prefix}orders", range(300, 400))
    check_each_once(said(setting, 400), range(400))


def test_a_second_worker_takes_its_share_and_gives_it_back(setting: Setting) -> None:
    first = setting.start("first")
    first.wait_for("ready: 2 partitions")
    numbers = range(12_000)
    with flowing(setting, numbers):
        second = setting.start("second", session_timeout_s="6")
        second.wait_for("ready: 1 partitions")
        first.wait_for("ready: 1 partitions")
        time.sleep(0.5)
        first.kill()
        second.wait_for("ready: 2 partitions")
    check_each_once(said(setting, len(numbers)), numbers)


def test_what_cannot_be_read_becomes_a_dead_letter_and_the_rest_goes_on(setting: Setting) -> None:
    from base64 import b64decode

    from kafka import KafkaProducer

    from tests.kafka.harness import order

    worker = setting.start()
    worker.wait_for("ready")
    key, good = order(0)
    bad = [b"{", None, b"\xff\xfe", b'{"x":' * 100_000, good.replace(b"1483272000000", b"0"), good.replace(b":1}", b":NaN}")]
    client = KafkaProducer(bootstrap_servers=setting.address)
    topic = f"{setting.prefix}orders"
    places = [client.send(topic, key=key, value=value, partition=0).get(10).offset for value in bad]
    places.append(client.send(topic, key=b"", value=good, partition=0).get(10).offset)
    places.append(client.send(topic, key=b"another", value=good, partition=0).get(10).offset)
    client.send(topic, key=key, value=good, partition=0)
    client.close()
    letters = values(committed(setting.address, f"{setting.prefix}dead-letters", len(places)))
    assert [(letter["topic"], letter["partition"], letter["offset"]) for letter in letters] == [
        ("orders", 0, place) for place in places
    ]
    assert [letter["reason"] for letter in letters] == [
        "not-json",
        "null-value",
        "not-utf8",
        "nested-too-deep",
        "invalid-time",
        "not-json",
        "empty-key",
        "key-mismatch",
    ]
    assert [letter["value"] and b64decode(letter["value"]) for letter in letters] == [*bad, good, good]
    check_each_once(said(setting, 1), range(1))
    assert worker.stop() == 0


def test_a_bug_in_an_agent_ends_the_process_before_anything_later_is_done(setting: Setting) -> None:
    from kafka import KafkaProducer

    from tests.kafka.harness import order

    worker = setting.start()
    worker.wait_for("ready")
    client = KafkaProducer(bootstrap_servers=setting.address)
    key, value = order(0)
    client.send(f"{setting.prefix}orders", key=key, value=value.replace(b'"n0"', b'"poison"'), partition=0)
    client.send(f"{setting.prefix}orders", key=key, value=value, partition=0)
    client.close()
    assert worker.process.wait(30) == 1
    assert "a bug in an agent" in worker.errors.read_text()
    assert said(setting, 0) == []
