"""Standard IPS of slates: the whole slate is one action, its weight the product over slots. Assumes nothing.

Precup, Sutton and Singh, Eligibility traces for off-policy policy evaluation, 2000.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from policies.estimators.estimator import Estimator, Parts
from policies.estimators.logged import Slates
from policies.estimators.terms import Terms


def _parts(rows: Slates, terms: Terms) -> Parts:  # noqa: ARG001 # every estimator is called alike
    w = rows.weights.prod(axis=1)
    return Parts(base=np.zeros(len(rows)), gain=w, product=w * rows.reward.sum(axis=1), control=w - 1)


SLATE_IPS: Final = Estimator[Slates](name="ips", parts=_parts, sums="ips")
SLATE_SNIPS: Final = replace(SLATE_IPS, name="snips", normalised=True)
