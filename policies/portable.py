"""What comes out the same, to the bit, on every processor: exponentials, normal quantiles, choices among equals.

Libraries choose their code for an exponential by what the processor can do, and those codes differ in the last bit.
Sums, products, square roots and roundings don't: IEEE 754 says what they are. So e^x is made of those, and normal
quantiles are rounded to a grid far coarser than what two codes differ by, and far finer than what hangs on a draw. So
are learned numbers: a few digits say all that was learned. And a partial sort leaves equal ones in an order that is the
processor's; here the first of them comes first.
"""

from math import sqrt
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from policies.linalg import Floats

Ints = npt.NDArray[np.int64]

GRID: Final = 2.0**-20  # of normal quantiles: codes differ by 1e-15, so one in 10⁹ may still be rounded apart
DIGITS: Final = 4  # of what is learned that are kept
LEAST: Final = -760.0  # of exponents: e to it is 0

_PARTS: Final = 64  # of a doubling, in the table
_PER_UNIT: Final = 92.33248261893625  # 64/ln 2
_HIGH: Final = 0.010830424682353623  # ln 2/64 to 30 bits, so that its multiples are exact as far as LEAST ...
_LOW: Final = 1.3895522248260433e-11  # ... and the rest
_FIRST: Final = -1100  # the lowest power of 2 in the table, which is 0 as a float
_TERMS: Final = (1 / 120, 1 / 24, 1 / 6, 1 / 2, 1.0, 1.0)  # of e^r, from the fifth power down; the sixth is below 2⁻⁵⁴

_special: Any = torch.special  # its stubs leave the types open


def _powers() -> Floats:
    """2^(n/64) for n from 64·_FIRST to 63: square roots and products only."""
    within, root = np.ones(1), 2.0
    while len(within) < _PARTS:
        root = sqrt(root)
        within = np.stack([within, within * root], axis=1).reshape(-1)
    return np.ldexp(within, np.arange(_FIRST, 1)[:, None]).reshape(-1)


_POWERS: Final = _powers()


def exp(x: Floats) -> Floats:
    """e^x for x ≤ 0, to 1e-15 of itself; 0 below LEAST. Any shape.

    e^x = 2^(n/64)·e^r with |r| ≤ ln 2/128: a table and a short series (Tang 1989).

    >>> exp(np.array([0.0, -1.0, -np.inf])).round(15).tolist()
    [1.0, 0.367879441171442, 0.0]
    """
    rest = np.maximum(x, LEAST)
    n = np.rint(rest * _PER_UNIT)
    rest -= n * _HIGH
    rest -= n * _LOW
    found = rest * _TERMS[0]
    for term in _TERMS[1:-1]:
        found += term
        found *= rest
    found += _TERMS[-1]
    n -= _PARTS * _FIRST
    found *= _POWERS.take(n.astype(np.int32), mode="clip")
    return found


def largest(weights: Floats, count: int) -> Ints:
    """Where the `count` largest stand, in order of place; of equal ones the first. [n] → [min(count, n)].

    >>> largest(np.array([3.0, 1.0, 2.0, 2.0, 2.0]), 3).tolist()
    [0, 2, 3]
    """
    if len(weights) <= count:
        return np.arange(len(weights))
    least = np.partition(weights, len(weights) - count)[len(weights) - count]
    taken = weights > least
    taken[np.flatnonzero(weights == least)[: count - np.count_nonzero(taken)]] = True
    return np.flatnonzero(taken)


def rounded(learned: float) -> float:
    """To DIGITS significant digits.

    >>> rounded(0.123456), rounded(-98765.4)
    (0.1235, -98770.0)
    """
    return float(f"{learned:.{DIGITS}g}")


def kept(weights: Floats) -> Floats:
    """Learned weights as they are shipped: each `rounded`. Any shape."""
    return np.array([rounded(each) for each in weights.ravel().tolist()]).reshape(weights.shape)


def normal_quantile(p: Floats) -> Floats:
    """The inverse of the standard normal distribution function, to GRID. Any shape."""
    exact = _special.ndtri(torch.as_tensor(p)).numpy()
    return np.asarray(np.rint(exact / GRID) * GRID, dtype=np.float64)
