"""MRDR for a reward model that is given: its line r ≈ a + b·q refitted with MRDR's weights, by cross-fitting.

Any model can so be made more robust without knowing what it was made of: q' = a + b·q and v' = a + b·v.
"""

from dataclasses import replace

import numpy as np

from policies.estimators.folds import Regression, folds_of
from policies.estimators.logged import Floats, Logged
from policies.estimators.mrdr import fitting_weights


def fit(rows: Logged) -> Regression:
    """The sums of the rows, which merge."""
    q = _column(rows.q_logged)
    weight = fitting_weights(rows.propensity, rows.target_propensity)
    return Regression.of(np.stack([np.ones(len(q)), q], axis=1), rows.reward, weight, folds_of(rows.cluster))


def refitted(rows: Logged, fitted: Regression) -> Logged:
    """The rows with q_mrdr and v_mrdr; those of the given model where MRDR's weights are all 0."""
    q, v = _column(rows.q_logged), _column(rows.v_target)
    if not fitted.squares[:, 0, 0].all():
        return replace(rows, q_mrdr=q, v_mrdr=v)
    scale = float(fitted.squares[:, 0, 0].sum())
    line = _towards_given(fitted, 1e-3 * scale)[folds_of(rows.cluster)]
    return replace(rows, q_mrdr=line[:, 0] + line[:, 1] * q, v_mrdr=line[:, 0] + line[:, 1] * v)


def _towards_given(fitted: Regression, penalty: float) -> Floats:
    """[F, 2] a and b; pulled a little towards a = 0, b = 1, which is what they are where q doesn't vary."""
    given = np.array([0.0, 1.0])
    moved = Regression(squares=fitted.squares, products=fitted.products - fitted.squares @ given)
    return given + moved.fitted(np.array([0.0, penalty]))


def _column(given: Floats | None) -> Floats:
    if given is None:
        raise ValueError("these rows come without a reward model")
    return given
