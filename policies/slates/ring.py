"""A user's last slates as they came, so that a new encoder makes of them what it would have made.

Evidence of a feature that an encoder makes is in that encoder's space: with another one it says nothing. So the last
few slates in which it had a say are kept before any encoder has touched them, and are encoded again when their user is
next needed: a new encoder costs nothing for those who never come back. All other features are the same under every
encoder, so that what they taught stays, however long ago it was.
"""

from collections.abc import Iterable
from math import exp
from typing import Final

import msgspec
import numpy as np

from policies.attention.prior import Encoder
from policies.attention.scene import Packed, Scene, encoded
from policies.linalg import Floats
from policies.slates.evidence import Evidence
from policies.slates.recommend import ENCODED, FEATURES, SCALE, quantise, read

RING: Final = 8  # slates


class Kept(msgspec.Struct):
    """One slate as it came: its features [slots, d] as int32, of which the encoder's is left to `scene`.

    `rewards` [slots] as float64 are empty until its outcome is known; `at` (epoch ms) and `noise` are of that time.
    """

    decision_id: str
    slots: int
    contexts: bytes
    scene: Packed
    rewards: bytes = b""
    at: int = 0
    noise: float = 1.0

    def features(self, encoder: Encoder) -> Floats:
        """φ [slots, d] as this encoder sees the slate."""
        phi = read(self.contexts, self.slots)
        phi[:, ENCODED] = quantise(next(encoded(encoder, [Scene.unpack(self.scene, self.slots)]))) / SCALE
        return phi


def under(evidence: Evidence, encoder: Encoder, ring: Iterable[Kept], *, memory_ms: float) -> Evidence:
    """What the evidence would be, had this encoder seen all slates of the ring; older ones say nothing of it.

    The ring's slates are among those that the evidence was learned from, so what is left is still a sum of squares.
    """
    precision, shift = (array.copy() for array in evidence.read(len(FEATURES)))
    precision[ENCODED] = precision[:, ENCODED] = shift[ENCODED] = 0.0
    for one in ring:
        if not one.rewards:
            continue
        phi = one.features(encoder)
        counts = exp(-max(0, evidence.at - one.at) / memory_ms) / one.noise
        row = counts * np.einsum("n,ni->i", phi[:, ENCODED], phi)  # not BLAS: see Evidence.add
        precision[ENCODED] += row
        shift[ENCODED] += counts * np.einsum("n,n->", phi[:, ENCODED], np.frombuffer(one.rewards))
    precision[:, ENCODED] = precision[ENCODED]
    return Evidence.of(precision, shift, at=evidence.at, encoder=encoder.name)
