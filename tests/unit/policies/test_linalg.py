"""The arithmetic under decisions: right, and the same bits for a row alone and among any number of others."""

import numpy as np
import pytest

from policies.linalg import Floats, dot, factor, logsumexp, solve_unit_upper, total

D = 7


def definite(rng: np.random.Generator, rows: int) -> Floats:
    """Positive definite matrices [D, D, B]."""
    parts = rng.normal(size=(D, D, rows))
    return np.einsum("ikb,jkb->ijb", parts, parts) + 0.1 * np.eye(D)[..., None]


def test_factors_give_the_matrix_back_and_solve_it() -> None:
    rng = np.random.default_rng(0)
    matrix, right = definite(rng, 9), rng.normal(size=(D, 9))
    below, pivots, x = factor(matrix, right)
    for row in range(9):
        lower = np.tril(below[..., row])
        assert lower @ np.diag(pivots[:, row]) @ lower.T == pytest.approx(matrix[..., row])
        assert lower @ np.diag(pivots[:, row]) @ x[:, row] == pytest.approx(right[:, row])
    solved = solve_unit_upper(below, x[:, None])[:, 0]
    assert np.einsum("ijb,jb->ib", matrix, solved) == pytest.approx(right)


def test_a_row_is_factored_alike_alone_and_among_others() -> None:
    rng = np.random.default_rng(1)
    matrix, right = definite(rng, 50), rng.normal(size=(D, 50))
    together = factor(matrix, right)
    alone = factor(matrix[..., 20:21], right[:, 20:21])
    for many, one in zip(together, alone, strict=True):
        assert (many[..., 20:21] == one).all()


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan])
def test_what_is_not_positive_definite_is_refused(bad: float) -> None:
    matrix = np.repeat(np.eye(D)[..., None], 2, axis=-1)
    matrix[3, 3, 1] = bad
    with pytest.raises(ValueError, match="not positive definite"):
        factor(matrix, np.zeros((D, 2)))


@pytest.mark.parametrize("rows", [2, 9, 300])
def test_dot_adds_first_to_last_however_many_there_are(rows: int) -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(D, 1, rows, 30)), rng.normal(size=(D, 4, rows, 1))
    expected = a[0] * b[0]
    for i in range(1, D):
        expected = expected + a[i] * b[i]
    assert (dot(a, b) == expected).all()
    assert (dot(a[:, :, 1:2], b[:, :, 1:2]) == expected[:, 1:2]).all()


@pytest.mark.parametrize("terms", [1, 2, 3, 7, 8])
def test_totals(terms: int) -> None:
    x = np.random.default_rng(3).normal(size=(terms, 5))
    assert total(x) == pytest.approx(x.sum(axis=0))
    assert logsumexp(x) == pytest.approx(np.log(np.exp(x).sum(axis=0)))
    assert logsumexp(x - 5000.0) == pytest.approx(logsumexp(x) - 5000.0)
    assert np.isneginf(logsumexp(np.full((terms, 1), -np.inf))).all()
