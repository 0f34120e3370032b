"""The normal interval, by the delta method over buckets of clusters. Right where no weight stands out."""

from math import sqrt

import numpy as np

from policies.estimators.hashing import two_sided
from policies.estimators.logged import Floats
from policies.estimators.sums import BASE, COUNT, GAIN, PRODUCT, Sums, value


def scores(sums: Sums, *, normalised: bool) -> Floats:
    """[G] how far each bucket moves the estimate, to first order; their sum is 0."""
    total = sums.total
    by, n = sums.buckets, total[COUNT]
    under, column = (total[GAIN], GAIN) if normalised else (n, COUNT)
    base = (by[:, BASE] - by[:, COUNT] * (total[BASE] / n)) / n
    return base + (by[:, PRODUCT] - by[:, column] * (total[PRODUCT] / under)) / under


def interval(sums: Sums, confidence: float, *, normalised: bool) -> tuple[float, float]:
    """Estimate ± t·s, with Student's t for as many degrees as there are buckets in use less one."""
    used = int((sums.buckets[:, COUNT] > 0).sum())
    error = sqrt(float((scores(sums, normalised=normalised) ** 2).sum()) * used / (used - 1))
    centre = float(value(sums.total, normalised=normalised))
    half = student(confidence, used - 1) * error
    return centre - half, centre + half


def student(confidence: float, degrees: float) -> float:
    """The two-sided quantile of Student's t, by its expansion around the normal's (Fisher and Cornish 1960).

    >>> round(student(0.95, 30), 3)
    2.042
    """
    z = two_sided(confidence)
    terms = np.array([z, (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96])
    return float((terms / float(degrees) ** np.arange(3)).sum())
