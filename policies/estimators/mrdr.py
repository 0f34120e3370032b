"""More robust doubly robust: DR, with a reward model fitted so that DR's variance is least.

Farajtabar, Chow and Ghavamzadeh, More robust doubly robust off-policy evaluation, 2018. A logged row's error counts
π(a|x) (1 − p) / p² in that fit.
"""

from dataclasses import replace
from typing import Final

from policies.estimators.dr import DR
from policies.estimators.estimator import Estimator, Parts
from policies.estimators.logged import Floats, Logged
from policies.estimators.terms import Terms


def fitting_weights(propensity: Floats, target_propensity: Floats) -> Floats:
    """[n] what a row's squared error counts in the fit."""
    return target_propensity * (1 - propensity) / propensity**2


def _parts(rows: Logged, terms: Terms) -> Parts:
    return DR.parts(replace(rows, q_logged=rows.q_mrdr, v_target=rows.v_mrdr), terms)


MRDR: Final = Estimator[Logged](name="mrdr", parts=_parts, sums="mrdr", model="q_mrdr")
