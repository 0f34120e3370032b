"""Cross-fitting: what a row is judged with was fitted on other clusters. Fits are sums, so they merge too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from policies.estimators.hashing import buckets_of, mixed
from policies.estimators.logged import Floats, Hashes, Times

FOLDS: Final = 5


def folds_of(cluster: Hashes) -> Times:
    """[n] the fold of each cluster. Not the bucket's own hash: a fold is spread over all buckets."""
    return buckets_of(mixed(cluster ^ np.uint64(0x5851F42D4C957F2D)), FOLDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """The normal equations of weighted ridge regression, by fold: Σ ω x xᵀ and Σ ω x y."""

    squares: Floats  # [F, d, d]
    products: Floats  # [F, d]

    @classmethod
    def nothing(cls, features: int) -> "Regression":
        return cls(squares=np.zeros((FOLDS, features, features)), products=np.zeros((FOLDS, features)))

    @classmethod
    def of(cls, x: Floats, y: Floats, weight: Floats, fold: Times) -> "Regression":
        """x [n, d], y [n], weight [n], fold [n]."""
        squares: Sequence[Floats] = [(x[fold == f] * weight[fold == f, None]).T @ x[fold == f] for f in range(FOLDS)]
        products = [(x[fold == f] * weight[fold == f, None]).T @ y[fold == f] for f in range(FOLDS)]
        return cls(squares=np.stack(squares), products=np.stack(products))

    def __add__(self, other: "Regression") -> "Regression":
        return Regression(squares=self.squares + other.squares, products=self.products + other.products)

    def fitted(self, penalty: Floats) -> Floats:
        """[F, d] for each fold the coefficients from all others. `penalty` [d] pulls them towards 0."""
        a = self.squares.sum(axis=0) - self.squares + np.diag(np.maximum(penalty, 1e-9))
        right = self.products.sum(axis=0) - self.products
        found: list[Floats] = [np.linalg.solve(a[f], right[f]) for f in range(FOLDS)]
        return np.stack(found)
