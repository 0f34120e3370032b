"""Random numbers that depend on a seed and a place only: the same decision draws the same, in any batch."""

from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from policies.linalg import Floats, normal_quantile

_GAMMA: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX2: Final = np.uint64(0x94D049BB133111EB)


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
    with np.errstate(over="ignore"):
        x = seeds[:, None] + _GAMMA * np.arange(1, count + 1, dtype=np.uint64)[None, :]
        x = (x ^ (x >> np.uint64(30))) * _MIX1
        x = (x ^ (x >> np.uint64(27))) * _MIX2
        x = x ^ (x >> np.uint64(31))
    return ((x >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normals(uniform: Floats) -> Floats:
    """Standard normals from uniforms, by the inverse distribution function. Any shape."""
    return normal_quantile(torch.as_tensor(uniform)).numpy()


def gumbels(uniform: Floats) -> torch.Tensor:
    """Standard Gumbels from uniforms. Any shape, float64."""
    return -torch.log(-torch.log(torch.as_tensor(uniform)))
