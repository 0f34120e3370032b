"""The slow loop for Gaussian beliefs: the prior that ranks best, and under which what came next surprised least.

Where slates were drawn with known propensities, a candidate is one step of the policy's gradient from the prior that
serves (policies.meta.steering): of what the order of slots earns, and of predictive likelihood, minus a KL divergence.
It moves the mean, and how much is explored. Where nothing was drawn, no policy can be judged: there the candidate is
the prior of greatest predictive likelihood (policies.meta.empirical_bayes), tied to the one that ships.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from policies.linalg import Floats
from policies.meta.empirical_bayes import most_likely
from policies.meta.pairs import Margins, Pairs
from policies.meta.sample import Split
from policies.meta.slots import Slots, log_likelihood, stack
from policies.meta.steering import Explored, steer
from policies.slates.evidence import GaussianPrior
from policies.version import Priors

_FADES: Final = (0.5, 1.0, 2.0)  # multiples of the forgetting time that are tried


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """How a Gaussian domain learns. `memory_ms` is the forgetting time where the prior doesn't name one."""

    shipped: Priors
    memory_ms: float

    def propose(self, given: Split, serving: Priors) -> Priors | None:
        """A candidate, from what lies before the cut; None where there is nothing to learn from."""
        now = GaussianPrior.of(serving)
        slots = stack(given.train, now.size)
        if not slots.known.any():
            return None
        if slots.drawn.any():
            return self._steered(slots, now, serving)
        memory_ms = self._fading(slots, now, serving)
        fading = {"memory_ms": memory_ms} if "memory_ms" in self.shipped else {}
        return serving | fading | _plain(most_likely(slots, GaussianPrior.of(self.shipped), now, memory_ms))

    def _steered(self, slots: Slots, now: GaussianPrior, serving: Priors) -> Priors | None:
        ships = Explored(GaussianPrior.of(self.shipped).width, float(self.shipped["temperature"]))
        found = steer(slots, now, float(serving["temperature"]), ships, self._memory(serving))
        if found is None:
            return None
        mean, explored = found
        learned = {"mean": mean, "width": explored.width, "temperature": explored.temperature}
        return serving | {name: _rounded(value) for name, value in learned.items()}

    def score(self, given: Split, prior: Priors) -> Floats:
        """Predictive log-likelihood per slot of each judged entity's experiences after the cut [E]."""
        gaussian = GaussianPrior.of(prior)
        slots = stack(given.judged, gaussian.size)
        later = (slots.at >= given.cut) * (slots.count > 0)
        total = (log_likelihood(slots, gaussian, self._memory(prior)) * later).sum(axis=1)
        return total / np.maximum(1.0, (slots.count * later).sum(axis=1))

    def earns(self, given: Split, candidate: Priors, serving: Priors) -> Floats:
        """What a candidate's order would earn more per pair of slots [E]: of those with drawn slates after the cut.

        What is explored counts: an order is worth as much as it is likely.
        """
        judged = [stream for stream in given.judged if any(one.at >= given.cut and one.drawn for one in stream)]
        slots = stack(judged, GaussianPrior.of(serving).size)
        if not slots.known.any():
            return np.zeros(0)
        pairs = Pairs.of(slots, (slots.at >= given.cut).astype(np.float64))
        after, before = (self._chance(pairs, slots, prior) for prior in (candidate, serving))
        return pairs.each(pairs.fair(before) * pairs.worth * 2.0 * (after - before))

    def _chance(self, pairs: Pairs, slots: Slots, prior: Priors) -> Floats:
        gaussian = GaussianPrior.of(prior)
        margins = Margins.of(pairs, slots, gaussian, self._memory(prior))
        return margins.chance(gaussian.width, float(prior["temperature"]))

    def _memory(self, prior: Priors) -> float:
        return float(prior.get("memory_ms", self.memory_ms))

    def _fading(self, slots: Slots, now: GaussianPrior, serving: Priors) -> float:
        """The forgetting time τ of greatest predictive likelihood among a few; it stays where the prior names none."""
        current = self._memory(serving)
        if "memory_ms" not in self.shipped:
            return current
        tried = [(float(log_likelihood(slots, now, current * by).sum()), -abs(by - 1.0), by) for by in _FADES]
        return current * max(tried)[2]


def _plain(prior: GaussianPrior) -> dict[str, Any]:
    return {"mean": _rounded(prior.mean), "precision": _rounded(prior.precision), "noise": _rounded(prior.noise)}


def _rounded(value: Any) -> Any:
    """To float32: far within what data can tell, and the last bits, that hang on the machine, are gone."""
    return np.float32(value).astype(np.float64).tolist()
