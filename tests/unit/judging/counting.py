"""Sums of as little as can be, to see where they are counted."""

import numpy as np

from infra.judging.strand import GROUPS, TERMS, Strand


def one_decision() -> Strand:
    """A strand of one decision that earned nothing."""
    one, sums = Strand(), np.zeros((GROUPS, TERMS))
    sums[0, 0] = 1.0
    one.add(sums)
    return one
