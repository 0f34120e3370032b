"""Independent IPS of slates: Σ_k w_k·r_k, as if a slot's reward hung on its own action only.

Li, Abbasi-Yadkori, Kveton, Muthukrishnan, Vinay and Wen, Offline evaluation of ranking policies with click
models, 2018.
"""

from typing import Final

import numpy as np

from policies.estimators.estimator import Estimator, Parts
from policies.estimators.logged import Slates
from policies.estimators.terms import Terms


def _parts(rows: Slates, terms: Terms) -> Parts:  # noqa: ARG001 # every estimator is called alike
    w = rows.weights
    # A slot that isn't filled has w = 1 and r = 0: it is neither in the product nor in the control.
    gain = w.mean(axis=1)
    return Parts(
        base=np.zeros(len(rows)), gain=gain, product=(w * rows.reward).sum(axis=1), control=(w - 1).sum(axis=1)
    )


INDEPENDENT_IPS: Final = Estimator[Slates](name="iips", parts=_parts, sums="iips", by_slot=True)
