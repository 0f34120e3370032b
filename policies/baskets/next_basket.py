"""The rule that learns: it scores a few hundred candidates by a network that goes on learning as baskets pass.

The network starts from shipped weights, meta-learned over other stretches of shops; each household's own leaning is a
Gaussian offset to the last layer, updated in closed form after each of its baskets and forgotten toward zero. Plain
rules stand by: where they have named baskets better of late, theirs is the slate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from policies.baskets.encoder import SCHEMA, Forward, Learner, Weights, forward, residual, softmax, untrained
from policies.baskets.features import FEATURES
from policies.baskets.profile import Ids
from policies.baskets.shop import Buyer, Question, Shop, Visit
from policies.linalg import Floats
from policies.shipped import tensors

EAGER: Final = 3000  # visits of which each is learned from; then one in `SPARING`, and those that were predicted
SPARING: Final = 8
FIRST_RATE: Final = 1e-3  # so that a small shop gets somewhere; gone when a large one has warmed up


@cache
def shipped() -> Weights:
    """The weights that come with the package. Raises ArtefactError, ValueError."""
    weights = Weights.of(tensors("recommendation", schema=SCHEMA))
    if len(weights.location) != len(FEATURES):
        raise ValueError(f"the shipped weights know {len(weights.location)} features, not {len(FEATURES)}")
    return weights


def flat(seed: int) -> Weights:
    """Weights that know nothing; only the features' usual range is taken from the shipped ones."""
    return untrained(shipped().location, shipped().scale, seed)


@dataclass(slots=True)
class Leaning:
    """A buyer's offset δ [H] to the outer weights: N(0, 1/strength) before any basket, diagonal.

    The likelihood's curvature is that of the softmax, taken where the offset stands (a step of Newton's method).
    """

    strength: float = 50.0
    keep: float = 0.98  # of what was learned, from one basket to the next
    delta: Floats = field(default_factory=lambda: np.zeros(0))
    precision: Floats = field(default_factory=lambda: np.zeros(0))

    def learn(self, ready: Floats, scores: Floats, target: Floats) -> None:
        """One basket: last-layer features [H, C], scores with the offset in them, and the target, all [C]."""
        if not len(self.delta):
            self.delta, self.precision = np.zeros(len(ready)), np.full(len(ready), self.strength)
        p = softmax(scores) * target.sum()
        mean = ready @ p
        curvature = np.maximum(0.0, ready**2 @ p - mean**2 / max(target.sum(), 1e-12))
        kept = self.keep * self.precision + (1.0 - self.keep) * self.strength
        self.delta *= self.keep * self.precision / kept
        self.precision = kept + curvature
        self.delta -= ready @ residual(scores, target) / self.precision


class _Guess(NamedTuple):
    user: str
    at: int
    question: Question
    found: Forward
    scores: Floats


@dataclass(slots=True)
class LearnedBasket:
    """One network over one shop. `learns`: the weights follow the stream. `leans`: each buyer has an offset."""

    shop: Shop
    learner: Learner
    learns: bool = True
    leans: bool = True
    seen: int = 0
    leanings: dict[str, Leaning] = field(default_factory=dict[str, Leaning])
    _guess: _Guess | None = None

    @classmethod
    def meta(cls, kinds: Mapping[str, str], *, learns: bool = True, leans: bool = True) -> "LearnedBasket":
        return cls(
            shop=Shop(kinds=kinds),
            learner=Learner(weights=shipped(), first_rate=FIRST_RATE),
            learns=learns,
            leans=leans,
        )

    @classmethod
    def flat(cls, kinds: Mapping[str, str], seed: int) -> "LearnedBasket":
        return cls(shop=Shop(kinds=kinds), learner=Learner(weights=flat(seed), first_rate=3e-3))

    def observe(self, user: str, items: Sequence[str], at: int) -> None:
        guess = self._guess if self._guess is not None and self._guess[:2] == (user, at) else None
        if (self.learns or self.leans) and (guess is not None or self.is_turn()):
            self._learn(guess or self._look(user, at), self.shop.number(items))
        self.shop.observe(user, items, at)
        self.seen += 1
        self._guess = None

    def is_turn(self) -> bool:
        """Whether the next visit is learned from though nobody asked for a prediction."""
        return self.seen < EAGER or self.seen % SPARING == 0

    def predict(self, user: str, at: int, k: int) -> list[str]:
        self._guess = guess = self._look(user, at)
        return self._best(guess.question, guess.scores, k)

    def predict_after(self, visits: Sequence[Visit], at: int, k: int) -> list[str]:
        """For a buyer of whom only these visits are known."""
        question = self.shop.ask(self.shop.after(visits), at)
        return self._best(question, forward(self.learner.weights, question.phi).scores, k)

    def _look(self, user: str, at: int) -> _Guess:
        buyer: Buyer = self.shop.buyer(user)
        question = self.shop.ask(buyer, at)
        found = forward(self.learner.weights, question.phi)
        leaning = self.leanings.get(user) if self.leans else None
        scores = found.scores if leaning is None else found.scores + leaning.delta @ found.ready
        return _Guess(user, at, question, found, scores)

    def _best(self, question: Question, scores: Floats, k: int) -> list[str]:
        order = np.lexsort((question.ids, -scores))[:k]
        return [self.shop.items.names[item] for item in question.ids[order].tolist()]

    def _learn(self, guess: _Guess, bought: Ids) -> None:
        target = guess.question.target(bought)
        if not target.any():
            return
        if self.leans:
            self.leanings.setdefault(guess.user, Leaning()).learn(guess.found.ready, guess.scores, target)
        if self.learns:
            self.learner.learn(guess.found, residual(guess.scores, target))
