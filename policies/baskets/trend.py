"""What everyone buys: faded counts by thing, how it is bought again, and at which hours and days. No buyer's own taste.

Things are numbered from 0 and may grow in number. A count added at `at` weighs 2^((at − origin) / half-life), so that
no count has to be aged; shares don't depend on when one asks. Times are epoch ms.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from policies.baskets.profile import DAY, LAST, LAST_VISIT, Ids, Profile
from policies.linalg import Floats
from policies.portable import largest

HALF_LIVES: Final = np.array([1.0, 7.0, 60.0, 1.0, 30.0]) * DAY
DAILY, WEEKLY, STEADY, DAILY_BY_SIZE, STEADY_BY_SIZE = range(5)
_BY_SIZE: Final = DAILY_BY_SIZE  # from this one on each visit's things are worth one together
_SLOW: Final = np.array([STEADY, STEADY, STEADY, STEADY_BY_SIZE, STEADY_BY_SIZE])
_FADED: Final = len(HALF_LIVES)
_IS_QUICK: Final = 1.0 * (np.arange(_FADED) != _SLOW)
_QUIET: Final = np.array([50.0, 50.0, 1.0, 8.0, 1.0])  # purchases, or visits, that the slow share is worth
_DOUBT: Final = 0.02  # of a purchase, that anything is worth
_FAR: Final = 400.0  # of the shortest half-life: then counts are brought to a new origin
_PARTS: Final = 8  # of a day
_PART: Final = DAY / _PARTS

# The columns of `Trend.table` after the faded counts: purchases, those by buyers who had it before, their gaps (ms),
# those bought in the visit before; then purchases by part of the day, and by day of the week.
COUNT, AGAIN, GAPS, AT_ONCE = range(5, 9)
_HOURS: Final = 9
_DAYS: Final = _HOURS + _PARTS
_WIDTH: Final = _DAYS + 7


@dataclass(slots=True)
class Trend:
    """`table` [things, 24]: a thing's numbers lie side by side, so that a few hundred are read quickly."""

    table: Floats = field(default_factory=lambda: np.zeros((64, _WIDTH)))
    total: Floats = field(default_factory=lambda: np.zeros(_WIDTH))  # of each column; of COUNT: all purchases
    known: int = 0  # things numbered so far
    _origin: int | None = None

    def observe(self, ids: Ids, at: int, profile: Profile) -> None:
        """One visit's things, each once, and the buyer's profile as it was before."""
        if not len(ids):
            return
        self.make_room(int(ids.max()) + 1)
        added = np.zeros((len(ids), _WIDTH))
        weight = self._weight(at)
        weight[_BY_SIZE:] /= len(ids)
        added[:, :_FADED] = weight
        added[:, COUNT] = 1.0
        part, day = _when(at)
        added[:, part] = added[:, day] = 1.0
        columns = profile.find(ids)
        old = columns >= 0
        added[:, AGAIN] = old
        added[:, GAPS] = old * np.maximum(0.0, at - profile.rows[LAST, columns])
        added[:, AT_ONCE] = old & (profile.rows[LAST_VISIT, columns] == profile.visits - 1)
        self.table[ids] += added
        self.total += added.sum(axis=0)

    def read(self, ids: Ids) -> Floats:
        """What is known of each thing: [24, C]."""
        return np.ascontiguousarray(self.table[ids].T)

    def shares(self, read: Floats, now: int) -> Floats:
        """Each thing's share of all that was bought, by half-life: [24, C] → [5, C], above 0.

        The quick ones are drawn to the slow one of their sort, so that a handful in a day isn't taken for a trend.
        """
        unit = self._weight(now)
        count, total = read[:_FADED] / unit[:, None], self.total[:_FADED] / unit
        slow = (count[_SLOW] + _DOUBT) / (total[_SLOW] + 1.0)[:, None]
        return (count * _IS_QUICK[:, None] + _QUIET[:, None] * slow) / (total * _IS_QUICK + _QUIET)[:, None]

    def lifts(self, read: Floats, now: int) -> Floats:
        """How much more a thing is bought at this time of the day, and on this day of the week: ln of a ratio, [2, C].

        Ten purchases of no preference are added.
        """
        times = list(_when(now))
        usual = np.maximum(self.total[times], 1.0)[:, None] / max(float(self.total[COUNT]), 1.0)
        return np.log((read[times] + 10.0 * usual) / ((read[COUNT] + 10.0) * usual))

    def highest(self, half_life: int, count: int) -> Ids:
        """The things of the largest share, in no order."""
        return highest(self.table[: self.known, half_life], count)

    def make_room(self, known: int) -> None:
        """Have a place for so many things."""
        self.known = max(self.known, known)
        short = self.known - len(self.table)
        if short > 0:
            self.table = np.pad(self.table, ((0, max(short, len(self.table))), (0, 0)))

    def _weight(self, at: int) -> Floats:
        if self._origin is None:
            self._origin = at
        if abs(at - self._origin) > _FAR * HALF_LIVES[0]:
            left = np.exp2(np.minimum(0.0, (self._origin - at) / HALF_LIVES))
            self.table[:, :_FADED] *= left
            self.total[:_FADED] *= left
            self._origin = max(at, self._origin)
        return np.exp2((at - self._origin) / HALF_LIVES)


def highest(weights: Floats, count: int) -> Ids:
    """Where the largest weights above 0 stand, in order of place."""
    found = largest(weights, count)
    return found[weights[found] > 0]


def _when(at: int) -> tuple[int, int]:
    """The columns of the part of the day and of the day of the week."""
    return _HOURS + int(at % DAY // _PART), _DAYS + int(at // DAY) % 7
