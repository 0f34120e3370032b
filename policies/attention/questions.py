"""What the weights of attention are learned from: purchases in drawn shops, each beside what might have been bought.

A question is a user's history before a purchase, the item bought (one that the user never bought before), and others
drawn by their popularity at that time. Since they are drawn so, what a softmax over them learns is the lift over
popularity itself (the correction of sampled softmax; Bengio & Senécal 2008).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from policies.attention.encoder import HISTORY, KINDS, ONE, SEGMENTS, Tokens
from policies.linalg import Floats
from policies.tasks.tastes import DAY, TasteShop, Touch, touches

RECENT: Final = 12  # places of the history that are kept for the last touches; favourites fill it up
OTHERS: Final = 40  # items beside the one bought
NEW: Final = 0.5  # purchases that an item is taken to have before it has any
WARM: Final = 5  # the first one in so many of a shop's touches asks nothing
NOTHING: Final = -1

Ints = npt.NDArray[np.int64]

_RANK: Final = {kind: place for place, kind in enumerate(KINDS)}
_ENDS: Final = tuple(accumulate(SEGMENTS, initial=0))


@dataclass(frozen=True, slots=True)
class Questions:
    """N questions: cosines by segment [N, 1 + OTHERS, HISTORY, 3], the bought one first; ages in days and kinds
    [N, HISTORY], kind NOTHING where the history is shorter."""

    alike: npt.NDArray[np.float16]
    ages: npt.NDArray[np.float32]
    kinds: Ints


@dataclass(slots=True)
class _User:
    """What would be kept of a user: the last items touched with when and how, and how often each was bought."""

    recent: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    bought: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])  # how often, when last

    before: list[tuple[int, float, int]] = field(default_factory=list[tuple[int, float, int]])  # when the visit began
    visit: int = -1

    def come(self, one: Touch) -> None:
        """Take down the history where a visit begins."""
        if one.visit != self.visit:
            self.before, self.visit = list(self.history(one.at)), one.visit

    def touch(self, one: Touch) -> None:
        _, kind = self.recent.pop(one.item, (0, 0))
        self.recent[one.item] = (one.at, max(kind, _RANK[one.kind]))
        while len(self.recent) > RECENT:
            del self.recent[next(iter(self.recent))]
        if one.kind == "purchase":
            self.bought[one.item] = (self.bought.get(one.item, (0, 0))[0] + 1, one.at)

    def history(self, now: int) -> Iterator[tuple[int, float, int]]:
        """Item, age in days, kind."""
        for item, (at, kind) in reversed(self.recent.items()):
            yield item, (now - at) / DAY, kind
        rest = [(-times, -at, item) for item, (times, at) in self.bought.items() if item not in self.recent]
        for _, at, item in sorted(rest)[: HISTORY - len(self.recent)]:
            yield item, (now + at) / DAY, _RANK["favourite"]


def questions(shop: TasteShop, tokens: Tokens, count: int, rng: np.random.Generator) -> Questions | None:
    """About so many questions of a shop, whose items have these tokens [I, 32]; None where it has none to ask.

    Half of them are asked where the visit begins, before its first touch; the others at the purchase.
    """
    told = touches(shop)
    bought = [place for place, one in enumerate(told) if one.kind == "purchase" and place > len(told) // WARM]
    chosen = set(rng.choice(bought, min(count, len(bought)), replace=False).tolist()) if bought else set[int]()
    users: dict[str, _User] = {}
    weights = np.zeros(shop.items)
    found: list[tuple[npt.NDArray[np.float16], Floats, Ints]] = []
    for place, one in enumerate(told):
        user = users.setdefault(one.user, _User())
        user.come(one)
        if place in chosen and one.item not in user.bought:
            history = user.before if rng.random() < 0.5 else list(user.history(one.at))
            if history:
                near = (weights + NEW) * (shop.listed <= one.at)
                near[list(user.bought)] = 0.0
                others = rng.choice(shop.items, OTHERS, p=near / near.sum())
                found.append(question(tokens, np.array([one.item, *others]), history))
        user.touch(one)
        weights[one.item] += one.kind == "purchase"
    if not found:
        return None
    alike, ages, kinds = zip(*found, strict=True)
    return Questions(np.stack(alike), np.stack(ages).astype(np.float32), np.stack(kinds))


def question(
    tokens: Tokens, items: Ints, history: Sequence[tuple[int, float, int]]
) -> tuple[npt.NDArray[np.float16], Floats, Ints]:
    """Cosines [C, HISTORY, 3] of items with a history of (item, age, kind); ages and kinds [HISTORY]."""
    ages, kinds = np.zeros(HISTORY), np.full(HISTORY, NOTHING)
    ages[: len(history)], kinds[: len(history)] = [age for _, age, _ in history], [kind for _, _, kind in history]
    alike = np.zeros((len(items), HISTORY, len(SEGMENTS)), dtype=np.float16)
    past = tokens[[item for item, _, _ in history]] / ONE
    for segment, (begin, end) in enumerate(pairwise(_ENDS)):
        alike[:, : len(history), segment] = (tokens[items, begin:end] / ONE) @ past[:, begin:end].T
    return alike, ages, kinds


def joined(many: Sequence[Questions]) -> Questions:
    """All of them as one."""
    return Questions(
        np.concatenate([one.alike for one in many]),
        np.concatenate([one.ages for one in many]),
        np.concatenate([one.kinds for one in many]),
    )
