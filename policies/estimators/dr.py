"""Doubly robust: the reward model's value, corrected by the weighted residuals. Right if either model or weights are.

Dudík, Langford and Li, Doubly robust policy evaluation and learning, 2011.
"""

from typing import Final

from policies.estimators.estimator import Estimator, Parts, doubly_robust
from policies.estimators.logged import Logged
from policies.estimators.terms import Terms


def _parts(rows: Logged, terms: Terms) -> Parts:  # noqa: ARG001 # every estimator is called alike
    return doubly_robust(rows, rows.weight)


DR: Final = Estimator[Logged](name="dr", parts=_parts, sums="dr", model="q_logged")
