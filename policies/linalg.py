"""Linear algebra over a batch, row by row: every row's result is the same bits, whatever stands beside it.

BLAS, LAPACK and torch's own reductions may round differently with the shape, the place in memory and the number of
threads. Here everything is built from elementwise operations, which round each element alone, in a fixed order of
summation. The small dimension d (weights of a belief, around ten) is looped over; the batch B comes last.
"""

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

Floats = npt.NDArray[np.float64]

_special: Any = torch.special  # its stubs leave the types open


def cholesky(matrix: Floats) -> Floats:
    """Lower factors L with LLᵀ = matrix, by outer products: [d, d, B] → [d, d, B].

    Raises ValueError where one is not positive definite.
    """
    left, lower = matrix.copy(), np.zeros_like(matrix)
    for j in range(len(matrix)):
        if not (left[j, j] > 0).all():
            raise ValueError("a precision is not positive definite")
        lower[j, j] = np.sqrt(left[j, j])
        lower[j + 1 :, j] = left[j + 1 :, j] / lower[j, j]
        column = lower[j + 1 :, j]
        left[j + 1 :, j + 1 :] -= column[:, None] * column[None, :]
    return lower


def solve_lower(lower: Floats, right: Floats) -> Floats:
    """x with L x = right, by forward substitution: [d, d, B], [d, n, B] → [d, n, B]."""
    x = right.copy()
    for i in range(len(lower)):
        x[i] /= lower[i, i]
        x[i + 1 :] -= lower[i + 1 :, i, None] * x[i]
    return x


def solve_upper(lower: Floats, right: Floats) -> Floats:
    """x with Lᵀ x = right, by back substitution: [d, d, B], [d, n, B] → [d, n, B]."""
    x = right.copy()
    for i in reversed(range(len(lower))):
        x[i] /= lower[i, i]
        x[:i] -= lower[i, :i, None] * x[i]
    return x


def dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Σ_i a[i]·b[i] over the first dimension, first to last: [d, …], [d, …] → […]."""
    total = a[0] * b[0]
    for i in range(1, len(a)):
        total += a[i] * b[i]
    return total


def logsumexp(x: torch.Tensor) -> torch.Tensor:
    """log Σ_m exp x[m] over the first dimension, in a tree: [M, …] → […]; -inf where all are."""
    highest = x.max(dim=0).values
    shift = torch.where(torch.isfinite(highest), highest, 0.0)
    terms = torch.exp(x - shift)
    while len(terms) > 1:
        half = (len(terms) + 1) // 2
        paired = terms[half:]
        terms = torch.cat([terms[: len(paired)] + paired, terms[len(paired) : half]])
    return torch.log(terms[0]) + shift


def logaddexp(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """log(exp a + exp b); -inf where both are. torch's own rounds differently at the end of an array."""
    high, low = torch.maximum(a, b), torch.minimum(a, b)
    return torch.where(torch.isneginf(low), high, high + torch.log1p(torch.exp(low - high)))


def normal_quantile(p: torch.Tensor) -> torch.Tensor:
    """The inverse of the standard normal distribution function. Any shape."""
    return cast(torch.Tensor, _special.ndtri(p))
