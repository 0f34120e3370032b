"""Decayed counts without ageing are the same as decayed counts with it, and their top is exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.baselines.fading import FadingCounts

HALF_LIFE = 1_000.0
events = st.lists(st.tuples(st.sampled_from("abcdefghijkl"), st.integers(0, 3_000)), min_size=1, max_size=120)


def aged(stream: list[tuple[str, int]], now: int) -> dict[str, float]:
    counts: dict[str, float] = {}
    for item, at in stream:
        counts[item] = counts.get(item, 0.0) + 0.5 ** ((now - at) / HALF_LIFE)
    return counts


def timed(gaps: list[tuple[str, int]]) -> list[tuple[str, int]]:
    at, stream = 0, list[tuple[str, int]]()
    for item, gap in gaps:
        at += gap
        stream.append((item, at))
    return stream


@given(events, st.integers(1, 5))
def test_the_top_is_that_of_counts_which_are_aged_one_by_one(gaps: list[tuple[str, int]], size: int) -> None:
    stream = timed(gaps)
    counts = FadingCounts(HALF_LIFE, size=size)
    for item, at in stream:
        counts.add(item, at)
        counts.top()
    expected = aged(stream, stream[-1][1])
    found = [expected[item] for item in counts.top()]
    assert found == pytest.approx(sorted(expected.values(), reverse=True)[:size])
    assert counts.share("a") == pytest.approx(expected.get("a", 0.0) / sum(expected.values()))


def test_a_stream_of_a_thousand_half_lives_neither_overflows_nor_forgets_the_newest() -> None:
    counts = FadingCounts(HALF_LIFE, size=2)
    for step in range(2_000):
        counts.add("old" if step < 1_000 else "new", step * 1_000)
    counts.add("newest", 2_010_000)
    assert counts.top()[:2] == ["newest", "new"]
    assert "old" not in counts.weights
    assert counts.share("newest") == pytest.approx(1.0, abs=1e-2)
