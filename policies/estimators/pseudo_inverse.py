"""Pseudo-inverse: the slate's reward is a sum of what each slot adds, which needs not be seen by slot.

Swaminathan, Krishnamurthy, Agarwal, Dudík, Langford, Jose and Zitouni, Off-policy evaluation for slate recommendation,
2017; the closed form (Σ_k w_k − K + 1)·R for a logger that fills its slots independently.
"""

from typing import Final

import numpy as np

from policies.estimators.estimator import Estimator, Parts
from policies.estimators.logged import Slates
from policies.estimators.terms import Terms


def _parts(rows: Slates, terms: Terms) -> Parts:  # noqa: ARG001 # every estimator is called alike
    gain = (rows.weights - 1).sum(axis=1) + 1
    return Parts(base=np.zeros(len(rows)), gain=gain, product=gain * rows.reward.sum(axis=1), control=gain - 1)


PSEUDO_INVERSE: Final = Estimator[Slates](name="pi", parts=_parts, sums="pi", by_slot=True)
