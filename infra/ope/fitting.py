"""A reward model for a log that brings none: fitted on its own lines, each predicted by those of other clusters.

`policies/estimators/reward_model.py` is the model. Here contexts become numbers, and what the target policy would do
with actions that weren't taken is gathered: told by `target_distribution`, or, where no line tells it, by what lines
leave no choice about.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from infra.ope.situation import Situation
from infra.ope.spool import Block
from policies.estimators.logged import Floats, Times
from policies.estimators.reward_model import RewardModel

MOST_FEATURES: Final = 64  # of a context: those that most lines have
MOST_NAMES: Final = 20_000  # that are counted; later ones aren't looked at
MOST_ACTIONS: Final = 100_000  # that are counted; later ones are taken together
MOST_NUMBERS: Final = 1_000_000  # of a model: actions × (features + 1)²
MOST_PREDICTED: Final = 4_000_000  # rows × actions at once
NEEDED: Final = "a reward_model with target_distribution, or action, context and target_distribution to fit one from"
_SAME: Final = 1e-6


@dataclass(slots=True, kw_only=True)
class Seen:
    """What a first look through the lines finds."""

    rows: int = 0
    nameless: int = 0  # lines without an action
    blind: int = 0  # without a context
    untold: int = 0  # without a target_distribution, where their target does what was done not for certain
    at_odds: int = 0  # whose target_distribution gives their action another chance than their target_propensity
    actions: Counter[str] = field(default_factory=Counter[str])  # how often each was done; 0 for the target's alone
    features: dict[str, list[float]] = field(default_factory=dict[str, list[float]])  # lines, Σx, Σx²
    steady: dict[str, float] = field(default_factory=dict[str, float])  # the one chance that all lines of an action say
    wavering: bool = False  # lines of an action say different chances
    full: bool = False  # there are more actions than are counted
    crowded: int = 0  # lines whose action came when there were as many as are counted

    def take(self, given: Situation | None, chance: float) -> None:
        """One line, and its target_propensity."""
        self.rows += 1
        if given is None:
            self.nameless += 1
            return
        self.crowded += not self._counts(given.action, 1)
        self.blind += given.context is None
        for name, value in (given.context or {}).items():
            sums = self.features.get(name)
            if sums is None and len(self.features) < MOST_NAMES:
                sums = self.features[name] = [0.0, 0.0, 0.0]
            if sums is not None:
                sums[0] += 1.0
                sums[1] += value
                sums[2] += value * value
        self._take_target(given, chance)

    def _take_target(self, given: Situation, chance: float) -> None:
        if given.target is not None:
            self.at_odds += abs(given.target.get(given.action, 0.0) - chance) > _SAME
            for action in given.target:
                self._counts(action, 0)
        elif chance < 1.0:
            self.untold += 1
            if given.action in self.actions:
                self.wavering |= abs(self.steady.setdefault(given.action, chance) - chance) > _SAME

    def _counts(self, action: str, times: int) -> bool:
        """Count an action, and say whether there was room for it."""
        if action not in self.actions and len(self.actions) >= MOST_ACTIONS:
            self.full = True
            return False
        self.actions[action] += times
        return True

    @property
    def table(self) -> dict[str, float] | None:
        """What the target does whatever the context, where lines leave no doubt of it."""
        whole = abs(sum(self.steady.values()) - 1.0) <= _SAME
        return (
            self.steady
            if whole and not self.wavering and not self.full and set(self.steady) == set(self.actions)
            else None
        )

    def against(self) -> str | None:
        """Why no model can be fitted, and what would be needed; None where one can."""
        if self.nameless:
            which = "no line names" if self.nameless == self.rows else f"{self.nameless:,} of {self.rows:,} lines lack"
            return f"{which} an action or a reward_model; give {NEEDED}"
        if self.untold and self.table is None and len(self.actions) != 2:  # the other of two has the rest
            return (
                f"of {self.untold:,} of {self.rows:,} lines it isn't told how likely the target policy was to do "
                "anything but what was done; give target_distribution"
            )
        return None


class Fitted:
    """A reward model of a spooled log; and the words that go with it."""

    def __init__(self, seen: Seen) -> None:
        self._seen, self._table = seen, seen.table
        usable = {name: sums for name, sums in seen.features.items() if np.isfinite(sums[2])}
        names = sorted(usable, key=lambda name: (-usable[name][0], name))[:MOST_FEATURES]
        self._columns = {name: place for place, name in enumerate(names)}
        rows = max(1, seen.rows)
        self._mean = np.array([usable[name][1] / rows for name in names])
        square = np.array([usable[name][2] / rows for name in names])
        spread = np.sqrt(np.maximum(square - self._mean**2, 0.0))
        self._scale = np.where(spread > 1e-9 * np.sqrt(np.maximum(square, 1e-300)), spread, np.inf)
        most = max(1, MOST_NUMBERS // (1 + len(names)) ** 2)
        by_count = sorted(seen.actions, key=lambda action: (-seen.actions[action], action))
        self._own = {action: place for place, action in enumerate(by_count[:most])}
        self._pooled = seen.full or len(by_count) > most
        self._model = RewardModel.nothing(len(self._own) + self._pooled, len(names))

    def take(self, block: Block) -> None:
        """Learn from rows."""
        reward = block.numbers[:, 0, 0]
        self._model = self._model.add(self._x(block.situations), self._actions(block.situations), reward, block.cluster)

    def predicted(self, block: Block) -> tuple[Floats, Floats]:
        """q(x, a) and Σ_a π(a|x) q(x, a) of rows: [n], [n]."""
        at_once = max(1, MOST_PREDICTED // len(self._model.actions))
        parts = [self._part(block, slice(at, at + at_once)) for at in range(0, max(1, len(block.numbers)), at_once)]
        q, v = (np.concatenate(each) for each in zip(*parts, strict=True))
        return q, v

    def _part(self, block: Block, rows: slice) -> tuple[Floats, Floats]:
        told = block.situations[rows]
        expected = self._model.predict(self._x(told), block.cluster[rows])
        done = self._actions(told)
        chance = block.numbers[rows, 2, 0]
        v = [
            sum(pi * float(expected[row, self._place(action)]) for action, pi in self._target(one, float(p)).items())
            for row, (one, p) in enumerate(zip(told, chance, strict=True))
            if one is not None
        ]
        return expected[np.arange(len(done)), done], np.array(v)

    def _target(self, one: Situation, chance: float) -> dict[str, float]:
        if one.target is not None:
            return one.target
        if chance >= 1.0:
            return {one.action: 1.0}
        if self._table is not None:
            return self._table
        other = next(action for action in self._seen.actions if action != one.action)
        return {one.action: chance, other: 1.0 - chance}

    def _place(self, action: str) -> int:
        return self._own.get(action, len(self._own))

    def _actions(self, told: Sequence[Situation | None]) -> Times:
        return np.array([self._place(one.action) for one in told if one is not None], dtype=np.int64)

    def _x(self, told: Sequence[Situation | None]) -> Floats:
        """[n, d] with mean 0 and variance 1 over the log; a line without a context lies at the mean."""
        x = np.zeros((len(told), len(self._columns)))
        for row, one in enumerate(told):
            if one is None or one.context is None:
                x[row] = self._mean
                continue
            for name, value in one.context.items():
                place = self._columns.get(name)
                if place is not None:
                    x[row, place] = value
        return (x - self._mean) / self._scale

    def onto(self, blocks: Callable[[], Iterator[Block]]) -> Callable[[], Iterator[Block]]:
        """The same blocks with what is predicted in the columns of a given model. It is kept: 16 bytes a row."""
        made = [self.predicted(block) for block in blocks()]

        def modelled() -> Iterator[Block]:
            for block, (q, v) in zip(blocks(), made, strict=True):
                numbers = block.numbers.copy()
                numbers[:, 3, 0], numbers[:, 4, 0] = q, v
                yield block._replace(numbers=numbers)

        return modelled

    def words(self) -> Iterator[str]:
        """What it is made of, and what it takes for granted."""
        seen, used = self._seen, len(self._columns)
        more = " and more" if seen.full else ""
        context = f"over {used:,} features of context" if used else "without a context"
        yield (
            "dm, dr, sndr, switch-dr, dros and mrdr rest on a reward model fitted here: ridge regression by action "
            f"({len(seen.actions):,} actions{more}) {context}, each line predicted by those of other folds"
        )
        if len(seen.features) > used:
            yield f"{len(seen.features) - used:,} features of context aren't used: the {used:,} most frequent are"
        if len(seen.actions) > len(self._own):
            yield f"{len(seen.actions) - len(self._own):,} rarer actions are expected to earn the same"
        if seen.full:
            yield (
                f"the {MOST_ACTIONS:,} actions that came first are told apart, and the later ones expected to earn the "
                f"same: those of {seen.crowded:,} lines"
            )
        if used and seen.blind:
            yield f"{seen.blind:,} lines have no context: they are taken for average"
        if seen.untold:
            known = (
                "the same in every context"
                if self._table is not None
                else "the rest of target_propensity for the other"
            )
            yield f"{seen.untold:,} lines have no target_distribution: the target's chances are taken to be {known}"
        if seen.at_odds:
            yield (
                f"{seen.at_odds:,} lines' target_distribution gives their action another chance than "
                "target_propensity: one of the two is wrong"
            )


def fitted(blocks: Callable[[], Iterator[Block]]) -> tuple[Fitted | None, str]:
    """The model, or why there is none."""
    seen = Seen()
    for block in blocks():
        for one, chance in zip(block.situations, block.numbers[:, 2, 0].tolist(), strict=True):
            seen.take(one, chance)
    why = seen.against()
    if why is not None or not seen.rows:
        return None, why or ""
    made = Fitted(seen)
    for block in blocks():
        made.take(block)
    return made, ""
