"""What a file holds is read as it lies, whichever its kind, and what can't be read is counted by place and reason."""

import tracemalloc
from collections.abc import Iterator
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from infra.errors import UserError
from infra.history.files import files
from infra.history.jsonl import LONGEST
from infra.history.lines import write
from infra.history.message import Message
from infra.history.part import pack, unpack
from infra.history.reading import messages
from streams.topics import CATALOG, DECISIONS, OUTCOMES, USER_EVENTS
from tests.unit.history.histories import AT, NAMES, held, lines, packed, read, reasons, saved, story

pa: Any = import_module("pyarrow")
pq: Any = import_module("pyarrow.parquet")


@pytest.mark.parametrize("name", NAMES)
def test_what_was_written_is_read_byte_for_byte(tmp_path: Path, name: str) -> None:
    given = story(500)
    assert held(saved(tmp_path / name, given)) == given
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_a_reading_goes_on_from_any_place(tmp_path: Path, name: str) -> None:
    part = files([saved(tmp_path / name, story(120))])
    whole = read(part)
    for stop in (0, 1, 59, 120):
        with messages(part) as found:
            first = list(islice(found, stop))
            left = unpack(pack(found.rest()))
        assert [*first, *read(left)] == whole


@pytest.mark.parametrize("name", NAMES)
def test_a_message_without_an_offset_has_the_same_number_whatever_is_read_of_it(tmp_path: Path, name: str) -> None:
    given = [one._replace(offset=None) for one in story(60)]
    paths = [saved(tmp_path / f"{n}-{name}", given[30 * n : 30 * n + 30]) for n in range(2)]
    whole = read(files(paths, numbered=True))
    numbers = {(one.value, one.timestamp): one.offset for one in whole if isinstance(one, Message)}
    assert len(set(numbers.values())) == len(numbers) == 60
    assert sorted(n for n in numbers.values() if n is not None)[:30] == list(range(30))
    later = read(files(paths, numbered=True, since=given[20].timestamp, topics=[given[25].topic]))
    with messages(files(paths, numbered=True)) as found:
        list(islice(found, 17))
        rest = read(unpack(pack(found.rest())))
    for some in (later, rest):
        assert some
        assert all(one.offset == numbers[one.value, one.timestamp] for one in some if isinstance(one, Message))
    assert {one.offset for one in read(files(paths)) if isinstance(one, Message)} == {None}


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_file_holds_nothing(tmp_path: Path, name: str) -> None:
    assert held(saved(tmp_path / name, [])) == []


@pytest.mark.parametrize("name", NAMES[1:3])
@pytest.mark.parametrize(("kept", "reason"), [(-9, "truncated"), (0.5, "truncated"), (25, "truncated")])
def test_of_a_truncated_file_all_that_is_there_counts_and_the_end_is_named(
    tmp_path: Path, name: str, kept: float, reason: str
) -> None:
    given = story(4000)
    path = saved(tmp_path / name, given)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * kept)] if isinstance(kept, float) else raw[:kept])
    *found, last = held(path)
    assert found == given[: len(found)]
    assert [(why, line) for why, line, _ in reasons([last])] == [(reason, len(found) + 1)]
    assert f"in the middle after line {len(found)}" in reasons([last])[0][2]
    with messages(files([path])) as reading:
        assert list(islice(reading, len(found))) == found
        assert read(reading.rest()) == [last]
        assert next(reading) == last
        assert read(reading.rest()) == []


@pytest.mark.parametrize("name", NAMES[1:3])
def test_a_damaged_file_is_read_up_to_the_damage(tmp_path: Path, name: str) -> None:
    given = story(4000)
    path = saved(tmp_path / name, given)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 40] = bytes(range(40))
    path.write_bytes(raw)
    found = held(path)
    whole = next(place for place, it in enumerate(found) if not isinstance(it, Message))
    assert found[:whole] == given[:whole]
    assert whole > 0
    assert reasons(found[-1:])[0][0] == "corrupt"


def test_frames_and_members_one_after_the_other_are_one_file(tmp_path: Path) -> None:
    given = story(300)
    for name in NAMES[1:3]:
        raw = b"".join(packed(tmp_path / name, lines(given[at : at + 100])).read_bytes() for at in (0, 100, 200))
        (tmp_path / name).write_bytes(raw)
        assert held(tmp_path / name) == given


def test_what_a_file_is_shows_in_how_it_begins_not_in_its_name(tmp_path: Path) -> None:
    given = story(50)
    plain = packed(tmp_path / "plain.jsonl", lines(given)).rename(tmp_path / "plain.jsonl.gz")
    zipped = packed(tmp_path / "zipped.gz", lines(given)).rename(tmp_path / "zipped.jsonl")
    assert held(plain) == held(zipped) == given


@pytest.mark.parametrize("name", NAMES[:3])
def test_bad_lines_are_named_by_their_number_and_none_is_lost(tmp_path: Path, name: str) -> None:
    long = b'{"topic": "' + b"x" * (3 * LONGEST) + b'"}\n'
    one, two = story(2)
    raw = write(one) + b"what\n\n \r\n" + long + write(two) + b'{"topic": "nope", "value": 1}'
    found = held(packed(tmp_path / name, raw))
    assert [(why, line) for why, line, _ in reasons(found)] == [
        ("not-a-json-line", 2),
        ("oversized", 5),
        ("unknown-topic", 7),
    ]
    assert [it for it in found if isinstance(it, Message)] == [one, two]
    for stop in range(len(found) + 1):
        with messages(files([tmp_path / name])) as reading:
            assert list(islice(reading, stop)) == found[:stop]
            assert read(reading.rest()) == found[stop:]


def test_a_line_without_an_end_is_never_held_whole(tmp_path: Path) -> None:
    path = tmp_path / "endless.jsonl"
    with path.open("wb") as file:
        for _ in range(16):
            file.write(b"x" * LONGEST)
    tracemalloc.start()
    try:
        found = held(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [why for why, _, _ in reasons(found)] == ["oversized"]
    assert peak < 8 * LONGEST


@pytest.mark.parametrize("name", NAMES)
def test_a_range_is_of_the_logs_time_and_outcomes_go_on(tmp_path: Path, name: str) -> None:
    given = story(100)
    path = saved(tmp_path / name, given)
    since, until = AT + 200, AT + 500
    assert read(files([path], since=since, until=until)) == [it for it in given if since <= it.timestamp < until]
    assert read(files([path], since=since, until=until, beyond=[OUTCOMES])) == [
        it for it in given if since <= it.timestamp and (it.topic is OUTCOMES or it.timestamp < until)
    ]
    assert read(files([path], topics=[DECISIONS])) == [it for it in given if it.topic is DECISIONS]


def test_where_the_log_has_no_time_the_records_own_counts_and_none_at_all_is_named(tmp_path: Path) -> None:
    told = Message(USER_EVENTS, b"u", b'{"occurred_at":"2017-01-01T12:00:01Z"}', 0)
    bare = Message(CATALOG, b"i", b"{}", 0)
    path = saved(tmp_path / "h.jsonl", [told, bare])
    found = read(files([path], since=AT))
    assert found[0] == told._replace(offset=None)
    assert reasons(found) == [
        ("no-time", 2, "neither the message nor its record has a time, and a range of time was asked for")
    ]


def test_several_files_are_merged_by_time_each_in_its_own_order(tmp_path: Path) -> None:
    given = story(200)
    for name, start in zip(NAMES, range(4), strict=True):
        saved(tmp_path / name, given[start::4])
    (tmp_path / "notes.txt").write_text("not a history")
    part = files([tmp_path])
    found = read(part)
    assert sorted(it.offset or 0 for it in found if isinstance(it, Message)) == list(range(200))
    times = [it.timestamp for it in found if isinstance(it, Message)]
    assert times == sorted(times)
    with messages(part) as reading:
        first = list(islice(reading, 77))
        left = reading.rest()
    assert [*first, *read(left)] == found


def test_a_plain_file_that_grows_is_read_to_where_it_was(tmp_path: Path) -> None:
    given = story(30)
    path = saved(tmp_path / "h.jsonl", given[:20])
    part = files([path])
    with path.open("ab") as file:
        file.write(lines(given[20:]))
    assert read(part) == given[:20]


def test_a_file_that_is_another_one_is_not_read_on(tmp_path: Path) -> None:
    path = saved(tmp_path / "h.jsonl", story(30))
    part = files([path])
    saved(path, story(10))
    with pytest.raises(UserError, match="has changed since"):
        read(part)


@pytest.mark.parametrize(
    "columns",
    [
        {"topic": pa.array(["outcomes"] * 3).dictionary_encode(), "timestamp": pa.array([AT, AT + 1, AT + 2])},
        {"timestamp": pa.array([AT * 1000, AT * 1000 + 1000, AT * 1000 + 2999], pa.timestamp("us"))},
        {"key": pa.array(["a", "é", None]), "value": pa.array(['{"a":1}', "{}", None], pa.large_string())},
        {"partition": pa.array([0, None, 3], pa.int16()), "offset": pa.array([7, 8, None], pa.uint64())},
    ],
)
def test_columns_of_any_fitting_type(tmp_path: Path, columns: dict[str, Any]) -> None:
    plain = {"topic": ["outcomes"] * 3, "key": [b"a", "é".encode(), None], "timestamp": [AT, AT + 1, AT + 2]}
    table = pa.table(plain | {"value": [b'{"a":1}', b"{}", None]} | columns)
    pq.write_table(table, tmp_path / "h.parquet")
    found = held(tmp_path / "h.parquet")
    assert [it[:4] for it in found] == [
        (OUTCOMES, b"a", b'{"a":1}', AT),
        (OUTCOMES, "é".encode(), b"{}", AT + 1),
        (OUTCOMES, None, None, AT + 2),
    ]


def test_rows_that_are_no_message_are_named_by_their_number(tmp_path: Path) -> None:
    topics = ["outcomes", "nope", None, "outcomes", "outcomes"]
    values = [b"1", b"2", b"3", b"x" * (LONGEST + 1), b"5"]
    table = pa.table({"topic": topics, "key": [b"k"] * 5, "value": values, "timestamp": [AT, AT, AT, AT, -9]})
    pq.write_table(table, tmp_path / "h.parquet")
    assert [(why, row) for why, row, _ in reasons(held(tmp_path / "h.parquet"))] == [
        ("unknown-topic", 2),
        ("no-topic", 3),
        ("oversized", 4),
        ("out-of-bounds", 5),
    ]


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"topic": ["orders"], "key": [b"k"], "value": [b"1"]}, "column timestamp is missing"),
        (
            {"topic": ["orders"], "key": [b"k"], "value": [1.5], "timestamp": [AT]},
            "column value is missing or of another",
        ),
    ],
)
def test_a_parquet_file_of_something_else_says_what_is_missing(
    tmp_path: Path, table: dict[str, Any], named: str
) -> None:
    pq.write_table(pa.table(table), tmp_path / "h.parquet")
    with pytest.raises(UserError, match=named):
        held(tmp_path / "h.parquet")


def test_a_truncated_parquet_file_is_said_in_one_sentence(tmp_path: Path) -> None:
    path = saved(tmp_path / "h.parquet", story(50))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match="can't be read as Parquet; is it whole"):
        held(path)


def test_what_is_not_there_or_can_not_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--events: .*nowhere can't be read"):
        files([tmp_path / "nowhere"])
    with pytest.raises(UserError, match="it holds no"):
        files([tmp_path])
    with pytest.raises(UserError, match=r"--out: .* can't be written"):
        saved(tmp_path / "no" / "h.jsonl", [])


def test_a_file_that_was_not_finished_leaves_what_was_there(tmp_path: Path) -> None:
    path = saved(tmp_path / "h.jsonl", story(5))

    def interrupted() -> Iterator[Message]:
        yield story(1)[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        saved(path, interrupted())
    assert held(path) == story(5)
    assert list(tmp_path.iterdir()) == [path]
