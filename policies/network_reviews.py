"""The order network at a live review: the same inputs and answers as `policies.replenish.choose`, and better orders.

Elementwise in float64 and in blocks of a fixed size, so that the bits of a choice don't depend on its neighbours
(docs/adr/0002).
"""

from collections.abc import Sequence
from math import ceil, floor, sqrt
from typing import Final, cast

import torch

from policies.replenish import BLOCK, Choice, Review
from policies.replenish_network import PHI, Known, Stock, Weights, base, need, terms

MAX_STEPS: Final = 64

_FACTS: Final = 9


def choose(reviews: Sequence[Review], weights: Weights) -> list[Choice]:
    """Decide each review, with weights in float64. The result of one never depends on its neighbours."""
    chosen: list[Choice] = []
    for start in range(0, len(reviews), BLOCK):
        chosen += _block(reviews[start : start + BLOCK], weights)
    return chosen


def _block(reviews: Sequence[Review], weights: Weights) -> list[Choice]:
    facts = torch.ones(BLOCK, _FACTS, dtype=torch.float64)
    facts[: len(reviews)] = torch.tensor([_facts(review) for review in reviews], dtype=torch.float64)
    arrivals = torch.zeros(BLOCK, MAX_STEPS + 1, dtype=torch.float64)
    arrivals[: len(reviews)] = torch.tensor([_arrivals(review) for review in reviews], dtype=torch.float64)
    column = [each.contiguous() for each in facts.unbind(dim=1)]
    known = Known(
        rate=column[2],
        rate_sd=column[3],
        dispersion=column[4],
        lead=column[5],
        lead_sd=torch.zeros(BLOCK, dtype=torch.float64),
        holding=column[6],
        penalty=column[7],
    )
    stock = Stock(
        on_hand=column[0], arrivals=arrivals, position=column[1], steps=column[8], most_steps=int(column[8].max())
    )
    with torch.no_grad():
        given = terms(known)
        wanted = need(weights, known, given, stock, by_element)
        projected = base(known, given, stock)[2]
        out = torch.stack([wanted, projected, PHI(given.z)], dim=1)
    rows = cast(list[list[float]], out.tolist())  # pyright: ignore[reportUnknownMemberType]  # torch leaves tolist untyped
    return [
        Choice(quantity=_packs(review, wanted), projected=left, level=left + wanted, service=service)
        for review, (wanted, left, service) in zip(reviews, rows, strict=False)  # the block is filled up
    ]


def by_element(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """left [B, n] times right [n, m], each element a sum from first to last."""
    total = left[:, :1] * right[0]
    for place in range(1, len(right)):
        total = total + left[:, place : place + 1] * right[place]
    return total


def _facts(review: Review) -> list[float]:
    belief, days = review.belief, review.review_days
    return [
        review.on_hand,
        review.position,
        belief.mean * days,
        sqrt(belief.variance) * days,
        belief.dispersion,
        review.lead_time_days / days,
        review.holding_cost * days,
        review.shortage_cost,
        float(_steps(review)),
    ]


def _steps(review: Review) -> int:
    return min(MAX_STEPS, ceil(review.lead_time_days / review.review_days - 1e-9))


def _arrivals(review: Review) -> list[float]:
    """Units that arrive at the start of each step; the last are those due with the new order."""
    steps = _steps(review)
    units = [0.0] * (MAX_STEPS + 1)
    for due in review.due:
        place = round(due.days / review.lead_time_days * steps) if steps else 0
        units[min(max(place, 0), steps)] += due.units
    return units


def _packs(review: Review, wanted: float) -> float:
    """The nearest number of whole packs that may be ordered; half of the least order is rounded up to it."""
    most = floor(review.max_order / review.pack_size)
    fewest = max(1, ceil(review.min_order / review.pack_size))
    if most < fewest:
        return 0.0
    packs = min(floor(max(0.0, wanted) / review.pack_size + 0.5), most)
    if packs < fewest:
        packs = fewest if wanted >= fewest * review.pack_size / 2.0 else 0
    return packs * review.pack_size
