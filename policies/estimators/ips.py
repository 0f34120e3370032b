"""Inverse propensity scoring: mean of w·r. Unbiased, and of huge variance where weights are large.

Horvitz and Thompson 1952; for policies Precup, Sutton and Singh, Eligibility traces for off-policy evaluation, 2000.
"""

from typing import Final

import numpy as np

from policies.estimators.estimator import Estimator, Parts
from policies.estimators.logged import Logged
from policies.estimators.terms import Terms


def _parts(rows: Logged, terms: Terms) -> Parts:  # noqa: ARG001 # every estimator is called alike
    w = rows.weight
    return Parts(base=np.zeros(len(rows)), gain=w, product=w * rows.reward, control=w - 1)


IPS: Final = Estimator[Logged](name="ips", parts=_parts, sums="ips", of_rewards=True)
