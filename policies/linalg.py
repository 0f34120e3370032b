"""Linear algebra over a batch, row by row: every row's result is the same bits, whatever stands beside it.

BLAS, LAPACK and torch's own reductions may round differently with the shape, the place in memory and the number of
threads. Here everything is built from elementwise operations, which round each element alone, in a fixed order of
summation. The small dimension d (weights of a belief, around ten) is looped over; batches are vectors.
"""

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

Floats = npt.NDArray[np.float64]

_special: Any = torch.special  # its stubs leave the types open


def dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Σ_i a[i]·b[i] over the first dimension, first to last: [d, …], [d, …] → […]."""
    total = a[0] * b[0]
    for i in range(1, len(a)):
        total = total + a[i] * b[i]
    return total


def cholesky(matrix: torch.Tensor) -> torch.Tensor:
    """Lower factors L with LLᵀ = matrix (Cholesky–Crout): [d, d, B] → [d, d, B].

    Raises ValueError where one is not positive definite.
    """
    d = len(matrix)
    lower = torch.zeros_like(matrix)
    for j in range(d):
        square = matrix[j, j] - dot(lower[j, :j], lower[j, :j]) if j else matrix[0, 0]
        if not bool((square > 0).all()):
            raise ValueError("a precision is not positive definite")
        lower[j, j] = torch.sqrt(square)
        if j + 1 < d:
            below = matrix[j + 1 :, j]
            if j:
                below = below - dot(lower[j + 1 :, :j].transpose(0, 1), lower[j, :j].unsqueeze(1))
            lower[j + 1 :, j] = below / lower[j, j]
    return lower


def solve_lower(lower: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """x with L x = right, by forward substitution: [d, d, B], [d, …, B] → [d, …, B]."""
    x = torch.zeros_like(right)
    for i in range(len(lower)):
        known = dot(_beside(lower[i, :i], right), x[:i]) if i else 0.0
        x[i] = (right[i] - known) / lower[i, i]
    return x


def solve_upper(lower: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """x with Lᵀ x = right, by back substitution: [d, d, B], [d, …, B] → [d, …, B]."""
    d = len(lower)
    x = torch.zeros_like(right)
    for i in reversed(range(d)):
        known = dot(_beside(lower[i + 1 :, i], right), x[i + 1 :]) if i + 1 < d else 0.0
        x[i] = (right[i] - known) / lower[i, i]
    return x


def logsumexp(x: torch.Tensor) -> torch.Tensor:
    """log Σ_m exp x[m] over the first dimension: [M, …] → […]."""
    highest = x.max(dim=0).values
    shift = torch.where(torch.isfinite(highest), highest, 0.0)
    terms = torch.exp(x - shift)
    return torch.log(dot(terms, torch.ones_like(terms[:, :1]))) + shift


def normal_quantile(p: torch.Tensor) -> torch.Tensor:
    """The inverse of the standard normal distribution function. Any shape."""
    return cast(torch.Tensor, _special.ndtri(p))


def _beside(column: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """[n, B] with ones put in, so that it multiplies [n, …, B]."""
    return column.reshape(len(column), *([1] * (like.dim() - 2)), column.shape[-1])
