"""A block of logged slates under as many versions as ask: what versions have in common is worked out once."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from infra.judging.slates import Case
from policies.attention.prior import Encoder, encoder_of
from policies.attention.scene import Scene, encoded
from policies.linalg import Floats, dot
from policies.slates.evidence import GaussianPrior
from policies.slates.likelihood import likelihood
from policies.slates.recommend import DOMAIN, ENCODED, PRIOR, SCALE, prior_of, quantise
from policies.slates.slate import Drawn, Ints, Laid, drawn_under, laid
from policies.version import PolicyVersion


class Way(NamedTuple):
    """How a version makes slates. Equal keys are equal ways, whatever else their versions differ in."""

    key: bytes
    prior: GaussianPrior
    temperature: float
    encoder: Encoder

    @classmethod
    def of(cls, version: PolicyVersion) -> "Way":
        told = version.prior(DOMAIN, PRIOR)
        key = b"".join(name.encode() + np.asarray(told[name]).tobytes() for name in sorted(told))
        encoder = encoder_of(version)
        return cls(key + encoder.name.encode(), *prior_of(version), encoder)


class Block:
    """Slates as they were logged, served in one way; and what others would have made of them."""

    def __init__(self, cases: Sequence[Case], served: Way) -> None:
        self._laid = laid([case.query for case in cases])
        self._histories = {row: (case.encoder, case.scene) for row, case in enumerate(cases) if case.scene is not None}
        self._seen: dict[str, Laid] = {}
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
            self._drawn[way.key] = drawn_under(self._seen_by(way.encoder), way.prior, way.temperature)
        return self._drawn[way.key]

    def _seen_by(self, encoder: Encoder) -> Laid:
        """The slates as this encoder sees the users' histories. What a user's own data say of that stays as logged."""
        if encoder.name not in self._seen:
            others = {row: scene for row, (name, scene) in self._histories.items() if name != encoder.name}
            self._seen[encoder.name] = self._encoded(encoder, others) if others else self._laid
        return self._seen[encoder.name]

    def _encoded(self, encoder: Encoder, scenes: Mapping[int, Scene]) -> Laid:
        phi = self._laid.phi.copy()
        for row, made in zip(scenes, encoded(encoder, list(scenes.values())), strict=True):
            phi[ENCODED, row, : len(made)] = quantise(made) / SCALE
        return self._laid._replace(phi=phi)

    def likelihood(self, way: Way) -> tuple[Floats, Floats]:
        """`likelihood` of what was chosen."""
        if way.key not in self._likely:
            self._likely[way.key] = likelihood(self.drawn(way).logits, self.chosen, self.reward)
        return self._likely[way.key]
