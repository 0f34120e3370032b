"""Records of many partitions in the log's order of time."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from infra.cluster.clients import Partition
from infra.dashboard.merge import Merge


@dataclass(frozen=True)
class Lain:
    """A record, as far as merging looks at it."""

    offset: int
    timestamp: int


Logs = list[list[int]]  # times by partition, rising


@given(st.lists(st.lists(st.integers(0, 50), max_size=12).map(sorted), min_size=1, max_size=4), st.integers(1, 5))
def test_records_come_once_each_and_in_order_of_time_whatever_a_fetch_brings(logs: Logs, fetch: int) -> None:
    places = [Partition("t", number) for number in range(len(logs))]
    merge = Merge({place: len(log) for place, log in zip(places, logs, strict=True)})
    at = dict.fromkeys(places, 0)
    came: list[tuple[int, int, int]] = []
    for _ in range(1_000):
        for place in merge.starved:
            merge.reached(place, at[place])
        if merge.done:
            break
        for place in merge.starved[:1]:  # a fetch may bring only some of what is asked for
            times = logs[place.partition]
            rows = [Lain(n, times[n]) for n in range(at[place], min(len(times), at[place] + fetch))]
            merge.put({place: rows})  # pyright: ignore[reportArgumentType]  # all that merging looks at
            at[place] += len(rows)
        came += [(row.timestamp, place.partition, row.offset) for place, row in merge.ready(3)]
    assert merge.done
    assert [one[0] for one in came] == sorted(time for log in logs for time in log)
    for place in places:
        assert [offset for _, p, offset in came if p == place.partition] == list(range(len(logs[place.partition])))


def test_a_partition_whose_end_holds_no_record_is_not_waited_for() -> None:
    place = Partition("t", 0)
    merge = Merge({place: 3})  # a marker of a transaction takes up an offset
    merge.put({place: [Lain(0, 5)]})  # pyright: ignore[reportArgumentType]
    assert len(list(merge.ready(10))) == 1
    assert not merge.done
    merge.reached(place, 3)
    assert merge.done
