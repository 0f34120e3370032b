"""Clipped IPS: mean of min(w, M)·r. A little bias for much less variance.

Ionides, Truncated importance sampling, 2008. The interval allows for what was cut: E[w] = 1, so the share of the target
policy that is missing is 1 − E[min(w, M)], and a reward lies between the lowest and the highest.
"""

from typing import Final

import numpy as np

from policies.estimators.estimator import Estimator, Parts
from policies.estimators.logged import Logged
from policies.estimators.terms import Terms


def _parts(rows: Logged, terms: Terms) -> Parts:
    gain = np.minimum(rows.weight, terms.clip)
    return Parts(base=np.zeros(len(rows)), gain=gain, product=gain * rows.reward, control=rows.weight - 1)


CLIPPED_IPS: Final = Estimator[Logged](name="clipped-ips", parts=_parts, sums="clipped-ips", cut=True, of_rewards=True)
