"""What was bought with a thing, or on the next visit: by thing, the latest baskets it led to. Numbers only.

No counts of pairs are kept, which grow with the square of a basket: the baskets themselves are shared by all the lists
that they stand in.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from policies.baskets.profile import Ids, sums
from policies.linalg import Floats

KEPT: Final = 24  # baskets a thing
SOURCES: Final = 12  # things of the last visit that are followed up
LARGEST: Final = 40  # things of a basket that are remembered
_DOUBT: Final = 5.0  # baskets of nothing in particular: one basket makes no rule


@dataclass(slots=True)
class Companions:
    """`follow`: whether baskets of the next visit count too, and not only the same one."""

    follow: bool = True
    baskets: dict[int, deque[Ids]] = field(default_factory=dict[int, deque[Ids]])

    def observe(self, ids: Ids, before: Ids) -> None:
        """One visit's things, and those of the buyer's visit before."""
        kept = ids[:LARGEST]
        sources = {*kept.tolist(), *(before[:LARGEST].tolist() if self.follow else ())}
        for source in sources:
            self.baskets.setdefault(source, deque(maxlen=KEPT)).append(kept)

    def scores(self, latest: Ids, known: int) -> tuple[Floats, Ids]:
        """How often each thing went with those of the last visit: a mean share by thing [known], and which have any."""
        found: list[Ids] = []
        weights: list[float] = []
        followed = max(1, min(len(latest), SOURCES))
        for source in latest[:SOURCES].tolist():
            if baskets := self.baskets.get(source):
                found += baskets
                weights += [1.0 / followed / (len(baskets) + _DOUBT)] * len(baskets)
        if not found:
            return np.zeros(known), np.empty(0, dtype=np.int64)
        ids = np.concatenate(found)
        each = np.repeat(weights, [len(basket) for basket in found])
        return sums(ids, each, known), ids
