"""What one buyer bought, visit by visit, as columns of numbers. No names, no other buyer, no clock.

Things are numbered: items, or kinds of items; a visit holds each at most once. Times are epoch ms and never run back
within a profile. Counts fade as of the last visit, so that a profile is aged as a whole when the next one comes.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from policies.linalg import Floats
from policies.portable import largest

DAY: Final = 86_400_000.0
_NEVER: Final = np.inf
# Six counts of each thing's visits. They fade with time, with visits, or not at all; in the last two a visit's things
# are worth one together: so much does each of them weigh in the recall of its basket.
HALF_LIFE: Final = np.array([14 * DAY, 60 * DAY, _NEVER, _NEVER, 60 * DAY, _NEVER])  # ms
_HALF_LIFE_VISITS: Final = np.array([_NEVER, _NEVER, _NEVER, 8.0, _NEVER, 16.0])
COUNTS: Final = len(HALF_LIFE)
_BY_SIZE: Final = 4  # from this count on
_A_VISIT: Final = np.exp2(-1.0 / _HALF_LIFE_VISITS)
EVER: Final = 2
SLOW: Final = 0.1  # how fast averages over visits follow, once there are ten

Ids = npt.NDArray[np.int64]

# The rows of `Profile.rows` after the counts: times, and numbers of visits.
LAST, FIRST, LAST_VISIT, FIRST_VISIT = range(COUNTS, COUNTS + 4)
_WIDTH: Final = COUNTS + 4


def sums(ids: Ids, weights: Floats, things: int = 0) -> Floats:
    """The weights of each thing added up: [things], or as many as there are."""
    found: Any = np.bincount(ids, weights=weights, minlength=things)
    return found


@dataclass(slots=True)
class Profile:
    """`rows` [10, capacity] hold what is known of each thing bought; `ids` which it is; `place` where it stands."""

    ids: Ids = field(default_factory=lambda: np.empty(8, dtype=np.int64))
    rows: Floats = field(default_factory=lambda: np.zeros((_WIDTH, 8)))
    place: dict[int, int] = field(default_factory=dict[int, int])
    visits: int = 0
    at: int = 0
    faded_visits: Floats = field(default_factory=lambda: np.zeros(COUNTS))
    log_size: float = 0.0  # average of ln(things a visit)
    novelty: float = 0.0  # average share of things never bought before
    gap: float = 0.0  # average ms between visits
    latest: Ids = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # things of the last visit
    previous: Ids = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # and of the one before

    def fading(self, now: int) -> Floats:
        """What is left at `now` of counts as of the last visit, by half-life: [6]."""
        return np.exp2(-max(0, now - self.at) / HALF_LIFE)

    def find(self, ids: Ids) -> Ids:
        """The column of each thing; -1 where it was never bought."""
        get = self.place.get
        return np.array([get(each, -1) for each in ids.tolist()], dtype=np.int64)

    def strongest(self, count: int) -> Ids:
        """Up to `count` things: those bought most of late, and, if anything is left, ever."""
        n = len(self.place)
        if n <= count:
            return self.ids[:n]
        weight = 2.0 * self.rows[0, :n] + self.rows[1, :n] + 0.02 * self.rows[EVER, :n]
        return self.ids[largest(weight, count)]

    def observe(self, ids: Ids, at: int) -> None:
        """One visit's things, each once; none is no visit."""
        if not len(ids):
            return
        at = max(at, self.at)
        before = len(self.place)
        self._age(at)
        columns = self._columns(ids, at)
        self.rows[:_BY_SIZE, columns] += 1.0
        self.rows[_BY_SIZE:COUNTS, columns] += 1.0 / len(ids)
        self.rows[LAST, columns] = at
        self.rows[LAST_VISIT, columns] = self.visits
        rate = max(SLOW, 1.0 / (self.visits + 1))
        self.log_size += rate * (np.log(len(ids)) - self.log_size)
        self.novelty += rate * ((len(self.place) - before) / len(ids) - self.novelty)
        self.faded_visits += 1.0
        self.visits += 1
        self.previous, self.latest = self.latest, ids

    def _age(self, at: int) -> None:
        if self.visits:
            left = self.fading(at) * _A_VISIT
            self.rows[:COUNTS, : len(self.place)] *= left[:, None]
            self.faded_visits *= left
            self.gap += max(2.0 * SLOW, 1.0 / self.visits) * (at - self.at - self.gap)
        self.at = at

    def _columns(self, ids: Ids, at: int) -> Ids:
        """The column of each thing; new things get one."""
        columns = self.find(ids)
        for where in np.flatnonzero(columns < 0).tolist():
            column = len(self.place)
            if column == len(self.ids):
                self.ids = np.concatenate([self.ids, np.empty_like(self.ids)])
                self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)], axis=1)
            columns[where] = self.place[int(ids[where])] = column
            self.ids[column] = ids[where]
            self.rows[FIRST, column], self.rows[FIRST_VISIT, column] = at, self.visits
        return columns
