"""The features of (user, item) pairs, worked out for all slates of a batch at once.

Everything is elementwise, so that a pair's features don't depend on which others are worked out beside it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from policies.attention.encoder import History
from policies.attention.prior import Encoder
from policies.attention.scene import Scene, encoded
from policies.linalg import Floats
from policies.slates.recommend import ENCODED, FEATURES, Ints, quantise
from streams.item_table import AS_OF, LONG, PRICE, SHORT, Rows
from streams.times import DAY
from streams.views import LONG_HALF_LIFE, SHORT_HALF_LIFE, Views

JUST_BOUGHT_DAYS: Final = 3.0
EVERYONE: Final = 15.0  # visits of the user's own that what everyone buys is worth
QUIET_DAY: Final = 100.0  # purchases of nothing in particular, so that a handful in a day isn't taken for a trend
FRESH: Final = 3.0  # purchases in 60 days that an item is taken to have beside those it has
_QUIET: Final = np.array([[QUIET_DAY], [0.0]])
_HALF_LIVES: Final = np.array([[SHORT_HALF_LIFE], [LONG_HALF_LIFE]], dtype=np.float64)


@dataclass(slots=True, kw_only=True)
class Facts:
    """One user and C items at one moment: `now` is event time; what is measured of the user is by its feature's name.

    `history` is [5, C]: the user's decayed count of purchases, their part of the user's baskets, the last, the first
    (epoch ms), and how many; all 0 where there was none. `together` is how often an item is bought with what the user
    has just touched, `taste` the share of its category in what the user buys: [C] each. `past` is what the user touched
    last; None outside a visit, and where no item has a token.
    """

    rows: Rows
    history: Floats
    together: Floats
    taste: Floats
    past: History | None
    now: int
    visits: float
    basket_size: float
    novelty: float
    price: float


class Known(NamedTuple):
    """The features of one user's pairs [C, d] in units of 1/4096, and what an encoder adds to them (`encoded_by`)."""

    phi: Ints
    scene: Scene | None  # None where attention has no say


def features(known: Sequence[Facts], views: Views) -> Iterator[Known]:
    """For each of them the features by policies.slates.recommend.FEATURES; what an encoder makes is 0 yet."""
    counts = [len(one.rows) for one in known]
    numbers = views.table.numbers[:, np.concatenate([one.rows for one in known])]
    own, part, at, first_at, times = np.concatenate([one.history for one in known], axis=1)
    now, visits, basket_size, novelty, price = _per_pair(known, counts)
    everyone = EVERYONE / (visits + EVERYONE)
    phi = np.empty((len(FEATURES), len(own)))
    phi[0] = 1.0
    size = np.maximum(1.0, basket_size)
    phi[1] = own / (visits + EVERYONE)
    phi[2] = part * size / (visits + EVERYONE)
    phi[3] = times > 0
    phi[4] = _due(now - at, at - first_at, times)
    phi[5] = np.exp(np.minimum(0.0, at - now) / (JUST_BOUGHT_DAYS * DAY))
    phi[6:8] = _shares(numbers, now, views) * (size * everyone)
    phi[8] = np.minimum(2.0, np.concatenate([one.together for one in known]))
    phi[9] = np.concatenate([one.taste for one in known])
    phi[10] = (times == 0) * novelty
    phi[11] = _price_fit(numbers[PRICE], price)
    phi[ENCODED] = 0.0
    ends = np.cumsum(counts)[:-1]
    worth = np.split(_worth(phi[7], now, views, size * everyone), ends)
    scenes = [_scene(one, each, views) for one, each in zip(known, worth, strict=True)]
    return map(Known, np.split(quantise(phi), ends), scenes)


def encoded_by(encoder: Encoder, known: Sequence[Known]) -> list[Ints]:
    """The features [C, d] as this encoder sees the users' histories."""
    seen = [one.scene for one in known if one.scene is not None]
    made = encoded(encoder, seen) if seen else iter(())
    return [one.phi if one.scene is None else _with(one.phi, next(made)) for one in known]


def _with(phi: Ints, encoded: Floats) -> Ints:
    found = phi.copy()
    found[:, ENCODED] = quantise(encoded)
    return found


def _per_pair(known: Sequence[Facts], counts: Sequence[int]) -> Floats:
    """What is the same for all items of a slate, once a pair: [5, ΣC]."""
    one_each = [(one.now, one.visits, one.basket_size, one.novelty, one.price) for one in known]
    return np.repeat(np.array(one_each, dtype=np.float64).T, counts, axis=1)


def _due(since: Floats, span: Floats, times: Floats) -> Floats:
    """How due a repurchase is: 1 after one usual gap, at most 2; 0 where no gap is known. [n]."""
    gaps = span / np.maximum(1.0, times - 1.0)
    return np.where(gaps > 0, np.minimum(2.0, np.maximum(0.0, since) / np.maximum(1.0, gaps)), 0.0)


def _shares(numbers: Floats, now: Floats, views: Views) -> Floats:
    """Each item's share of all purchases, over about a day and about 60 days: [2, n]."""
    ages = np.maximum(0.0, now - numbers[AS_OF])
    totals = (views.short_total, views.long_total)
    value, at = np.array([[one.value, one.at] for one in totals]).T[..., None]
    everything = value * np.exp2(-np.maximum(0.0, now - at) / _HALF_LIVES) + _QUIET
    return np.exp2(-ages / _HALF_LIVES) * numbers[[SHORT, LONG]] / np.maximum(1.0, everything)


def _worth(shares: Floats, now: Floats, views: Views, scale: Floats) -> Floats:
    """What everyone buys of an item in 60 days and a little more, so that what nobody has bought yet can be found: [n].

    `shares` [n] are on the `scale` [n] of a user's basket already.
    """
    total = views.long_total
    everything = total.value * np.exp2(-np.maximum(0.0, now - total.at) / LONG_HALF_LIFE) + QUIET_DAY
    return shares + FRESH / everything * scale


def _scene(one: Facts, worth: Floats, views: Views) -> Scene | None:
    """What attention is asked: of items that the user never bought."""
    if one.past is None:
        return None
    new: Ints = np.flatnonzero(one.history[4] == 0)
    return Scene.of(one.past, new, views.tokens.read(one.rows[new]), worth[new], len(one.rows))


def _price_fit(prices: Floats, usual: Floats) -> Floats:
    """1 where the item costs what the user usually pays, falling with the ratio of the two; 0 where unknown: [n]."""
    known = (prices > 0) & (usual > 0)
    ratio = np.where(known, prices, 1.0) / np.where(known, usual, 1.0)
    return np.where(known, np.minimum(ratio, 1.0 / ratio), 0.0)
