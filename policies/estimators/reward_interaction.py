"""Reward-interaction IPS: a slot's reward hangs on its action and those before it: Σ_k w_1⋯w_k·r_k.

McInerney, Brost, Chandar, Mehrotra and Carterette, Counterfactual evaluation of slate recommendations with sequential
reward interactions, 2020.
"""

from typing import Final

import numpy as np

from policies.estimators.estimator import Estimator, Parts
from policies.estimators.logged import Slates
from policies.estimators.terms import Terms


def _parts(rows: Slates, terms: Terms) -> Parts:  # noqa: ARG001 # every estimator is called alike
    w = rows.weights.cumprod(axis=1)
    return Parts(
        base=np.zeros(len(rows)),
        gain=w.mean(axis=1),
        product=(w * rows.reward).sum(axis=1),
        control=w[:, -1] - 1,
    )


RIPS: Final = Estimator[Slates](name="rips", parts=_parts, sums="rips", by_slot=True)
