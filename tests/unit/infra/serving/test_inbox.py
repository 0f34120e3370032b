"""Each record reaches the task once, in order, and a hole is noticed."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.serving.inbox import Fetched, Inbox, LostRecordsError


@dataclass(frozen=True)
class Row:
    offset: int
    timestamp: int = 0
    key: bytes | None = b"k"
    value: bytes | None = b"v"
    headers: tuple[tuple[str, bytes], ...] = ()


def fetched(topic: str, start: int, *offsets: int) -> Fetched:
    return Fetched(topic, 0, start, [Row(offset) for offset in offsets])


def inbox(**starts: int) -> Inbox:
    box = Inbox()
    for topic, offset in starts.items():
        box.expect(topic, offset)
    return box


def took(box: Inbox, limit: int) -> list[tuple[str, int]]:
    return [(run.topic, row.offset) for run in box.take(limit) for row in run.records]


def test_what_was_here_before_is_dropped() -> None:
    box = inbox(a=0)
    assert box.put(fetched("a", 0, 0, 1, 2)) == 3
    assert box.put(fetched("a", 1, 1, 2, 3)) == 1
    assert [offset for _, offset in took(box, 10)] == [0, 1, 2, 3]
    assert box.put(fetched("a", 0, 0, 1)) == 0


def test_offsets_may_be_missing_from_the_log_itself() -> None:
    box = inbox(a=0)
    box.put(fetched("a", 0, 0, 5))
    box.put(fetched("a", 6, 9))
    assert [offset for _, offset in took(box, 10)] == [0, 5, 9]
    assert box.expected("a") == 10


def test_a_fetch_that_never_arrived_is_noticed() -> None:
    box = inbox(a=0)
    box.put(fetched("a", 0, 0, 1))
    with pytest.raises(LostRecordsError, match="offsets 2 to 4"):
        box.put(fetched("a", 5, 5, 6))


def test_the_oldest_of_all_inputs_comes_first() -> None:
    box = inbox(a=0, b=0)
    box.put(Fetched("a", 0, 0, [Row(0, timestamp=5), Row(1, timestamp=9)]))
    box.put(Fetched("b", 0, 0, [Row(0, timestamp=7)]))
    assert took(box, 2) == [("a", 0), ("b", 0)]
    assert took(box, 2) == [("a", 1)]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 50)), max_size=60),
    st.integers(1, 7),
    st.integers(0, 5),
)
def test_however_it_is_cut_everything_comes_once_in_its_topics_order(
    rows: list[tuple[str, int]], limit: int, overlap: int
) -> None:
    logs = {"a": [time for topic, time in rows if topic == "a"], "b": [time for topic, time in rows if topic == "b"]}
    box = inbox(a=0, b=0)
    taken: list[tuple[str, int]] = []
    for topic, times in logs.items():
        for start in range(0, len(times), 3):
            back = max(0, start - overlap)
            piece = [Row(offset, timestamp=times[offset]) for offset in range(back, min(start + 3, len(times)))]
            box.put(Fetched(topic, 0, back, piece))
            some = took(box, limit)
            assert len(some) <= limit
            taken += some
    while len(box):
        taken += took(box, limit)
    for topic, times in logs.items():
        assert [offset for name, offset in taken if name == topic] == list(range(len(times)))
