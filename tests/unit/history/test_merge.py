"""The merge is ordered by the streams' clocks, keeps each stream's order, and loses and doubles nothing."""

from collections.abc import Iterator
from itertools import accumulate, islice

from hypothesis import given
from hypothesis import strategies as st

from infra.history.merge import merged

Item = tuple[int, int]  # time, and its place in its stream

streams = st.lists(st.lists(st.integers(0, 30), max_size=20), max_size=5)


def numbered(times: list[list[int]]) -> list[list[Item]]:
    return [[(at, place) for place, at in enumerate(stream)] for stream in times]


def time_of(item: Item) -> int:
    return item[0]


@given(streams)
def test_ordered_by_clock_and_complete(times: list[list[int]]) -> None:
    given_ = numbered(times)
    got = list(merged([iter(stream) for stream in given_], time_of))
    for number, stream in enumerate(given_):
        assert [item for whose, item in got if whose == number] == stream
    clocks = [list(accumulate(stream, max)) for stream in times]
    keys = [(clocks[whose][place], whose) for whose, (_, place) in got]
    assert keys == sorted(keys)


@given(streams, st.integers(0, 100))
def test_going_on_from_any_place_gives_what_would_have_followed(times: list[list[int]], stop: int) -> None:
    given_ = numbered(times)
    whole = list(merged([iter(stream) for stream in given_], time_of))
    first = list(islice(merged([iter(stream) for stream in given_], time_of), stop))
    taken = [sum(whose == number for whose, _ in first) for number in range(len(given_))]
    rest = [iter(stream[count:]) for stream, count in zip(given_, taken, strict=True)]
    assert [*first, *merged(rest, time_of)] == whole


def test_one_item_a_stream_is_held() -> None:
    taken = [0, 0]

    def stream(number: int) -> Iterator[Item]:
        for place in range(1000):
            taken[number] += 1
            yield number * 10_000 + place, place

    found = merged([stream(0), stream(1)], time_of)
    assert len(list(islice(found, 500))) == 500
    assert taken == [500, 1]
