"""What a household buys next, by the plain rules that a recommender has to beat.

One pass in time order: `predict` before `observe`. Times are epoch ms; the items of a basket are distinct. All keep
state per household and item. The third rule is the one to beat: on Complete Journey 2017 it is ahead of TIFU-KNN.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Final, Protocol, runtime_checkable

from policies.baselines.fading import Clock, FadingCounts, highest

DAY: Final = 86_400_000.0


Visit = tuple[list[str], int]  # distinct items, and when


class NextBasket(Protocol):
    """A rule that learns from baskets and names what the next one holds."""

    def observe(self, user: str, items: list[str], at: int) -> None: ...
    def predict(self, user: str, at: int, k: int) -> list[str]: ...


@runtime_checkable
class Personal(Protocol):
    """One that keeps something of each user."""

    def forget(self, user: str) -> None: ...


class ColdStart(NextBasket, Protocol):
    """One that can also be asked for a user of whom only these visits are known, in order. It learns nothing by it."""

    def predict_after(self, visits: Sequence[Visit], at: int, k: int) -> list[str]: ...


@dataclass(slots=True)
class GlobalPopularity:
    """The same for everyone: what sells most, decayed."""

    half_life: float = 7 * DAY
    size: int = 24  # items that are held at hand: no slate is longer
    counts: FadingCounts = field(init=False)

    def __post_init__(self) -> None:
        self.counts = FadingCounts(self.half_life, self.size)

    def observe(self, user: str, items: list[str], at: int) -> None:  # noqa: ARG002 # the same for every user
        for item in items:
            self.counts.add(item, at)

    def predict(self, user: str, at: int, k: int) -> list[str]:  # noqa: ARG002 # and the order never fades
        return self.counts.top()[:k]

    def predict_after(self, visits: Sequence[Visit], at: int, k: int) -> list[str]:  # noqa: ARG002
        return self.counts.top()[:k]


@dataclass(slots=True)
class PersonalFrequency:
    """What this household bought most often, of ties what sells most; filled up by that."""

    popularity: GlobalPopularity = field(default_factory=GlobalPopularity)
    bought: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])

    def observe(self, user: str, items: list[str], at: int) -> None:
        self.popularity.observe(user, items, at)
        mine = self.bought.setdefault(user, {})
        for item in items:
            mine[item] = mine.get(item, 0) + 1

    def forget(self, user: str) -> None:
        self.bought.pop(user, None)

    def predict(self, user: str, at: int, k: int) -> list[str]:
        return self._slate(self.bought.get(user, {}), user, at, k)

    def predict_after(self, visits: Sequence[Visit], at: int, k: int) -> list[str]:
        return self._slate(Counter(item for items, _ in visits for item in items), "", at, k)

    def _slate(self, mine: Mapping[str, int], user: str, at: int, k: int) -> list[str]:
        slate = highest(mine, k, then=self.popularity.counts.weights)
        for item in self.popularity.predict(user, at, 2 * k):
            if len(slate) < k and item not in slate:
                slate.append(item)
        return slate


@dataclass(slots=True)
class DecayedPersonal:
    """The household's own counts, decayed, plus `weight` × the item's share of what everyone bought of late.

    The settings are the best on the 40–60% part of Complete Journey's span, which no measured basket lies in.
    """

    half_life: float = 60 * DAY
    memory: float = 1 * DAY
    weight: float = 150.0
    size: int = 24  # items of everyone's that are held at hand: for slates of up to so many
    recent: FadingCounts = field(init=False)
    _clock: Clock = field(init=False)
    _mine: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])

    def __post_init__(self) -> None:
        self.recent = FadingCounts(self.memory, self.size)
        self._clock = Clock(self.half_life)

    def observe(self, user: str, items: list[str], at: int) -> None:
        if self._clock.is_far(at):
            self._rebase(at)
        mine = self._mine.setdefault(user, {})
        weight = self._clock.weight(at)
        for item in items:
            self.recent.add(item, at)
            mine[item] = mine.get(item, 0.0) + weight

    def forget(self, user: str) -> None:
        self._mine.pop(user, None)

    def predict(self, user: str, at: int, k: int) -> list[str]:
        return highest(self.scores(self.counts(user), at, k), k)

    def predict_after(self, visits: Sequence[Visit], at: int, k: int) -> list[str]:
        return highest(self.scores(self.counted(visits), at, k), k)

    def counts(self, user: str) -> dict[str, float]:
        """The household's counts, in the unit of the clock's origin."""
        return self._mine.get(user, {})

    def counted(self, visits: Sequence[Visit]) -> dict[str, float]:
        """The counts of a household of which only these visits are known."""
        mine: dict[str, float] = {}
        for items, at in visits:
            weight = self._clock.weight(at)
            for item in items:
                mine[item] = mine.get(item, 0.0) + weight
        return mine

    def unit(self, at: int) -> float:
        """What a purchase made now counts."""
        return self._clock.weight(at)

    def scale(self, at: int) -> float:
        """What everyone's decayed counts are multiplied with. In the household's unit: none of its counts is aged."""
        return self.weight * self._clock.weight(at) / self.recent.total if self.recent.total > 0 else 0.0

    def scores(self, mine: Mapping[str, float], at: int, k: int) -> dict[str, float]:
        """The scores of all items that can be among the k highest, and of others."""
        scale = self.scale(at)
        lately, trending = self.recent.weights, self.recent.top()
        most = scale * lately[trending[0]] if trending else 0.0
        bar = nlargest(k, mine.values())[-1] - most if len(mine) > k else 0.0  # below it, no share lifts into the slate
        scores = {item: count + scale * lately.get(item, 0.0) for item, count in mine.items() if count >= bar}
        for item in trending[:k]:  # of what the household never bought, no lower one can reach the slate
            if item not in mine:
                scores[item] = scale * lately[item]
        return scores

    def _rebase(self, at: int) -> None:
        scale = 1.0 / self._clock.weight(at)
        self._clock.origin = at
        self._mine = {user: {item: w * scale for item, w in mine.items()} for user, mine in self._mine.items()}
