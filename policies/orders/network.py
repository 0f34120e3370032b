"""One network for every inventory: how much the order of a rule that needs no training should be corrected.

What goes in is a belief (mean, how unsure of it, dispersion), the stock, what is under way, the costs and the lead
time; all of it without units, so that a mean of 0.1 or 100 a review and costs in any currency are the same to it. What
comes out is added to what `policies/orders/replenish.py` would order, the rule of the projected inventory level (arXiv
2101.07519) with its rate taken for certain, in units of the spread of demand. What to do about not being sure is
learned, as is all that the rule's normal closure gets wrong: skewed demand, slow movers, whole units.

Trained by pathwise gradients through the inventory recursion (Madeka et al. 2022; HDPO, arXiv 2306.11246):
`policies/orders/network_training.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import pi, sqrt
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import torch

from policies.orders.demand import DOMAIN, SCHEMA
from policies.shipped import tensors

TENSORS: Final = ("w1", "b1", "w2", "b2", "w3", "b3", "prior")
RECENT: Final = 6  # last orders seen one by one
SOON: Final = 4  # next arrivals seen one by one
HIDDEN: Final = 64
SHADE: Final = 0.3  # as in policies/orders/replenish.py
SERVICE: Final = (0.001, 0.9995)
FARTHEST: Final = 8.0  # what a feature is squashed to
LONGEST: Final = 16.0  # reviews of lead time beyond which the plain rule is left alone: none was trained on
MOST: Final = 2.5  # the largest correction, in units of the scale

_SQRT_2PI: Final = sqrt(2.0 * pi)
_Elementwise = Callable[[torch.Tensor], torch.Tensor]
PHI: Final = cast(_Elementwise, torch.special.ndtr)  # pyright: ignore[reportUnknownMemberType]  # torch leaves it untyped
_PHI_INVERSE: Final = cast(_Elementwise, torch.special.ndtri)  # pyright: ignore[reportUnknownMemberType]  # as above

Weights = Mapping[str, torch.Tensor]
Matmul = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What doesn't change from review to review unless something is learned: all [B], per review and unit.

    `rate` and `rate_sd` are of the belief about mean demand, `dispersion` is variance over mean, `lead_sd` in reviews.
    """

    rate: torch.Tensor
    rate_sd: torch.Tensor
    dispersion: torch.Tensor
    lead: torch.Tensor
    lead_sd: torch.Tensor
    holding: torch.Tensor
    penalty: torch.Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Units on hand [B]; `arrivals` [B, K + 1] at the start of each of K steps until an order placed now comes.

    `steps` [B] is K by row; a lead time of more than K reviews is walked in longer steps.
    """

    on_hand: torch.Tensor
    arrivals: torch.Tensor
    position: torch.Tensor  # on hand and under way
    steps: torch.Tensor
    most_steps: int
    even: bool = False  # every row has `most_steps`


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What follows from `Known` alone: worked out once where nothing is learned."""

    sd: torch.Tensor  # of one review's demand
    scale: torch.Tensor  # what units are measured in
    z: torch.Tensor
    tail: torch.Tensor  # standard deviations that skewness adds
    fixed: torch.Tensor  # [B, …] the features that don't depend on the stock


def terms(known: Known) -> Terms:
    """Everything about an instance that the stock doesn't change."""
    rate = known.rate.clamp_min(1e-6)
    sd = (known.dispersion * rate).sqrt()
    scale = (sd * sd + 0.25).sqrt()  # half a unit: below it, whole units are what matters
    holding = known.holding * (1.0 + SHADE * torch.log2(1.0 + known.lead))
    service = (known.penalty / (known.penalty + holding + 1e-12)).clamp(*SERVICE)
    z = _PHI_INVERSE(service)
    variance = known.dispersion * rate * (known.lead + 1.0)
    skewness = (2.0 * known.dispersion - 1.0).clamp_min(0.0) / variance.clamp_min(1e-6).sqrt()
    tail = (z * z - 1.0).clamp_min(0.0) * skewness / 6.0
    odds = (known.penalty / known.holding.clamp_min(1e-9)).clamp(1e-2, 1e4)
    unsure = (known.rate_sd / rate).clamp(0.0, 2.0)
    fixed = [
        z,
        odds.log() / 3.0,
        rate.log() / 3.0,
        known.dispersion.clamp_min(0.1).log() / 2.0,
        torch.log1p(known.lead),
        1.0 / (1.0 + known.lead),
        (sd / rate).log() / 2.0,
        skewness / (1.0 + skewness),
        unsure,
        unsure.sqrt(),
        (known.lead_sd * rate / scale) / (1.0 + known.lead_sd * rate / scale),
        1.0 / (1.0 + 2.0 * sd),
    ]
    return Terms(sd=sd, scale=scale, z=z, tail=tail, fixed=torch.stack(fixed, dim=-1))


def need(weights: Weights, known: Known, given: Terms, stock: Stock, matmul: Matmul = torch.matmul) -> torch.Tensor:
    """Units [B] wanted on top of what is under way, not yet rounded; at or below zero where none are."""
    wanted, better = _plain_and_better(weights, known, given, stock, matmul)
    # Without stock nothing is ever sold, and nothing learned: there the plain rule's order is the least.
    return torch.where(stock.position > 0.0, better, torch.maximum(better, wanted))


def need_of_known(weights: Weights, known: Known, given: Terms, stock: Stock) -> torch.Tensor:
    """The same where nothing is to be learned, so that stocking nothing at all may be best."""
    return _plain_and_better(weights, known, given, stock, torch.matmul)[1]


def _plain_and_better(
    weights: Weights, known: Known, given: Terms, stock: Stock, matmul: Matmul
) -> tuple[torch.Tensor, torch.Tensor]:
    wanted, seen, *_ = base(known, given, stock)
    better = wanted + given.scale * correction(weights, torch.cat([seen, given.fixed], dim=-1), matmul)
    return wanted, torch.where(known.lead > LONGEST, wanted, better)


def base(known: Known, given: Terms, stock: Stock) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """What the rule would order [B], its rate taken for certain; the features [B, …] that depend on the stock; the
    units expected to be left when the order arrives [B]; and their standard deviation a review later [B]."""
    projected, spread = _project(known, stock)
    sd = (spread + given.sd * given.sd).sqrt()
    wanted = known.rate + (given.z + given.tail) * sd - projected
    per_step = known.lead / stock.steps.clamp_min(1.0)
    usual = known.rate * per_step
    wide = given.scale * per_step.clamp_min(1e-6).sqrt()
    expected = known.rate * (known.lead + 1.0)
    long = given.scale * (known.lead + 1.0).sqrt()
    seen = [
        (wanted - known.rate) / given.scale,
        wanted / given.scale,
        (projected - known.rate) / given.scale,
        spread.sqrt() / given.scale,
        (stock.on_hand - known.rate) / given.scale,
        stock.on_hand / given.scale,
        (stock.position - expected) / long,
        (stock.position - known.rate * known.lead - projected) / long,
    ]
    features = torch.cat([torch.stack(seen, dim=-1), _orders(stock, usual, wide)], dim=-1)
    return wanted, features / (1.0 + features.abs() / FARTHEST), projected, sd


def _orders(stock: Stock, usual: torch.Tensor, wide: torch.Tensor) -> torch.Tensor:
    """The last orders, newest first, and the next arrivals, against what is usual; zero where there is none [B, 10]."""
    steps = stock.steps.long().unsqueeze(1)
    back = steps - torch.arange(1, RECENT + 1)
    ahead = torch.arange(1, SOON + 1).expand(len(usual), SOON)
    at = torch.cat([back, torch.where(ahead < steps, ahead, torch.zeros_like(ahead))], dim=1).clamp_min(0)
    units = (stock.arrivals.gather(1, at) - usual.unsqueeze(1)) / wide.unsqueeze(1)
    return torch.where(at > 0, units, torch.zeros_like(units))


def _project(known: Known, stock: Stock) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance [B] of the units left when an order placed now arrives, before it is unpacked."""
    length = known.lead / stock.steps.clamp_min(1.0)
    mean, variance = stock.on_hand, torch.zeros_like(known.rate)
    less = known.rate * length
    more = (known.dispersion * less).clamp_min(1e-9)
    for step in range(stock.most_steps):
        left, wide = PositivePart.of(mean + (stock.arrivals[:, step] - less), variance + more)
        if stock.even:
            mean, variance = left, wide
        else:
            under_way = stock.steps > step
            mean, variance = torch.where(under_way, left, mean), torch.where(under_way, wide, variance)
    due_then = stock.arrivals.gather(1, stock.steps.long().unsqueeze(1)).squeeze(1)
    return mean + due_then, variance


class PositivePart(torch.autograd.Function):
    """Mean and variance [B] of Y⁺ for a normal Y, from its own; with the derivatives in closed form, for speed."""

    @staticmethod
    def of(mean: torch.Tensor, variance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if torch.is_grad_enabled():
            found: Any = PositivePart.apply(mean, variance)  # pyright: ignore[reportUnknownMemberType]  # as above
            return cast(tuple[torch.Tensor, torch.Tensor], found)
        first, wide, *_ = _positive_part(mean, variance)
        return first, wide

    @staticmethod
    def forward(ctx: Any, mean: torch.Tensor, variance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]  # torch types it by *args
        first, wide, below, density, sd = _positive_part(mean, variance)
        ctx.save_for_backward(first, below, density / sd)
        return first, wide

    @staticmethod
    def backward(ctx: Any, to_mean: torch.Tensor, to_variance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]  # as above
        first, below, slope = ctx.saved_tensors
        by_mean = to_mean * below + to_variance * (2.0 * first * (1.0 - below))
        return by_mean, to_mean * (0.5 * slope) + to_variance * (below - first * slope)


def _positive_part(mean: torch.Tensor, variance: torch.Tensor) -> tuple[torch.Tensor, ...]:
    sd = variance.sqrt()
    u = mean / sd
    below, density = PHI(u), torch.exp(-0.5 * u * u) / _SQRT_2PI
    more = sd * density
    first = (mean * below + more).clamp_min(0.0)
    second = (mean * mean + variance) * below + mean * more
    return first, (second - first * first).clamp_min(1e-9), below, density, sd


def correction(weights: Weights, features: torch.Tensor, matmul: Matmul = torch.matmul) -> torch.Tensor:
    """What the network adds [B], in units of `Terms.scale`: two hidden layers, bounded where nothing was seen."""
    hidden = torch.nn.functional.silu(matmul(features, weights["w1"]) + weights["b1"])
    hidden = torch.nn.functional.silu(matmul(hidden, weights["w2"]) + weights["b2"])
    raw = (matmul(hidden, weights["w3"]) + weights["b3"]).squeeze(-1)
    return MOST * torch.tanh(raw / MOST)


WIDTH: Final = 8 + RECENT + SOON + 12


def untrained(random: torch.Generator) -> dict[str, torch.Tensor]:
    """Weights to start from: the correction is nothing."""
    sizes = [(WIDTH, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 1)]
    weights: dict[str, torch.Tensor] = {}
    for place, (wide, out) in enumerate(sizes, start=1):
        gain = 0.0 if place == len(sizes) else 1.5 / sqrt(wide)
        weights[f"w{place}"] = gain * torch.randn(wide, out, generator=random)
        weights[f"b{place}"] = torch.zeros(out)
    return weights


def shipped() -> dict[str, npt.NDArray[np.float32]]:
    """The weights that come with the package, and the `prior` over a SKU's mean and dispersion."""
    found = tensors(DOMAIN, schema=SCHEMA)
    return {name: found[name] for name in TENSORS}
