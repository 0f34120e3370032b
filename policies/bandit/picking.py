"""One action by its probability, from a seed: the plain-number form of policies.draws, for one decision at a time."""

from itertools import accumulate
from typing import Final

from policies.linalg import Floats

_GAMMA: Final = 0x9E3779B97F4A7C15
_MASK: Final = 0xFFFFFFFFFFFFFFFF


def uniform(seed: int) -> float:
    """The first uniform in (0, 1) of this seed by SplitMix64, as policies.draws.uniforms has it.

    >>> import numpy as np
    >>> from policies.draws import uniforms
    >>> bool(uniform(7) == uniforms(np.array([7], dtype=np.uint64), 1)[0, 0])
    True
    """
    x = (seed + _GAMMA) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return (((x ^ (x >> 31)) >> 11) + 0.5) * 2.0**-53


def pick(distribution: Floats, seed: int) -> int:
    """An action by its probability. The same seed picks the same; what has probability 0 is never picked.

    >>> import numpy as np
    >>> pick(np.array([0.0, 1.0, 0.0]), 7)
    1
    """
    shares: list[float] = distribution.tolist()
    reached = list(accumulate(shares))
    aim = uniform(seed) * reached[-1]
    for action, sofar in enumerate(reached):
        if aim < sofar:
            return action
    return int(distribution.argmax())  # rounding alone leads here
