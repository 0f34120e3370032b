"""A slate as one action: its weight the product over slots, its reward the sum. Estimators of decisions then fit it.

With V_k and Q_k expected from slot k to the end (Jiang and Li 2016), the model of a whole slate is
b = Q_1 + Σ_{k≥2} (Q_k − V_k): under the target policy each term of the sum is 0 on average given the slots before, so b
is V_1 on average, which is what a doubly robust estimate asks of it. Nothing is assumed of how a user looks through it.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from policies.estimators.clipped_ips import CLIPPED_IPS
from policies.estimators.direct import DM
from policies.estimators.dr import DR
from policies.estimators.dros import DROS
from policies.estimators.estimator import Estimator, Parts
from policies.estimators.logged import Logged, Slates
from policies.estimators.sndr import SNDR
from policies.estimators.switch_dr import SWITCH_DR
from policies.estimators.terms import Terms


def as_one(rows: Slates) -> Logged:
    """Each slate as a decision of one action."""
    w = rows.weights.prod(axis=1)
    of = np.maximum(w, 1.0)  # a long slate's own propensities may be too small for a float; their ratio isn't
    q = v = None
    if rows.q_logged is not None and rows.v_target is not None:
        v = rows.v_target[:, 0]
        q = rows.q_logged.sum(axis=1) - rows.v_target[:, 1:].sum(axis=1)
    return Logged(
        reward=rows.reward.sum(axis=1),
        propensity=1.0 / of,
        target_propensity=w / of,
        cluster=rows.cluster,
        q_logged=q,
        v_target=v,
    )


def _of_slates(of: Estimator[Logged]) -> Estimator[Slates]:
    def parts(rows: Slates, terms: Terms) -> Parts:
        return of.parts(as_one(rows), terms)

    made: Callable[..., Any] = Estimator[Slates]
    return made(name=of.name, parts=parts, sums=of.sums, normalised=of.normalised, cut=of.cut, model=of.model)


WHOLE_SLATES: Final = tuple(_of_slates(each) for each in (CLIPPED_IPS, DM, DR, SNDR, SWITCH_DR, DROS))
