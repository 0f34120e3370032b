"""Switch-DR: doubly robust where w ≤ τ, the reward model alone where weights are larger.

Wang, Agarwal and Dudík, Optimal and adaptive off-policy evaluation in contextual bandits, 2017.
"""

from typing import Final

from policies.estimators.estimator import Estimator, Parts, doubly_robust
from policies.estimators.logged import Logged
from policies.estimators.terms import Terms


def _parts(rows: Logged, terms: Terms) -> Parts:
    w = rows.weight
    return doubly_robust(rows, w * (w <= terms.switch))


SWITCH_DR: Final = Estimator[Logged](name="switch-dr", parts=_parts, sums="switch-dr", model="q_logged")
