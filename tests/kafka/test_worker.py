"""A worker may be killed, joined or left at any moment: every event has its effect, and has it once."""

import threading
import time
from base64 import b64decode
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kafka.harness import (
    COUNTER,
    LONG_S,
    Setting,
    check_each_once,
    committed,
    order,
    placed,
    produce,
    send,
    values,
)


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


KEY, GOOD = order(0)
REFUSED = {
    "not-json": (KEY, b"{"),
    "null-value": (KEY, None),
    "not-utf8": (KEY, b"\xff\xfe"),
    "nested-too-deep": (KEY, b'{"x":' * 100_000),
    "invalid-time": (KEY, GOOD.replace(b"1483272000000", b"0")),
    "invalid-record": (KEY, GOOD.replace(b":1}", b":-1}")),
    "empty-key": (b"", GOOD),
    "key-mismatch": (b"another", GOOD),
}


def test_what_cannot_be_read_becomes_a_dead_letter_and_the_rest_goes_on(setting: Setting) -> None:
    worker = setting.start()
    worker.wait_for("ready")
    offsets = send(setting.address, f"{setting.prefix}orders", [*REFUSED.values(), (KEY, GOOD)])
    letters = values(committed(setting.address, f"{setting.prefix}dead-letters", len(REFUSED)))
    places = [(letter["topic"], letter["partition"], letter["offset"]) for letter in letters]
    assert places == [("orders", 0, offset) for offset in offsets[:-1]]
    assert [letter["reason"] for letter in letters] == list(REFUSED)
    original = [None if letter["value"] is None else b64decode(letter["value"]) for letter in letters]
    assert original == [value for _, value in REFUSED.values()]
    check_each_once(said(setting, 1), range(1))
    assert worker.stop() == 0


def test_a_bug_in_an_agent_ends_the_process_before_anything_later_is_done(setting: Setting) -> None:
    worker = setting.start()
    worker.wait_for("ready")
    poison = GOOD.replace(b'"n0"', b'"poison"')
    send(setting.address, f"{setting.prefix}orders", [(KEY, poison), (KEY, GOOD)])
    assert worker.process.wait(LONG_S) == 1
    assert "a bug in an agent" in worker.errors.read_text()
    assert said(setting, 0) == []


def test_a_record_that_is_too_large_ends_the_process_by_the_topics_name(setting: Setting) -> None:
    worker = setting.start(max_record_bytes="100")
    worker.wait_for("ready")
    send(setting.address, f"{setting.prefix}orders", [(KEY, GOOD)])
    assert worker.process.wait(LONG_S) != 0
    text = worker.errors.read_text()
    assert f"for topic {setting.prefix}sku-demand, and TRADEWIND_MAX_RECORD_BYTES allows 100" in text


def test_a_worker_that_stands_still_ends(setting: Setting) -> None:
    worker = setting.start(stall_timeout_s="3", program=(*COUNTER, "deaf"))
    worker.wait_for("ready")
    with flowing(setting, range(6_000)):
        assert worker.process.wait(LONG_S) == 1
    assert "has stood still for" in worker.errors.read_text()
    setting.start().wait_for("ready")
    check_each_once(said(setting, 6_000), range(6_000))


def test_a_step_that_never_ends_is_ended(setting: Setting) -> None:
    worker = setting.start(stall_timeout_s="3")
    worker.wait_for("ready")
    send(setting.address, f"{setting.prefix}orders", [(KEY, GOOD.replace(b'"n0"', b'"endless"'))])
    assert worker.process.wait(LONG_S) == 1
    assert "in step" in worker.errors.read_text()  # the stack of each thread


def test_memory_is_bounded_while_the_log_is_far_ahead(setting: Setting) -> None:
    """A worker that can't keep up holds two batches of each input, not the log."""
    worker = setting.start(batch_max_records="50", program=(*COUNTER, "slow"))
    worker.wait_for("ready")
    produce(setting.address, f"{setting.prefix}orders", range(30_000))
    held = int(worker.wait_for("most waiting").rsplit(" ", 1)[1])
    assert 50 <= held <= 2 * 50 + 4 * 50  # what may wait, and one fetch that came on top
