"""A block of logged slates under as many versions as ask: what versions have in common is worked out once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from infra.judging.slates import Case
from policies.linalg import Floats, dot
from policies.slates.evidence import GaussianPrior
from policies.slates.likelihood import likelihood
from policies.slates.recommend import DOMAIN, PRIOR, prior_of
from policies.slates.slate import Drawn, Ints, drawn_under, laid
from policies.version import PolicyVersion


class Way(NamedTuple):
    """How a version makes slates. Equal keys are equal ways, whatever else their versions differ in."""

    key: bytes
    prior: GaussianPrior
    temperature: float

    @classmethod
    def of(cls, version: PolicyVersion) -> "Way":
        told = version.prior(DOMAIN, PRIOR)
        key = b"".join(name.encode() + np.asarray(told[name]).tobytes() for name in sorted(told))
        return cls(key, *prior_of(version))


class Block:
    """Slates as they were logged, served in one way; and what others would have made of them."""

    def __init__(self, cases: Sequence[Case], served: Way) -> None:
        self._laid = laid([case.query for case in cases])
        self._drawn: dict[bytes, Drawn] = {}
        self._likely: dict[bytes, tuple[Floats, Floats]] = {}
        self.chosen: Ints = np.array([case.chosen for case in cases], dtype=np.int64).reshape(len(cases), -1)
        self.counts = np.array([len(case.query.phi) for case in cases])
        self.served = self.drawn(served)
        # r̂ [B, C]; 0 where a candidate is padded: it is weighed by 0, and must not be infinite.
        self.reward = np.where(self.padded, 0.0, self.score(self.served))

    @property
    def padded(self) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
        """[B, C]"""
        return self._laid.padded

    def score(self, drawn: Drawn) -> Floats:
        """The posterior mean scores [B, C]."""
        return dot(drawn.phi, drawn.mean[..., None])

    def drawn(self, way: Way) -> Drawn:
        if way.key not in self._drawn:
            self._drawn[way.key] = drawn_under(self._laid, way.prior, way.temperature)
        return self._drawn[way.key]

    def likelihood(self, way: Way) -> tuple[Floats, Floats]:
        """`likelihood` of what was chosen."""
        if way.key not in self._likely:
            self._likely[way.key] = likelihood(self.drawn(way).logits, self.chosen, self.reward)
        return self._likely[way.key]
