"""What goes with the last basket, on top of the decayed personal rule: item-to-item co-purchase (Linden et al. 2003).

How often an item was bought with another is its share of the other's latest baskets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from policies.baselines.fading import highest
from policies.baselines.next_basket import DecayedPersonal
from policies.baselines.numbered import Numbered
from policies.baskets.companions import Companions
from policies.baskets.profile import Ids
from policies.portable import largest

_FEW: Final = 60  # companions that come into question


@dataclass(slots=True)
class CoPurchase:
    """`strength`: purchases of the household's own that a companion in every basket is worth; not tuned."""

    strength: float = 2.0
    personal: DecayedPersonal = field(default_factory=DecayedPersonal)
    companions: Companions = field(default_factory=lambda: Companions(follow=False))
    latest: dict[str, Ids] = field(default_factory=dict[str, Ids])
    _items: Numbered = field(default_factory=Numbered)

    def observe(self, user: str, items: list[str], at: int) -> None:
        ids = self._items.read(items)
        self.companions.observe(ids, ids[:0])
        self.latest[user] = ids
        self.personal.observe(user, items, at)

    def predict(self, user: str, at: int, k: int) -> list[str]:
        latest = self.latest.get(user)
        return self._slate(self.personal.counts(user), np.empty(0, dtype=np.int64) if latest is None else latest, at, k)

    def predict_after(self, visits: Sequence[tuple[list[str], int]], at: int, k: int) -> list[str]:
        latest = self._items.find(visits[-1][0]) if visits else np.empty(0, dtype=np.int64)
        return self._slate(self.personal.counted(visits), latest, at, k)

    def _slate(self, mine: Mapping[str, float], latest: Ids, at: int, k: int) -> list[str]:
        together, found = self.companions.scores(latest, len(self._items.names))
        found = found[largest(together[found], _FEW)]
        unit = self.strength * self.personal.unit(at)
        scores = self.personal.scores(mine, at, k)
        scale, lately = self.personal.scale(at), self.personal.recent.weights
        distinct: list[int] = np.unique(found).tolist()
        for item in distinct:
            name = self._items.names[item]
            own = scores.get(name)
            if own is None:
                own = mine.get(name, 0.0) + scale * lately.get(name, 0.0)
            scores[name] = own + unit * float(together[item])
        return highest(scores, k)
