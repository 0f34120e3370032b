"""Rules that know actions by their place alone: popularity, and UCB1 (Auer, Cesa-Bianchi, Fischer 2002)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import log

import numpy as np

from policies.baselines.rule import drawn, greedy, refuse_unless_finite
from policies.contract import Choice, Situation, Transition
from policies.linalg import Floats


@dataclass(slots=True, kw_only=True)
class _Counting:
    """Outcomes and their sum by place."""

    tried: Floats = field(default_factory=lambda: np.zeros(0))  # [A]
    earned: Floats = field(default_factory=lambda: np.zeros(0))  # [A]

    def learn(self, transition: Transition) -> None:
        refuse_unless_finite(transition)
        missing = len(transition.before.actions) - len(self.tried)
        if missing > 0:
            self.tried, self.earned = (np.concatenate([one, np.zeros(missing)]) for one in (self.tried, self.earned))
        self.tried[transition.action] += 1.0
        self.earned[transition.action] += transition.reward

    def weights(self) -> Mapping[str, Floats]:
        return {"tried": self.tried.copy(), "earned": self.earned.copy()}

    def known(self, actions: int) -> tuple[Floats, Floats]:
        """Outcomes and sums of the first so many places: [A], [A]."""
        found = np.zeros((2, actions))
        have = min(actions, len(self.tried))
        found[:, :have] = self.tried[:have], self.earned[:have]
        return found[0], found[1]


@dataclass(slots=True, kw_only=True)
class Popularity(_Counting):
    """Each place as often as it has earned, above the one that earned least."""

    name: str = "popularity"

    def choose(self, situation: Situation, seed: int) -> Choice:
        _, earned = self.known(len(situation.actions))
        share = 1.0 + earned - min(0.0, earned.min())
        return drawn(share / share.sum(), seed)

    def with_weights(self, weights: Mapping[str, Floats]) -> "Popularity":
        return replace(self, tried=weights["tried"].copy(), earned=weights["earned"].copy())


@dataclass(slots=True, kw_only=True)
class UCB1(_Counting):
    """The highest mean plus √(2 ln n / nₐ); what was never tried comes first. For rewards within about [0, 1]."""

    name: str = "ucb1"

    def choose(self, situation: Situation, seed: int) -> Choice:
        tried, earned = self.known(len(situation.actions))
        width = np.sqrt(2.0 * log(max(1.0, tried.sum())) / np.maximum(tried, 1.0))
        upper = np.where(tried > 0.0, earned / np.maximum(tried, 1.0) + width, np.inf)
        return drawn(greedy(upper), seed)

    def with_weights(self, weights: Mapping[str, Floats]) -> "UCB1":
        return replace(self, tried=weights["tried"].copy(), earned=weights["earned"].copy())
