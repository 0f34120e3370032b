"""TIFU-KNN (Hu et al., SIGIR 2020, arXiv 2006.00556): a buyer's faded item frequencies, mixed with those of neighbours.

A buyer's baskets are cut into m groups, the latest last. Within a group the j-th basket from its end weighs r_b^(j−1),
averaged; the groups themselves weigh r_g^(m−g), averaged. The score is α·own + (1−α)·mean of the k nearest buyers.

Here it runs on a stream. A buyer's vector is worked out again when asked for, and after every visit while there are
few, every third later. Neighbours are found among the `POOL` buyers that came last, by Euclidean distance between
sketches (Charikar et al. 2002) of the vectors, in 512 signed sums: exact but for noise of a few per cent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from policies.baselines.next_basket import Visit
from policies.baselines.numbered import Numbered
from policies.baskets.profile import Ids, sums
from policies.baskets.trend import highest
from policies.linalg import Floats
from policies.portable import largest

POOL: Final = 3000
_SKETCH: Final = 512
_LONGEST: Final = 200  # visits that a vector is made of
_FEW: Final = 10  # visits
_HEAVIEST: Final = 120  # items of a neighbour that are added up

Singles = npt.NDArray[np.float32]
Vector = tuple[Ids, Floats]  # items, each once, and their weights
_EMPTY: Final[Vector] = (np.empty(0, dtype=np.int64), np.empty(0))


@dataclass(slots=True)
class TifuKnn:
    """The paper's symbols: m groups, r_b within and r_g between them, k neighbours, α for one's own."""

    m: int = 7
    within: float = 0.9  # r_b
    between: float = 0.7  # r_g
    k: int = 300
    alpha: float = 0.7
    visits: dict[str, list[Ids]] = field(default_factory=dict[str, list[Ids]])
    pool: list[Vector] = field(default_factory=list[Vector])
    _sketches: Singles = field(default_factory=lambda: np.zeros((POOL, _SKETCH), dtype=np.float32))
    _norms: Singles = field(default_factory=lambda: np.zeros(POOL, dtype=np.float32))
    places: dict[str, int] = field(default_factory=dict[str, int])
    _owners: list[str] = field(default_factory=list[str])
    _next: int = 0
    _items: Numbered = field(default_factory=Numbered)

    def observe(self, user: str, items: list[str], at: int) -> None:  # noqa: ARG002 # visits count here, not days
        mine = self.visits.setdefault(user, [])
        mine.append(self._items.read(items))
        del mine[:-_LONGEST]
        if len(mine) < _FEW or len(mine) % 3 == 0:
            self._keep(user, self.vector(mine))

    def predict(self, user: str, at: int, k: int) -> list[str]:  # noqa: ARG002
        mine = self.visits.get(user, [])
        vector = self.vector(mine)
        if mine:
            self._keep(user, vector)
        return self._slate(vector, self.places.get(user, -1), k)

    def predict_after(self, visits: Sequence[Visit], at: int, k: int) -> list[str]:  # noqa: ARG002
        return self._slate(self.vector([self._items.find(items) for items, _ in visits]), -1, k)

    def _slate(self, own: Vector, place: int, k: int) -> list[str]:
        scores: Floats = np.zeros(len(self._items.names))
        near = self._nearest(own, place)
        if near:
            ids = np.concatenate([self.pool[each][0] for each in near])
            weights = np.concatenate([self.pool[each][1] for each in near])
            scores = sums(ids, weights, len(scores)) * ((1.0 - self.alpha) / len(near))
        scores[own[0]] += self.alpha * own[1]
        found = highest(scores, k)
        return [self._items.names[each] for each in found[np.lexsort((found, -scores[found]))].tolist()]

    def _nearest(self, own: Vector, place: int) -> list[int]:
        """The pool's places of the k nearest; of a buyer who is unknown, of the first k."""
        n = len(self.pool)
        if not len(own[0]) or n <= 1:
            return [each for each in range(min(n, self.k)) if each != place]
        distance = self._norms[:n] - 2.0 * (self._sketches[:n] @ _sketch(own))
        if place >= 0:
            distance[place] = np.inf
        k = min(self.k, n - (place >= 0))
        return largest(-distance, k).tolist()

    def vector(self, visits: Sequence[Ids]) -> Vector:
        if not visits:
            return _EMPTY
        n = len(visits)
        groups = min(self.m, n)
        size = -(-n // groups)  # the first group may be smaller
        back = np.arange(n)[::-1]  # visits after this one
        used = -(-n // size)
        weight = self.within ** (back % size) / size * self.between ** (back // size) / used
        ids = np.concatenate(visits)
        each = np.repeat(weight, [len(visit) for visit in visits])
        distinct, where = np.unique(ids, return_inverse=True)
        return distinct, sums(where, each)

    def _keep(self, user: str, vector: Vector) -> None:
        place = self.places.get(user)
        if place is None:
            place = self._room(user)
        sketch = _sketch(vector)
        self.pool[place] = _cut(vector)
        self._sketches[place] = sketch
        self._norms[place] = sketch @ sketch

    def _room(self, user: str) -> int:
        """A place in the pool: who has had one longest goes."""
        if len(self.pool) < POOL:
            self.pool.append(_EMPTY)
            self._owners.append(user)
            place = len(self.pool) - 1
        else:
            place = self._next
            self._next = (place + 1) % POOL
            del self.places[self._owners[place]]
            self._owners[place] = user
        self.places[user] = place
        return place


def _cut(vector: Vector) -> Vector:
    """The heaviest of a neighbour's items: what the others add to the mean reaches no slate."""
    ids, weights = vector
    kept = largest(weights, _HEAVIEST)
    return ids[kept], weights[kept]


def _sketch(vector: Vector) -> Singles:
    """[512] signed sums: item i goes to a bucket, with a sign, by a hash of its number."""
    ids, weights = vector
    mixed = (ids + 1) * 0x9E3779B1 & 0xFFFFFFFF
    mixed = (mixed ^ (mixed >> 15)) * 0x85EBCA77 & 0xFFFFFFFF
    sign = 1.0 - 2.0 * ((mixed >> 28) & 1)
    return np.bincount(mixed >> 4 & (_SKETCH - 1), weights=sign * weights, minlength=_SKETCH).astype(np.float32)
