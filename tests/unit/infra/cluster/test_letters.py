"""A dead letter says where the message lies, why it was refused, and what it was."""

from base64 import b64decode

from infra.cluster.letters import dead_letter
from streams.codec import MalformedRecord
from streams.topics import ORDERS
from tests.unit.infra.serving.test_inbox import Row

PROBLEM = MalformedRecord("not-json", "orders: what")


def test_the_original_bytes_are_in_it() -> None:
    letter = dead_letter(ORDERS, 3, Row(7, timestamp=5, value=b"\xff{"), PROBLEM)
    assert (letter.topic, letter.partition, letter.offset, letter.reason, letter.at) == ("orders", 3, 7, "not-json", 5)
    assert letter.value is not None
    assert b64decode(letter.value) == b"\xff{"


def test_nothing_is_not_the_same_as_empty() -> None:
    assert dead_letter(ORDERS, 0, Row(0, value=None), PROBLEM).value is None
    assert dead_letter(ORDERS, 0, Row(0, value=b""), PROBLEM).value == ""


def test_what_the_topic_cannot_take_is_left_out_and_said() -> None:
    letter = dead_letter(ORDERS, 0, Row(0, value=bytes(11_000_000)), PROBLEM)
    assert letter.value is None
    assert "11000000 bytes of value" in letter.detail
