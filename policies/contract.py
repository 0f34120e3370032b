"""What every rule that decides answers to: a situation in, a choice out, and apart from it, what it learns from.

No topic, no clock, no dice: the seed is handed in. Situations are of one shape for all domains, so that a rule of one
domain can be tried in another: each action that is open is a row of features, and the state is a vector.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from policies.linalg import Floats


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """One decision to be made for one entity (a user, a campaign, a SKU, a task)."""

    entity: str
    actions: Floats  # [A, d] features of each action that is open now
    state: Floats  # [s] what is known of the situation as a whole; s may be 0


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The row of the action taken, and the probability with which each of them would have been: [A], sums to 1."""

    action: int
    distribution: Floats

    @property
    def propensity(self) -> float:
        return float(self.distribution[self.action])


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a choice. `after` is the situation that followed it; None where the episode ended."""

    before: Situation
    action: int
    propensity: float
    reward: float
    after: Situation | None


class Policy(Protocol):
    """A rule that decides. Choosing changes nothing, and the same seed in the same situation chooses the same.

    `learn` takes transitions in the order in which they happened and raises ValueError for one that isn't finite.
    `weights` is all that was learned, as arrays; `with_weights` is the same rule as it was when they were taken.
    """

    @property
    def name(self) -> str: ...

    def choose(self, situation: Situation, seed: int) -> Choice: ...

    def learn(self, transition: Transition) -> None: ...

    def weights(self) -> Mapping[str, Floats]: ...

    def with_weights(self, weights: Mapping[str, Floats]) -> "Policy": ...
