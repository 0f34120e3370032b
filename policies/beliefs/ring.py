"""The last N experiences of an entity as they came, so that what a new encoder makes of them can be learned anew.

A belief lives in the encoder's space: with another encoder it says nothing. So the raw contexts and actions are kept,
and encoded again when an entity is next needed: a new version costs nothing for those who never come back.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from policies.beliefs.gaussian import Evidence
from policies.linalg import Floats

Encode = Callable[[Floats], Floats]  # raw [n, r] → features [n, d]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """Raw contexts [N, r] and rewards [N], of which the last `count` were written; times in epoch ms [N]."""

    raw: Floats
    rewards: Floats
    at: Floats
    count: int = 0

    @classmethod
    def empty(cls, size: int, width: int) -> "Ring":
        return cls(raw=np.zeros((size, width)), rewards=np.zeros(size), at=np.zeros(size))

    def add(self, raw: Floats, reward: float, at: float) -> "Ring":
        """The ring with one experience more, in the place of the oldest. This one stays as it is."""
        place = self.count % len(self.rewards)
        found = Ring(raw=self.raw.copy(), rewards=self.rewards.copy(), at=self.at.copy(), count=self.count + 1)
        found.raw[place], found.rewards[place], found.at[place] = raw, reward, at
        return found

    def in_order(self) -> tuple[Floats, Floats, Floats]:
        """What is held, oldest first: raw [n, r], rewards [n], times [n].

        >>> ring = Ring.empty(2, 1)
        >>> for reward in (1.0, 2.0, 3.0):
        ...     ring = ring.add(np.zeros(1), reward, 0.0)
        >>> ring.in_order()[1]
        array([2., 3.])
        """
        size = len(self.rewards)
        held = min(self.count, size)
        places = np.arange(self.count - held, self.count) % size
        return self.raw[places], self.rewards[places], self.at[places]


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """An entity's ring, and the evidence that one encoder, named by its hash, made of it and of all before it."""

    ring: Ring
    encoder: str
    evidence: Evidence  # of one entity: [d, d, 1], [d, 1]

    def under(self, encoder: str, encode: Encode, *, noise: float, memory_ms: float) -> "Encoded":
        """The same in the space of this encoder: unchanged if it is the one, else learned anew from the ring."""
        if encoder == self.encoder:
            return self
        raw, rewards, at = self.ring.in_order()
        phi = encode(raw)
        evidence = Evidence.none(phi.shape[1], 1)
        for place, (features, reward) in enumerate(zip(phi, rewards, strict=True)):
            kept = float(np.exp((at[place - 1] - at[place]) / memory_ms)) if place else 1.0
            evidence = evidence.learn(features[:, None], np.array([reward]), noise=noise, kept=min(1.0, kept))
        return Encoded(ring=self.ring, encoder=encoder, evidence=evidence)

    def learn(  # what is told, and by what it is understood
        self, raw: Floats, reward: float, at: float, *, encode: Encode, noise: float, memory_ms: float
    ) -> "Encoded":
        """One experience more; `encode` is the encoder that the evidence is of."""
        _, _, known = self.ring.in_order()
        kept = float(np.exp(min(0.0, known[-1] - at) / memory_ms)) if len(known) else 1.0
        phi = encode(raw[None])[0]
        evidence = self.evidence.learn(phi[:, None], np.array([reward]), noise=noise, kept=kept)
        return Encoded(ring=self.ring.add(raw, reward, at), encoder=self.encoder, evidence=evidence)
