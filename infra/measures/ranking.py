"""How good a ranked slate was for the set it had to name."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from math import log2


def recall(slate: Sequence[str], wanted: AbstractSet[str], k: int) -> float:
    """The part of the wanted items that is among the first k.

    >>> recall(["a", "b", "c"], {"a", "c", "d", "e"}, 2)
    0.25
    """
    return sum(item in wanted for item in slate[:k]) / len(wanted)


def ndcg(slate: Sequence[str], wanted: AbstractSet[str], k: int) -> float:
    """Binary normalised discounted cumulative gain: 1 where the first min(k, |wanted|) places are all wanted.

    >>> ndcg(["a", "b"], {"a"}, 10), round(ndcg(["b", "a"], {"a"}, 10), 4)
    (1.0, 0.6309)
    """
    gained = sum(1.0 / log2(place + 2) for place, item in enumerate(slate[:k]) if item in wanted)
    return gained / _ideal(min(k, len(wanted)))


@cache
def _ideal(hits: int) -> float:
    return sum(1.0 / log2(place + 2) for place in range(hits))
