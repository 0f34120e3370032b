"""The Poisson bootstrap over buckets of clusters: each replicate draws each bucket a Poisson(1) number of times.

Chamandy, Muralidharan, Najmi and Naidu, Estimating uncertainty for massive data streams, 2012. Buckets are hashes of
clusters, so the sums merge, and a cluster is drawn whole.
"""

from functools import lru_cache

import numpy as np

from policies.estimators.hashing import poissons
from policies.estimators.logged import Floats
from policies.estimators.sums import GAIN, Sums, value


@lru_cache(maxsize=1)  # 16 MB as a rule
def draws(seed: int, replicates: int, buckets: int) -> Floats:
    """[replicates, G] how often each replicate draws each bucket. The same for all estimators of one result."""
    return poissons(seed, replicates, buckets)


def interval(sums: Sums, drawn: Floats, confidence: float, *, normalised: bool) -> tuple[float, float]:
    """The percentile interval of the replicates."""
    # einsum, not BLAS: its order of summation is the same whatever the machine's threads are. By rows, it is quick.
    columns = np.ascontiguousarray(sums.buckets[:, : GAIN + 1].T)
    found = value(np.einsum("bg,kg->bk", drawn, columns), normalised=normalised)
    found = found[np.isfinite(found)]
    if not len(found):
        return np.nan, np.nan
    low, high = np.quantile(found, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
