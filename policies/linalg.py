"""The few torch and numpy calls whose types their stubs leave open, with the types that they have."""

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

Floats = npt.NDArray[np.float64]

_linalg: Any = torch.linalg
_special: Any = torch.special


def cholesky(matrix: torch.Tensor) -> torch.Tensor:
    """Lower factors L with LLᵀ = matrix: [B, d, d] → [B, d, d]. Raises where one is not positive definite."""
    return cast(torch.Tensor, _linalg.cholesky(matrix))


def solve_upper(upper: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """X with upper · X = right: [B, d, d], [B, d, k] → [B, d, k]."""
    return cast(torch.Tensor, _linalg.solve_triangular(upper, right, upper=True))


def normal_quantile(p: torch.Tensor) -> torch.Tensor:
    """The inverse of the standard normal distribution function. Any shape."""
    return cast(torch.Tensor, _special.ndtri(p))
