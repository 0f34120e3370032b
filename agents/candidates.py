"""Which items come into question for a user, and what is known of each pair. No weights, no choice."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import numpy as np

from policies.linalg import Floats
from policies.recommend import FEATURES
from policies.slate import MAX_CANDIDATES
from streams.profile import HALF_LIFE, Owned, Profile
from streams.times import DAY
from streams.views import LONG_HALF_LIFE, SHORT_HALF_LIFE, Views

OWN, WITH, TRENDING, COLD = 60, 15, 15, 4
CATEGORIES, PER_CATEGORY = 4, 4
JUST_BOUGHT_DAYS: Final = 3.0
EVERYONE: Final = 15.0  # visits of the user's own that what everyone buys is worth
QUIET_DAY: Final = 100.0  # purchases of nothing in particular, so that a handful in a day isn't taken for a trend

_NEVER: Final = Owned()


@dataclass(slots=True)
class Look:
    """One user as seen at one moment: `now` is event time; `measures` are the user's River features by name."""

    profile: Profile
    measures: dict[str, float]
    views: Views
    now: int
    location: str | None = None
    own: dict[str, float] = field(default_factory=dict[str, float])  # decayed count by item
    tastes: dict[str, float] = field(default_factory=dict[str, float])  # decayed count by category
    together: dict[str, float] = field(default_factory=dict[str, float])  # how often bought with what was just touched

    def __post_init__(self) -> None:
        self.own = _faded(self.profile.items, self.now)
        self.tastes = {name: count.read(self.now, HALF_LIFE) for name, count in self.profile.categories.items()}
        for recent in self.profile.recent:
            stats = self.views.items.get(recent)
            for item, share in stats.companions if stats is not None else ():
                self.together[item] = self.together.get(item, 0.0) + share

    def candidates(self) -> list[str]:
        """Up to 100 eligible items: from the user's history, co-purchase, trend, categories, popularity, new ones."""
        found: dict[str, None] = {}
        for source, limit in self._sources():
            fresh = (item for item in source if item not in found and self.views.eligible(item, self.location))
            found |= dict.fromkeys(islice(fresh, min(limit, MAX_CANDIDATES - len(found))))
        return list(found)

    def _sources(self) -> Iterator[tuple[Iterable[str], int]]:
        yield _by_weight(self.own), OWN
        yield _by_weight(self.together), WITH
        yield self.views.trending, TRENDING
        for category in _by_weight(self.tastes)[:CATEGORIES]:
            if category in self.views.by_category:
                yield self.views.by_category[category], PER_CATEGORY
        yield self.views.cold(COLD), COLD
        yield self.views.popular, MAX_CANDIDATES

    def features(self, items: list[str]) -> Floats:
        """The features of (user, item), by policies.recommend.FEATURES: [C, d]."""
        phi = np.zeros((len(items), len(FEATURES)))
        known = np.array([item in self.own for item in items], dtype=np.float64)
        own = np.array([self.own.get(item, 0.0) for item in items])
        phi[:, 0] = 1.0
        visits = self.profile.visits.read(self.now, HALF_LIFE)
        phi[:, 1] = own / (visits + EVERYONE)
        phi[:, 2] = np.log1p(own)
        phi[:, 3] = known
        phi[:, 4:6] = self._habits(items)
        phi[:, 6:8] = self._shares(items) * max(1.0, self.measures["basket_size"]) * EVERYONE / (visits + EVERYONE)
        phi[:, 8] = [min(2.0, self.together.get(item, 0.0)) for item in items]
        phi[:, 9] = self._tastes(items)
        phi[:, 10] = (1.0 - known) * self.measures["novelty"]
        phi[:, 11] = self._price_fit(items)
        return phi

    def _habits(self, items: list[str]) -> Floats:
        """How due a repurchase is (1: one usual gap after the last; at most 2), and how fresh the last is: [C, 2]."""
        owned = [self.profile.items.get(item, _NEVER) for item in items]
        at = np.array([one.at for one in owned], dtype=np.float64)
        spans = at - np.array([one.first_at for one in owned], dtype=np.float64)
        gaps = spans / np.maximum(1.0, np.array([one.times - 1.0 for one in owned]))
        since = np.maximum(0.0, self.now - at)
        due = np.where(gaps > 0, np.minimum(2.0, since / np.maximum(1.0, gaps)), 0.0)
        return np.stack([due, np.exp(-since / (JUST_BOUGHT_DAYS * DAY))], axis=1)

    def _shares(self, items: list[str]) -> Floats:
        """Each item's share of all purchases, over about a day and about 60 days: [C, 2]."""
        stats = [self.views.items.get(item) for item in items]
        counts = np.array([(one.purchases_short, one.purchases_long) if one else (0.0, 0.0) for one in stats])
        ages = np.array([max(0, self.now - one.as_of) if one else 0 for one in stats], dtype=np.float64)
        half_lives = np.array([SHORT_HALF_LIFE, LONG_HALF_LIFE], dtype=np.float64)
        totals = (
            self.views.short_total.read(self.now, SHORT_HALF_LIFE) + QUIET_DAY,
            self.views.long_total.read(self.now, LONG_HALF_LIFE),
        )
        faded = np.exp2(-ages[:, None] / half_lives) * counts.reshape(-1, 2)
        return faded / np.maximum(1.0, np.array(totals))

    def _tastes(self, items: list[str]) -> list[float]:
        """The share of each item's category in what the user buys: [C]."""
        total = max(1.0, sum(self.tastes.values()))
        listed = (self.views.catalog.get(item) for item in items)
        return [self.tastes.get(one.category, 0.0) / total if one is not None else 0.0 for one in listed]

    def _price_fit(self, items: list[str]) -> Floats:
        """1 where the item costs what the user usually pays, falling with the ratio of the two: [C]."""
        stats = (self.views.items.get(item) for item in items)
        prices = np.array([one.price or 0.0 if one is not None else 0.0 for one in stats])
        usual = self.measures["price"]
        if usual <= 0:
            return np.zeros(len(items))
        ratio = np.maximum(prices, 1e-9) / usual
        return np.where(prices > 0, np.minimum(ratio, 1.0 / ratio), 0.0)


def _faded(items: dict[str, Owned], now: int) -> dict[str, float]:
    """The user's decayed counts as they stand now."""
    weights = np.array([one.weight for one in items.values()])
    ages = np.array([max(0, now - one.at) for one in items.values()], dtype=np.float64)
    return dict(zip(items, (weights * np.exp2(-ages / HALF_LIFE)).tolist(), strict=True))


def _by_weight(weights: dict[str, float]) -> list[str]:
    return sorted(weights, key=lambda name: (-weights[name], name))
