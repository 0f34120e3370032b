"""Doubly robust with optimistic shrinkage: weights λw / (w² + λ), which fall again where w is large.

Su, Dimakopoulou, Krishnamurthy and Dudík, Doubly robust off-policy evaluation with shrinkage, 2020.
"""

from typing import Final

import numpy as np

from policies.estimators.estimator import Estimator, Parts, doubly_robust
from policies.estimators.logged import Logged
from policies.estimators.terms import Terms


def _parts(rows: Logged, terms: Terms) -> Parts:
    w = rows.weight
    shrunk = w / (w * w / terms.shrink + 1) if terms.shrink > 0 else np.zeros(len(rows))
    return doubly_robust(rows, shrunk)


DROS: Final = Estimator[Logged](name="dros", parts=_parts, sums="dros", model="q_logged")
