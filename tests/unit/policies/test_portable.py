"""Exponentials and normal quantiles: near the truth, and the same bits on every processor."""

from hashlib import sha256
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.portable import GRID, LEAST, exp, normal_quantile


def test_the_bits_are_those_that_are_written_here() -> None:
    """Not those of a library: what fails here on some machine would fail in its log as well."""
    found = exp(np.linspace(-700.0, 0.0, 10_001))
    assert sha256(found.tobytes()).hexdigest() == "96006a757534bdc9d5dcb54cec062cf29086bead1f4a7f5c7de807f182d1664f"


@given(st.floats(min_value=-700.0, max_value=0.0))
def test_exponentials_are_near_the_truth(x: float) -> None:
    truth = np.exp(np.array([x], dtype=np.longdouble))
    assert float(np.abs(exp(np.array([x])) / truth - 1.0)[0]) < 1e-15


def test_exponentials_end_at_nothing() -> None:
    far = exp(np.array([0.0, -745.0, LEAST, 10 * LEAST, -np.inf]))
    assert far[0] == 1.0
    assert 0.0 <= far[1] < 1e-322
    assert far[2:].tolist() == [0.0, 0.0, 0.0]
    with np.errstate(invalid="ignore"):
        assert np.isnan(exp(np.array([np.nan]))[0])


def test_arguments_stay_as_they_are() -> None:
    x = np.array([-1.0, -2.0])
    exp(x)
    assert x.tolist() == [-1.0, -2.0]


def test_quantiles_lie_on_their_grid() -> None:
    p = np.linspace(0.0005, 0.9995, 1999)
    found = normal_quantile(p)
    assert (found / GRID == np.rint(found / GRID)).all()
    assert [NormalDist().cdf(z) for z in found.tolist()] == pytest.approx(p.tolist(), abs=GRID)
