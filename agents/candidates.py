"""Which items come into question for a user, and what is known of each pair. No weights, no choice."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from policies.linalg import Floats
from policies.recommend import FEATURES
from policies.slate import MAX_CANDIDATES
from streams.profile import HALF_LIFE, Profile
from streams.times import DAY
from streams.views import LONG_HALF_LIFE, SHORT_HALF_LIFE, Views

OWN, WITH, TRENDING, COLD = 60, 15, 15, 4
CATEGORIES, PER_CATEGORY = 4, 4
JUST_BOUGHT_DAYS: Final = 3.0
EVERYONE: Final = 15.0  # visits of the user's own that what everyone buys is worth
_HALF_LIVES: Final = np.array([SHORT_HALF_LIFE, LONG_HALF_LIFE], dtype=np.float64)
QUIET_DAY: Final = 100.0  # purchases of nothing in particular, so that a handful in a day isn't taken for a trend


@dataclass(slots=True)
class Look:
    """One user as seen at one moment: `now` is event time; `measures` are the user's River features by name."""

    profile: Profile
    measures: dict[str, float]
    views: Views
    now: int
    location: str | None = None
    own: Floats = field(init=False)  # decayed count of purchases, by row of the profile's items
    tastes: dict[str, float] = field(init=False)  # decayed count by category
    together: dict[str, float] = field(default_factory=dict[str, float])  # how often bought with what was just touched

    def __post_init__(self) -> None:
        self.own = self.profile.items.faded(self.now, HALF_LIFE)
        self.tastes = self.profile.tastes(self.now)
        together, known = self.together, self.views.items
        for recent in self.profile.recent:
            if recent in known:
                for item, share in known[recent].companions:
                    together[item] = together.get(item, 0.0) + share

    def candidates(self) -> list[str]:
        """Up to 100 eligible items: from the user's history, co-purchase, trend, categories, popularity, new ones."""
        found: dict[str, None] = {}
        doubtful, eligible, location = self.views.doubtful, self.views.eligible, self.location
        for source, limit in self._sources():
            full = min(MAX_CANDIDATES, len(found) + limit)
            for item in source:
                if len(found) >= full:
                    break
                if item not in doubtful or eligible(item, location):
                    found[item] = None
        return list(found)

    def _sources(self) -> Iterator[tuple[Iterable[str], int]]:
        yield _by_weight(self.profile.items, self.own), OWN
        yield _by_weight(self.together, np.array(list(self.together.values()))), WITH
        yield self.views.trending, TRENDING
        for category in _by_weight(self.tastes, np.array(list(self.tastes.values())))[:CATEGORIES]:
            if category in self.views.by_category:
                yield self.views.by_category[category], PER_CATEGORY
        yield self.views.cold(COLD), COLD
        yield self.views.popular, MAX_CANDIDATES

    def features(self, items: list[str]) -> Floats:
        """The features of (user, item), by policies.recommend.FEATURES: [C, d]."""
        phi = np.zeros((len(items), len(FEATURES)))
        rows = self.profile.items.rows(items)
        own = np.append(self.own, 0.0)[rows]  # row -1: never bought
        visits = self.profile.visits.read(self.now, HALF_LIFE)
        numbers = self.views.numbers.read(items)
        phi[:, 0] = 1.0
        phi[:, 1] = own / (visits + EVERYONE)
        phi[:, 2] = np.log1p(own)
        phi[:, 3] = rows >= 0
        phi[:, 4], phi[:, 5] = self._habits(rows)
        scale = max(1.0, self.measures["basket_size"]) * EVERYONE / (visits + EVERYONE)
        phi[:, 6:8] = self._shares(numbers) * scale
        phi[:, 8] = [min(2.0, self.together.get(item, 0.0)) for item in items]
        phi[:, 9] = self._tastes(items)
        phi[:, 10] = (rows < 0) * self.measures["novelty"]
        phi[:, 11] = self._price_fit(numbers[3])
        return phi

    def _habits(self, rows: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
        """How due a repurchase is (1: one usual gap after the last; at most 2), and how fresh the last is: [C] each."""
        history = np.append(self.profile.items.history(), np.zeros((3, 1)), axis=1)
        at, first_at, times = history[:, rows]
        gaps = (at - first_at) / np.maximum(1.0, times - 1.0)
        since = np.maximum(0.0, self.now - at)
        due = np.where(gaps > 0, np.minimum(2.0, since / np.maximum(1.0, gaps)), 0.0)
        return due, np.exp(-since / (JUST_BOUGHT_DAYS * DAY))

    def _shares(self, numbers: Floats) -> Floats:
        """Each item's share of all purchases, over about a day and about 60 days: [C, 2]."""
        ages = np.maximum(0.0, self.now - numbers[2])
        totals = (
            self.views.short_total.read(self.now, SHORT_HALF_LIFE) + QUIET_DAY,
            self.views.long_total.read(self.now, LONG_HALF_LIFE),
        )
        faded = np.exp2(-ages[:, None] / _HALF_LIVES) * numbers[:2].T
        return faded / np.maximum(1.0, np.array(totals))

    def _tastes(self, items: list[str]) -> list[float]:
        """The share of each item's category in what the user buys: [C]."""
        total = max(1.0, sum(self.tastes.values()))
        category, taste = self.views.categories.get, self.tastes.get
        return [taste(category(item, ""), 0.0) / total for item in items]

    def _price_fit(self, prices: Floats) -> Floats:
        """1 where the item costs what the user usually pays, falling with the ratio of the two: [C]."""
        usual = self.measures["price"]
        if usual <= 0:
            return np.zeros(len(prices))
        ratio = np.maximum(prices, 1e-9) / usual
        return np.where(prices > 0, np.minimum(ratio, 1.0 / ratio), 0.0)


def _by_weight(names: Iterable[str], weights: Floats) -> list[str]:
    """The names, highest weight first; equal weights by name."""
    return [name for _, name in sorted(zip((-weights).tolist(), names, strict=True))]
