"""What is known of each (buyer, item) pair when a basket is about to be named: features of order one, free of scale.

Shares, ratios and logarithms of counts, so that weights learned in one shop are of use in another. Counts in which a
visit's things are worth one together stand beside plain ones: recall of a basket of n weighs each of its items 1/n, so
that is what a household's score for an item should estimate.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from policies.baskets import trend as trends
from policies.baskets.profile import COUNTS, DAY, EVER, FIRST, FIRST_VISIT, LAST, LAST_VISIT, Ids, Profile
from policies.baskets.trend import AGAIN, AT_ONCE, COUNT, GAPS, Trend
from policies.linalg import Floats

_SHARES: Final = ("in_14_days", "in_60_days", "ever", "in_8_visits", "in_60_days_by_size", "in_16_visits_by_size")
_OWN: Final = (
    *(f"own_{name}" for name in _SHARES),
    "own_share_60_days",
    "own_share_ever",
    "own_times",
    "own_days_since",
    "own_visits_since",
    "own_in_last_visit",
    "own_in_one_before",
    "own_due",
    "own_due_passed",
    "own_visits_due",
    "own_once",
    "own_bought",
)
_HABIT: Final = ("bought_again", "own_bought_again", "own_again_at_once", "gap_of_all")
_ALL: Final = (
    "all_1_day",
    "all_7_days",
    "all_60_days",
    "all_1_day_by_size",
    "all_30_days_by_size",
    "all_trend",
    "all_share_1_day",
    "all_share_1_day_by_size",
    "hour_lift",
    "weekday_lift",
)
_KIND: Final = (
    "kind_known",
    *(f"kind_{name}" for name in _SHARES),
    "kind_times",
    "kind_days_since",
    "kind_visits_since",
    "kind_due",
    "kind_due_passed",
    "in_kind_60_days",
    "in_kind_1_day",
)
_CONTEXT: Final = (
    "visit_size",
    "novelty",
    "visits",
    "days_since_visit",
    "visit_due",
    "days_between_visits",
    "day_sine",
    "day_cosine",
    "weekend",
    "things_known",
)
FEATURES: Final = (*_OWN, *_HABIT, *_ALL, "bought_with", *_KIND, *_CONTEXT)

_LEAST: Final = np.array([0.02, 0.02, 0.02, 0.02, 0.005, 0.005])[:, None]  # purchases that anything is worth
_USUAL_GAP: Final = 20.0 * DAY  # until there are gaps to go by


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Buyer and shop as seen in numbers of one sort: of items, or of their kinds."""

    profile: Profile
    trend: Trend


def features(items: Level, ids: Ids, together: Floats, now: int, kinds: Level | None, kind_of: Ids) -> Floats:
    """[F, C] by FEATURES. `together` [C]: how often bought with the last visit's; `kind_of` [C]: -1 where unknown."""
    profile, trend = items.profile, items.trend
    columns = profile.find(ids)
    everyone = trend.read(ids)
    shares = trend.shares(everyone, now)
    phi = np.zeros((len(FEATURES), len(ids)))
    rows = [
        *_own(profile, columns, everyone, now),
        *_habits(columns, everyone),
        *_everyone(trend, everyone, shares, now),
        np.log(together + 1e-3),
    ]
    phi[: len(rows)] = rows
    if kinds is not None:
        phi[len(rows) : len(rows) + len(_KIND)] = _kind(kinds, kind_of, shares, now) * (kind_of >= 0)
    phi[-len(_CONTEXT) :] = np.array(_context(profile, now))[:, None]
    return phi


def _own(profile: Profile, columns: Ids, everyone: Floats, now: int) -> list[Floats]:
    """The buyer's purchases of each thing: how many by share of visits, how long ago, and whether it is due again."""
    has = columns >= 0
    known = profile.rows[:, np.maximum(columns, 0)] * has
    left = profile.fading(now)
    visits = profile.faded_visits * left + 1.0
    counts = known[:COUNTS] * left[:, None]
    shares = np.log((counts + _LEAST) / visits[:, None])
    times = known[EVER]
    several = times > 1.5
    since = np.maximum(0.0, now - known[LAST]) * has / DAY
    visits_since = (profile.visits - known[LAST_VISIT]) * has
    more = np.maximum(times - 1.0, 1.0)
    gap = np.where(several, (known[LAST] - known[FIRST]) / DAY, 0.0)
    visit_gap = np.where(several, (known[LAST_VISIT] - known[FIRST_VISIT]) / more, 0.0)
    due = since / np.maximum((gap + _usual_gap(everyone)) / np.maximum(times, 1.0), 1e-6)
    rows: list[Any] = [
        *shares,
        counts[1] / visits[1],
        counts[EVER] / visits[EVER],
        np.log1p(times),
        np.log1p(since),
        np.log1p(visits_since),
        (visits_since == 1.0) * 1.0,
        (visits_since == 2.0) * 1.0,
        np.minimum(due, 5.0),
        np.exp(-due) * has,
        np.where(several, np.minimum(visits_since / np.maximum(visit_gap, 0.5), 5.0), 0.0),
        1.0 * (has & ~several),
        1.0 * has,
    ]
    return rows


def _usual_gap(everyone: Floats) -> Floats:
    """Days until a thing is bought again by who had it: [C]."""
    return (everyone[GAPS] + _USUAL_GAP) / (everyone[AGAIN] + 1.0) / DAY


def _habits(columns: Ids, everyone: Floats) -> list[Floats]:
    """How everyone buys a thing again."""
    again = (everyone[AGAIN] + 0.5) / (everyone[COUNT] + 2.0)
    has = columns >= 0
    at_once = np.log((everyone[AT_ONCE] + 0.2) / (everyone[AGAIN] + 1.0))
    return [again, again * has, at_once * has, np.log1p(_usual_gap(everyone))]


def _everyone(trend: Trend, everyone: Floats, shares: Floats, now: int) -> list[Floats]:
    logs = np.log(shares)
    return [
        *logs,
        logs[trends.DAILY] - logs[trends.STEADY],
        10.0 * shares[trends.DAILY],
        10.0 * shares[trends.DAILY_BY_SIZE],
        *trend.lifts(everyone, now),
    ]


def _kind(kinds: Level, kind_of: Ids, shares: Floats, now: int) -> Floats:
    """The same of the thing's kind, and the thing's part in what is sold of its kind."""
    of = np.maximum(kind_of, 0)
    everyone = kinds.trend.read(of)
    rows = _own(kinds.profile, np.where(kind_of >= 0, kinds.profile.find(of), -1), everyone, now)
    kind_shares = kinds.trend.shares(everyone, now)
    within = np.log(shares[[trends.STEADY, trends.DAILY]] / kind_shares[[trends.STEADY, trends.DAILY]])
    return np.array([np.ones(len(of)), *rows[:COUNTS], *rows[8:11], rows[13], rows[14], *within])


def _context(profile: Profile, now: int) -> list[float]:
    """The moment and the buyer: the same for all candidates, so that they tell only what else matters how much."""
    since = max(0, now - profile.at) if profile.visits else 0
    turn = 2.0 * np.pi * (now % DAY) / DAY
    return [
        profile.log_size,
        profile.novelty,
        np.log1p(profile.visits),
        np.log1p(since / DAY),
        min(5.0, since / max(profile.gap, 1e-3 * DAY)),
        np.log1p(profile.gap / DAY),
        np.sin(turn),
        np.cos(turn),
        1.0 * ((now // DAY + 3) % 7 >= 5),  # the epoch began on a Thursday
        np.log1p(len(profile.place)),
    ]
