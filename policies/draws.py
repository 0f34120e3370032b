"""Random numbers that depend on a seed and a place only: the same decision draws the same, in any batch."""

from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

from policies.linalg import Floats
from policies.portable import normal_quantile

_GAMMA: Final = np.uint64(0x9E3779B97F4A7C15)
_MIXES: Final = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
_LAST, _SPARE = np.uint64(31), np.uint64(11)


def seed_of(policy_hash: str, event_id: str) -> int:
    """The 64-bit seed of the decision that one event asks of one policy version."""
    digest = blake2b(f"{policy_hash}|{event_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def uniforms(seeds: npt.NDArray[np.uint64], count: int) -> Floats:
    """Uniforms in (0, 1) by SplitMix64 (Steele, Lea, Flood 2014), counter-based. [B] seeds → [B, count].

    >>> a = uniforms(np.array([7, 8], dtype=np.uint64), 3)
    >>> bool((a[1] == uniforms(np.array([8], dtype=np.uint64), 3)[0]).all())
    True
    """
    x = seeds[:, None] + _GAMMA * np.arange(1, count + 1, dtype=np.uint64)
    for shift, factor in _MIXES:
        x ^= x >> shift
        x *= factor
    x ^= x >> _LAST
    u = (x >> _SPARE).astype(np.float64)  # the 53 bits that a float64 holds
    u += 0.5
    u *= 2.0**-53
    return u


def normals(uniform: Floats) -> Floats:
    """Standard normals from uniforms, by the inverse distribution function, on a fine grid. Any shape."""
    return normal_quantile(uniform)


def gumbels(uniform: Floats) -> Floats:
    """Standard Gumbels from uniforms. Any shape."""
    return -np.log(-np.log(uniform))
