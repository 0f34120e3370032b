"""A message as a line: it comes back to the byte, and a line that is none says why."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.history.jsonl import LONGEST
from infra.history.lines import BadLine, parse, write
from infra.history.message import Message, Rejected
from streams.topics import USER_EVENTS
from tests.unit.replay.story import event, read, saved


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


trees = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), st.lists, max_leaves=5)
payloads = st.none() | st.binary(max_size=60) | st.text(max_size=20).map(str.encode) | trees.map(as_json)


@given(payloads, st.none() | st.binary(max_size=12), st.integers(-1, 2**53), st.none() | st.integers(0, 2**53))
def test_any_message_comes_back_from_its_line_byte_for_byte(
    value: bytes | None, key: bytes | None, at: int, offset: int | None
) -> None:
    message = Message(USER_EVENTS, key, value, at, 5, offset)
    line = write(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert parse(line) == message


@pytest.mark.parametrize(
    ("value", "payload"),
    [
        ('{"a": [1, 2]}', b'{"a": [1, 2]}'),
        ('"{broken"', b"{broken"),
        ('"\\u00e9\\n"', "é\n".encode()),
        ("null", None),
        ("5", b"5"),
        ("1e999", b"1e999"),
    ],
)
def test_a_value_is_the_payload_and_a_string_stands_for_its_text(value: str, payload: bytes | None) -> None:
    assert parse(f'{{"topic": "orders", "value": {value}, "mine": 1}}'.encode()).value == payload


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", "not-a-json-line"),
        (b"[]", "not-a-json-line"),
        (b'{"topic": "orders", "value": NaN}', "not-a-json-line"),
        (b'{"topic": "orders", "value": {}, "key": 7}', "not-a-json-line"),
        (b'{"topic": "orders", "value": {}, "key": "\xff"}', "not-a-json-line"),
        (b'{"topic": "orders", "value": {}, "timestamp": "now"}', "not-a-json-line"),
        (b'{"topic": "orders", "value": {}, "timestamp": 1e99}', "not-a-json-line"),
        (b'{"topic": "orders", "value_base64": "#"}', "not-a-json-line"),
        (b'{"topic": "orders", "value": {}} {}', "not-a-json-line"),
        (b'{"topic": "orders"}', "no-value"),
        (b'{"value": {}}', "no-topic"),
        (b'{"topic": "nope", "value": {}}', "unknown-topic"),
        (b'{"topic": "orders", "value": ' + b"[" * 200_000, "nested-too-deep"),
    ],
)
def test_a_line_that_is_no_message_says_why(line: bytes, reason: str) -> None:
    with pytest.raises(BadLine) as caught:
        parse(line)
    assert caught.value.reason == reason


@pytest.mark.parametrize("name", ["events.jsonl", "events.jsonl.gz"])
def test_bad_lines_are_dead_letters_by_line_number_and_none_is_lost(tmp_path: Path, name: str) -> None:
    long = b'{"topic": "' + b"x" * (3 * LONGEST) + b'"}\n'
    path = saved(tmp_path / name, event(1), b"what\n", b"\n", long, event(2), b'{"topic": "nope", "value": 1}')
    found = read(path)
    letters = [json.loads(one.letter.value or b"") for one in found if isinstance(one, Rejected)]
    assert [(one["topic"], one["offset"], one["reason"]) for one in letters] == [
        ("events-file", 2, "not-a-json-line"),
        ("events-file", 4, "oversized"),
        ("nope", 6, "unknown-topic"),
    ]
    assert [one for one in found if isinstance(one, Message)] == [event(1), event(2)]
