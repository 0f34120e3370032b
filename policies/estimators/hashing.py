"""Randomness that hangs on a place only: the same cluster falls into the same bucket, on any machine, in any order."""

from statistics import NormalDist
from typing import Final

import numpy as np

from policies.estimators.logged import Floats, Hashes, Times

_GAMMA: Final = np.uint64(0x9E3779B97F4A7C15)
_MIXES: Final = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_LAST, _SPARE = np.uint64(31), np.uint64(11)


def mixed(x: Hashes) -> Hashes:
    """SplitMix64's finaliser (Steele, Lea and Flood 2014). Any shape."""
    x = x + _GAMMA
    for shift, factor in _MIXES:
        x = (x ^ (x >> shift)) * factor
    return x ^ (x >> _LAST)


def buckets_of(cluster: Hashes, buckets: int) -> Times:
    """[n] the bucket of each cluster, 0 to buckets − 1."""
    return (mixed(cluster) % np.uint64(buckets)).astype(np.int64)


def poissons(seed: int, replicates: int, buckets: int, *, first: int = 0) -> Floats:
    """[replicates, buckets] counts, Poisson with mean 1: how often a bootstrap replicate draws a bucket.

    Those of the buckets from `first` on, whatever others there are.
    """
    start = mixed(np.uint64(seed) + np.arange(replicates, dtype=np.uint64) * _GAMMA)
    u = (mixed(start[:, None] ^ mixed(np.arange(first, first + buckets, dtype=np.uint64))) >> _SPARE) * 2.0**-53
    chances = np.exp(-1.0) / np.cumprod(np.concatenate([[1.0], np.arange(1.0, 20.0)]))
    return np.searchsorted(np.cumsum(chances), u, side="right").astype(np.float64)


def two_sided(confidence: float) -> float:
    """The normal quantile z with P(|Z| ≤ z) = confidence.

    >>> round(two_sided(0.95), 6)
    1.959964
    """
    return NormalDist().inv_cdf((1 + confidence) / 2)
