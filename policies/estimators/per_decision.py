"""Per-decision doubly robust, for sequences: Σ_k w_1⋯w_k (r_k − Q_k) + w_1⋯w_(k−1) V_k.

Jiang and Li, Doubly robust off-policy value evaluation for reinforcement learning, 2016, without discount. Q_k and V_k
are what is expected from step k to the end, of the logged action and of the target policy.
"""

from typing import Final

import numpy as np

from policies.estimators.estimator import Estimator, Parts
from policies.estimators.logged import Slates
from policies.estimators.terms import Terms


def _parts(rows: Slates, terms: Terms) -> Parts:  # noqa: ARG001 # every estimator is called alike
    if rows.q_logged is None or rows.v_target is None:
        raise ValueError("these rows come without a reward model")
    w = rows.weights.cumprod(axis=1)
    before = np.concatenate([np.ones((len(rows), 1)), w[:, :-1]], axis=1)
    correction = w * (rows.reward - rows.q_logged)
    correction[:, 1:] += (before * rows.v_target)[:, 1:]  # the first step's value has weight 1: it is the base
    return Parts(base=rows.v_target[:, 0], gain=w.mean(axis=1), product=correction.sum(axis=1), control=w[:, -1] - 1)


PER_DECISION_DR: Final = Estimator[Slates](name="pddr", parts=_parts, sums="pddr", by_slot=True, model="q_logged")
