"""Empirical Bernstein: an interval for any n, that assumes a range instead of a distribution. Wide.

Maurer and Pontil, Empirical Bernstein bounds and sample-variance penalization, 2009, theorem 4, on both sides. The
range is the span of w·r that the log shows; rows are taken as independent.
"""

from math import log, sqrt

from policies.estimators.sums import BASE, COUNT, PRODUCT, SQUARE, Sums


def interval(sums: Sums, span: float, confidence: float) -> tuple[float, float]:
    """`span`: the largest less the smallest of what is averaged."""
    total = sums.total
    n, sum_x = float(total[COUNT]), float(total[BASE] + total[PRODUCT])
    mean = sum_x / n
    variance = max(float(total[SQUARE]) - n * mean * mean, 0.0) / (n - 1)
    each = log(4 / (1 - confidence))
    half = sqrt(2 * variance * each / n) + 7 * span * each / (3 * (n - 1))
    return mean - half, mean + half
