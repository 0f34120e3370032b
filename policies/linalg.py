"""Linear algebra over a batch, row by row: every row's result is the same bits, whatever stands beside it.

BLAS, LAPACK and torch's own reductions may round differently with the shape, the place in memory and the number of
threads. Here everything is built from elementwise operations, which round each element alone, in a fixed order of
summation. The small dimension d (weights of a belief, around ten) is looped over; the batch B comes last.

Sums, products, quotients and roots are rounded alike by numpy and torch, so either may do them: numpy starts sooner,
torch is faster on large arrays. Exponentials and logarithms are not, so each place keeps to one library; what is logged
of them, or kept, comes from `policies/portable.py`, since no library has the same bits on every processor.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import torch

Floats = npt.NDArray[np.float64]

_FEW: Final = 8000  # results of a dot product, up to which all products at once stay in the cache


def factor(matrix: Floats, right: Floats) -> tuple[Floats, Floats, Floats]:
    """L with unit diagonal, D and x, where L diag(D) Lᵀ = matrix and L diag(D) x = right.

    [d, d, B], [d, B] → [d, d, B], [d, B], [d, B]. `right` goes along as one more row. Above L's diagonal stand
    remains. Raises ValueError where a matrix is not positive definite.
    """
    d = len(matrix)
    left = np.empty((d + 1, *right.shape))
    left[:d], left[d] = matrix, right
    with np.errstate(invalid="ignore", divide="ignore"):  # what isn't positive definite is told below
        for j in range(d - 1):
            column, block = left[j + 1 :, j], left[j + 1 :, j + 1 :]
            block -= (column / left[j, j])[:, None] * column[:-1]
        pivots = left.diagonal().T.copy()
        left /= pivots
    if not (pivots > 0).all():
        raise ValueError("a precision is not positive definite")
    return left[:d], pivots, left[d]


def solve_unit_upper(lower: Floats, right: Floats) -> Floats:
    """x with Lᵀ x = right, where L has a unit diagonal: [d, d, B], [d, n, B] → [d, n, B]."""
    x = right.copy()
    for i in reversed(range(1, len(lower))):
        rest = x[:i]
        rest -= lower[i, :i, None] * x[i]
    return x


def dot(a: Floats, b: Floats) -> Floats:
    """Σ_i a[i]·b[i] over the first dimension, first to last: [d, …], [d, …] → […], of two elements or more."""
    if np.broadcast(a[0], b[0]).size <= _FEW:
        return np.add.reduce(np.multiply(a, b, order="C"), axis=0)  # whole rows added up, first to last
    left, right = torch.as_tensor(a), torch.as_tensor(b)
    total = left[0] * right[0]
    product = torch.empty_like(total)
    for i in range(1, len(a)):  # not addcmul: it rounds once where numpy rounds twice
        total += torch.mul(left[i], right[i], out=product)
    return total.numpy()


def total(x: Floats) -> Floats:
    """Σ_m x[m] over the first dimension, in a tree: [M, …] → […]."""
    while len(x) > 1:
        half = (len(x) + 1) // 2
        paired = x[: len(x) - half] + x[half:]
        x = paired if len(x) % 2 == 0 else np.concatenate([paired, x[half - 1 : half]])
    return x[0]


def logsumexp(x: Floats) -> Floats:
    """log Σ_m exp x[m] over the first dimension, in a tree: [M, …] → […]; -inf where all are."""
    highest = x.max(axis=0)
    shift = np.where(np.isfinite(highest), highest, 0.0)
    with np.errstate(divide="ignore"):
        return np.log(total(np.exp(x - shift))) + shift


def logaddexp(a: Floats, b: Floats) -> Floats:
    """log(exp a + exp b); -inf where both are."""
    return logsumexp(np.stack([a, b]))
