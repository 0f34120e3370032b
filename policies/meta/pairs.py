"""What a policy would earn by how it orders what was shown: pairs of slots of one slate, of which one earned more.

A slate is drawn by posterior draws θ ~ N(μ, α²C), α the width, and Gumbel noise of temperature τ. So the chance that
the policy puts slot j before slot k is closed: the difference of their scores is Gaussian, of two Gumbels logistic, and

    P_jk = σ(Δ / √(τ² + π α² v / 8)),  Δ = (φ_j − φ_k)·μ,  v = (φ_j − φ_k)ᵀ C (φ_j − φ_k)

with the Gaussian part integrated out by MacKay's (1992) approximation. What the order earns is the mean over pairs of
P_jk (y_j − y_k): how much is explored counts, as it does while serving. A constant added to a slate's rewards cancels,
so no model of reward is needed for it.

What stands first is looked at first, so that whoever ordered the slate seems to be right. Each pair counts as if either
order had been as likely: by ½ / P(the order it was shown in), clipped (as in fair pairs; Radlinski & Joachims 2006).
"""

from dataclasses import dataclass, replace
from math import pi
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from policies.beliefs.logistic import sigmoid
from policies.linalg import Floats
from policies.meta.slots import Slots, accumulate, believe
from policies.slates.evidence import GaussianPrior

_CLIP: Final = 2.0  # of an importance weight
_SURE: Final = 1e-9  # the least chance of an order that was seen

Ints = npt.NDArray[np.intp]
_where: Any = np.nonzero  # its stubs leave the number of dimensions open


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """N pairs of slots (j, k) of drawn slates, y_j > y_k."""

    entity: Ints  # [N]
    time: Ints  # [N]
    more: Ints  # [N] j
    less: Ints  # [N] k
    worth: Floats  # [N] y_j − y_k, over the pairs of the slate and the slates of the entity
    entities: int  # E

    @classmethod
    def of(cls, slots: Slots, counts: Floats) -> "Pairs":
        """Those of the experiences that `counts` [E, T] names by 1."""
        many = slots.count
        counted = counts * slots.drawn * (many > 1)
        both = (slots.known * counted[..., None])[..., :, None] * slots.known[..., None, :]
        found: tuple[Ints, Ints, Ints, Ints] = _where((slots.y[..., :, None] > slots.y[..., None, :]) & (both > 0))
        e, t, j, k = found
        share = 2.0 / (many * (many - 1.0))[e, t] / counted.sum(axis=1)[e]
        return cls(
            entity=e, time=t, more=j, less=k, worth=(slots.y[e, t, j] - slots.y[e, t, k]) * share, entities=len(counts)
        )

    @property
    def slates(self) -> int:
        """How many slates the pairs are of."""
        return len(np.unique(np.stack([self.entity, self.time]), axis=1).T)

    def each(self, worth: Floats) -> Floats:
        """What each entity's pairs are worth together: [N] → [E]."""
        return np.bincount(self.entity, worth, minlength=self.entities).astype(np.float64)

    def fair(self, chance: Floats) -> Floats:
        """What each pair counts for [N], given the chance [N] that the policy that drew the slates put j first."""
        shown = np.where(self.more < self.less, chance, 1.0 - chance)
        return np.minimum(0.5 / np.maximum(shown, _SURE), _CLIP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """What a prior expects of each pair before it was shown: Δ, v, and how Δ moves with the prior's mean."""

    level: Floats  # [N] Δ
    variance: Floats  # [N] v
    slope: Floats  # [N, d] ∂Δ/∂m

    @classmethod
    def of(cls, pairs: Pairs, slots: Slots, prior: GaussianPrior, memory_ms: float) -> "Margins":
        beliefs = believe(prior, accumulate(slots, prior.noise, memory_ms))
        where = pairs.entity, pairs.time
        apart = slots.phi[*where, pairs.more] - slots.phi[*where, pairs.less]
        turned = np.einsum("nij,nj->ni", beliefs.covariance[where], apart)
        return cls(
            level=np.einsum("ni,ni->n", apart, beliefs.mean[where]),
            variance=np.einsum("ni,ni->n", turned, apart),
            slope=turned @ prior.precision,
        )

    def blur(self, width: float, temperature: float) -> Floats:
        """How far apart two scores have to be for their order to be likely [N]."""
        return np.sqrt(temperature**2 + pi / 8.0 * width**2 * self.variance)

    def chance(self, width: float, temperature: float) -> Floats:
        """P_jk [N]."""
        return sigmoid(self.level / self.blur(width, temperature))

    def moved(self, by: Floats) -> "Margins":
        """The same when the prior's mean has moved by so much [d]."""
        return replace(self, level=self.level + self.slope @ by)
