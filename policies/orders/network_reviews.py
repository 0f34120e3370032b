"""The order network at a live review: inputs and answers as those of `policies.orders.replenish.choose`.

Elementwise in float64 and in blocks of a fixed size, so that the bits of a choice don't depend on its neighbours
(docs/adr/0002).
"""

from collections.abc import Sequence
from functools import cache
from math import sqrt
from typing import Final, cast

import torch

from policies.orders.network import PHI, Known, Stock, Weights, base, need, shipped, terms
from policies.orders.network_orders import weights_of
from policies.orders.replenish import BLOCK, MAX_STEPS, Choice, Review, arrivals_of, fit_to_packs, steps_of
from policies.version import Priors

_FACTS: Final = 15
_BOUNDS: Final = ("pack_size", "min_order", "max_order", "rate", "holding_cost", "shortage_cost")  # the last of them


@cache
def _shipped() -> Weights:
    return weights_of(shipped())


def weights_in(prior: Priors) -> Weights:
    """The network of a policy version; where it has none of its own, the one that ships."""
    own = {name: prior[name] for name in _shipped() if name in prior}
    return {**_shipped(), **weights_of(own)}


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
    arrivals[: len(reviews)] = torch.tensor([arrivals_of(review) for review in reviews], dtype=torch.float64)
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
        *_, projected, sd = base(known, given, stock)
        bounds = dict(zip(_BOUNDS, column[-len(_BOUNDS) :], strict=True)) | {"position": column[1]}
        # Between two numbers of packs the newsvendor's cost decides, around the quantity that the network wants.
        quantity = fit_to_packs(bounds, wanted, (given.z * sd - wanted, sd, PHI(given.z)))
        out = torch.stack([quantity, wanted, projected, PHI(given.z)], dim=1)
    rows = cast(list[list[float]], out.tolist())  # pyright: ignore[reportUnknownMemberType]  # torch leaves tolist untyped
    return [
        Choice(quantity=quantity, projected=left, level=left + wanted, service=service, enough=0.0, fast=1.0)
        for quantity, wanted, left, service in rows[: len(reviews)]
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
        float(steps_of(review)),
        review.pack_size,
        review.min_order,
        review.max_order,
        belief.mean,
        review.holding_cost,
        review.shortage_cost,
    ]
