"""UP-CF@r (Faggioli, Polato & Aiolli, UMAP 2020): what a buyer and those alike bought of late.

UP@r(u, i) is the share of the last r baskets of u that hold i. Buyers are alike by the asymmetric cosine of the items
they ever bought, w(u, v) = |I(u) ∩ I(v)| / (|I(u)|^α |I(v)|^(1−α)), and the score is Σ_v w(u, v)^q · UP@r(v, i), where
u counts with w = 1. Here it runs on a stream, over the nearest buyers: with w^q the others add next to nothing.
What is left of a slate is filled by what sells most.
"""

from array import array
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from policies.baselines.next_basket import GlobalPopularity, Visit
from policies.baselines.numbered import Numbered
from policies.baskets.profile import Ids, sums
from policies.baskets.trend import highest
from policies.linalg import Floats

Shares = tuple[Ids, Floats]  # items, each once, and the share of baskets that hold them


@dataclass(slots=True)
class UpCf:
    """The paper's symbols: the window r, the asymmetry α, the locality q.

    r and α are the best of a few within the warm-up of Complete Journey, one after the other
    (`tests.benchmarks.next_basket --tune-up-cf`). So would q = 3 be by product; but by type, and in some drawn shops,
    that is far worse than 10.
    """

    r: int = 50
    alpha: float = 0.25
    q: float = 10.0
    neighbours: int = 300
    popularity: GlobalPopularity = field(default_factory=GlobalPopularity)
    _items: Numbered = field(default_factory=Numbered)
    _users: dict[str, int] = field(default_factory=dict[str, int])
    _latest: list[deque[Ids]] = field(default_factory=list[deque[Ids]])  # by user: the last r baskets
    _shares: list[Shares | None] = field(default_factory=list[Shares | None])  # by user: UP@r, once it was asked for
    _ever: list[set[int]] = field(default_factory=list[set[int]])  # by user: I(u)
    _buyers: dict[int, "array[int]"] = field(default_factory=dict[int, "array[int]"])  # by item

    def observe(self, user: str, items: list[str], at: int) -> None:
        self.popularity.observe(user, items, at)
        number = self._users.setdefault(user, len(self._users))
        if number == len(self._latest):
            self._latest.append(deque(maxlen=self.r))
            self._ever.append(set())
            self._shares.append(None)
        basket = self._items.read(items)
        self._latest[number].append(basket)
        self._shares[number] = None
        for item in basket.tolist():
            if item not in self._ever[number]:
                self._ever[number].add(item)
                self._buyers.setdefault(item, array("q")).append(number)

    def predict(self, user: str, at: int, k: int) -> list[str]:
        number = self._users.get(user)
        if number is None:
            return self.popularity.predict(user, at, k)
        return self._slate(self._ever[number], self._recent(number), number, at, k)

    def predict_after(self, visits: Sequence[Visit], at: int, k: int) -> list[str]:
        baskets = [self._items.find(items) for items, _ in visits]
        ever = set(chain.from_iterable(basket.tolist() for basket in baskets))
        return self._slate(ever, _shares(baskets[-self.r :]), -1, at, k)

    def _slate(self, ever: set[int], own: Shares, number: int, at: int, k: int) -> list[str]:
        near = self._alike(ever, number)
        told = [own, *(self._recent(other) for other, _ in near)]
        weight = np.repeat([1.0, *(w for _, w in near)], [len(ids) for ids, _ in told])
        shares = np.concatenate([share for _, share in told])
        scores = sums(np.concatenate([ids for ids, _ in told]), weight * shares, len(self._items.names))
        found = highest(scores, k)
        names: list[str] = [self._items.names[each] for each in found[np.lexsort((found, -scores[found]))].tolist()]
        names += [name for name in self.popularity.predict("", at, 2 * k) if name not in names]
        return names[:k]

    def _recent(self, number: int) -> Shares:
        found = self._shares[number]
        if found is None:
            found = self._shares[number] = _shares(self._latest[number])
        return found

    def _alike(self, ever: set[int], number: int) -> list[tuple[int, float]]:
        """The nearest other buyers, and w^q of each; fewer where fewer share an item."""
        bought = [np.frombuffer(self._buyers[item], dtype=np.int64) for item in sorted(ever) if item in self._buyers]
        if not bought:
            return []
        shared: Floats = np.bincount(np.concatenate(bought), minlength=len(self._ever)).astype(np.float64)
        if number >= 0:
            shared[number] = 0.0
        others = np.flatnonzero(shared)
        sizes = np.array([len(self._ever[other]) for other in others.tolist()], dtype=np.float64)
        w = shared[others] / (len(ever) ** self.alpha * np.maximum(sizes, 1.0) ** (1.0 - self.alpha))
        near = np.argsort(-w, kind="stable")[: self.neighbours]
        return list(zip(others[near].tolist(), (w[near] ** self.q).tolist(), strict=True))


def _shares(baskets: Collection[Ids]) -> Shares:
    if not baskets:
        return np.empty(0, dtype=np.int64), np.empty(0)
    ids, counts = np.unique(np.concatenate(list(baskets)), return_counts=True)
    return ids, counts / len(baskets)
