"""The direct method: the mean of Σ_a π(a|x) q(x, a). No weights; as biased as the reward model.

Dudík, Langford and Li, Doubly robust policy evaluation and learning, 2011. Its interval tells of sampling only: how far
off the model is, it can't know.
"""

from typing import Final

import numpy as np

from policies.estimators.estimator import Estimator, Parts, doubly_robust
from policies.estimators.logged import Logged
from policies.estimators.terms import Terms


def _parts(rows: Logged, terms: Terms) -> Parts:  # noqa: ARG001 # every estimator is called alike
    return doubly_robust(rows, np.zeros(len(rows)))


DM: Final = Estimator[Logged](name="dm", parts=_parts, sums="dm", model="q_logged")
