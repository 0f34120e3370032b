"""Profiles, trends and companions are their definitions, worked out the long way."""

import numpy as np
import pytest

from policies.baskets import trend as trends
from policies.baskets.companions import Companions
from policies.baskets.profile import COUNTS, DAY, EVER, LAST, LAST_VISIT, Profile
from policies.baskets.trend import Trend, highest

Visits = list[tuple[list[int], int]]


def visits(seed: int, count: int = 60, things: int = 30) -> Visits:
    rng = np.random.default_rng(seed)
    at, found = 0, Visits()
    for _ in range(count):
        at += int(rng.exponential(4.0) * DAY)
        found.append((rng.choice(things, rng.integers(1, 9), replace=False).tolist(), at))
    return found


def test_a_profiles_counts_fade_by_time_by_visits_and_by_size() -> None:
    profile, seen = Profile(), visits(1)
    for things, at in seen:
        profile.observe(np.array(things), at)
    now = seen[-1][1] + 3 * int(DAY)
    thing = seen[-4][0][0]
    of = [(n, items, at) for n, (items, at) in enumerate(seen) if thing in items]
    wanted = [
        sum(0.5 ** ((now - at) / (14 * DAY)) for _, _, at in of),
        sum(0.5 ** ((now - at) / (60 * DAY)) for _, _, at in of),
        len(of),
        sum(0.5 ** ((len(seen) - 1 - n) / 8) for n, _, _ in of),
        sum(0.5 ** ((now - at) / (60 * DAY)) / len(items) for _, items, at in of),
        sum(0.5 ** ((len(seen) - 1 - n) / 16) / len(items) for n, items, _ in of),
    ]
    column = profile.find(np.array([thing, 999]))
    assert column[1] == -1
    assert profile.rows[:COUNTS, column[0]] * profile.fading(now) == pytest.approx(wanted)
    assert profile.rows[LAST, column[0]] == of[-1][2]
    assert profile.rows[LAST_VISIT, column[0]] == of[-1][0]


def test_the_strongest_are_those_bought_most_of_late() -> None:
    profile = Profile()
    for day in range(40):
        profile.observe(np.array([day, 1000 + day % 3]), day * int(DAY))
    assert {1000, 1001, 1002, 39, 38} == set(profile.strongest(5).tolist())
    assert len(profile.strongest(100)) == 43
    assert profile.rows[EVER, profile.find(np.array([1000]))[0]] == 14


@pytest.mark.parametrize("start", [0, 3_000 * int(DAY)])
def test_a_trends_shares_are_the_long_way_too_and_outlive_a_new_origin(start: int) -> None:
    trend, profile, seen = Trend(), Profile(), visits(2, count=400)
    for things, at in seen:
        trend.observe(np.array(things), start + at, profile)
        profile.observe(np.array(things), start + at)
    now = seen[-1][1] + int(DAY)
    counts = np.array([sum(0.5 ** ((now - at) / (60 * DAY)) for items, at in seen if t in items) for t in range(30)])
    shares = trend.shares(trend.read(np.arange(30)), start + now)
    assert trend.total[trends.COUNT] == sum(len(items) for items, _ in seen)
    slow = (counts + 0.02) / (counts.sum() + 1.0)
    assert shares[trends.STEADY] == pytest.approx(slow)
    lately = np.array([sum(0.5 ** ((now - at) / DAY) for items, at in seen if t in items) for t in range(30)])
    assert shares[trends.DAILY] == pytest.approx((lately + 50 * slow) / (lately.sum() + 50))
    assert now > 400 * DAY  # it was rebased


def test_the_highest_are_found_and_nothing_without_weight() -> None:
    assert sorted(highest(np.array([0.0, 3.0, 1.0, 2.0]), 2).tolist()) == [1, 3]
    assert sorted(highest(np.array([0.0, 3.0, 1.0]), 5).tolist()) == [1, 2]


def test_companions_are_shares_of_the_latest_baskets() -> None:
    companions = Companions(follow=False)
    for n in range(10):
        companions.observe(np.array([0, 1] if n % 2 else [0, 2]), np.array([3]))
    scores, _ = companions.scores(np.array([0]), 4)
    assert scores == pytest.approx(np.array([10, 5, 5, 0]) / 15)
    assert not companions.scores(np.array([3]), 4)[0].any()
    following = Companions()
    following.observe(np.array([1]), np.array([3]))
    assert following.scores(np.array([3]), 4)[0][1] > 0
