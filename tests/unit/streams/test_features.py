"""A feature put away and taken up again goes on exactly as if it had never been away."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import drift, stats

from agents.items import ITEM_FEATURES
from streams.campaigns import CAMPAIGN_FEATURES
from streams.features import Feature, Features, FeatureSet
from streams.profile import USER_FEATURES, UserFeatures
from streams.statistics import Count, Mean, changes, ew_mean, ew_var, trend

KINDS = {
    "count": Count,
    "mean": Mean,
    "ew_mean": ew_mean(8),
    "ew_var": ew_var(8),
    "trend": trend(3, 12),
    "changes": changes(2.0),
}
values = st.lists(st.floats(-1e6, 1e6), max_size=60)


@pytest.mark.parametrize("kind", KINDS)
@given(before=values, after=values)
def test_put_away_and_taken_up_is_the_same(kind: str, before: list[float], after: list[float]) -> None:
    kept, moved = KINDS[kind](), KINDS[kind]()
    for x in before:
        kept.update(x)
    moved.load(msgspec.msgpack.decode(msgspec.msgpack.encode(kept.dump())))
    for x in after:
        kept.update(x)
        moved.update(x)
    assert moved.read() == kept.read()
    assert moved.dump() == kept.dump()


def test_a_statistic_is_rivers() -> None:
    mine, rivers = ew_mean(3)(), stats.EWMean(0.5)
    for x in (1.0, 5.0, 2.0):
        mine.update(x)
        rivers.update(x)
    assert mine.read() == rivers.get()


def test_changes_counts_a_shift_of_level() -> None:
    found = changes(5.0)()
    for x in [0.0, 0.1] * 50 + [9.0, 9.1] * 50:
        found.update(x)
    assert found.read() >= 1


@given(
    levels=st.lists(st.tuples(st.floats(-3, 3), st.integers(1, 80)), min_size=1, max_size=5), threshold=st.floats(1, 20)
)
def test_changes_are_rivers_page_hinkley(levels: list[tuple[float, int]], threshold: float) -> None:
    mine, rivers, told = changes(threshold)(), drift.PageHinkley(threshold=threshold), 0
    for level, length in levels:
        for n in range(length):
            x = level + 0.3 * (n % 3)
            mine.update(x)
            rivers.update(x)
            told += rivers.drift_detected
    assert mine.read() == told


def test_a_feature_added_later_starts_new() -> None:
    first = Feature(name="a", source="x", window="all", why="test", statistic=Count)
    later = Feature(name="b", source="x", window="all", why="test", statistic=Mean)

    class Before(Features):
        of = FeatureSet("e", 1, (first,))

    class After(Features):
        of = FeatureSet("e", 2, (first, later))

    live = Before()
    live.update({"x": 2.0})
    assert After(live.put_away()).read() == {"a": 1.0, "b": 0.0}


def test_features_whose_source_is_absent_stay() -> None:
    live = UserFeatures()
    live.update({"price": 3.0})
    read = live.read()
    assert read["price"] == 3.0
    assert read["visits"] == 0.0


@pytest.mark.parametrize("declared", [USER_FEATURES, ITEM_FEATURES, CAMPAIGN_FEATURES], ids=lambda s: s.entity)
def test_every_feature_says_what_and_why(declared: FeatureSet) -> None:
    assert len(set(declared.names)) == len(declared.names)
    assert all(feature.source and feature.window and feature.why for feature in declared.features)
