"""Slates by Plackett–Luce under a mixture of posterior draws, with exact propensities.

One of M draws of the weights is picked at random, its scores perturbed by Gumbel noise, and the k highest taken: that
is a sample from Plackett–Luce (Yellott 1977; Kool, van Hoof, Welling 2019). Given the seed the M draws are known, so
the probability of the slate is the mean over them: P(a) = 1/M Σ_m Π_j exp(s_m[a_j]/τ) / Σ_{c ∉ a_<j} exp(s_m[c]/τ).

All arithmetic is elementwise in the batch (policies.linalg), so that a slate never depends on which others were asked
for beside it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from policies.belief import GaussianPrior, posterior
from policies.draws import gumbels, normals, uniforms
from policies.linalg import Floats, dot, logaddexp, logsumexp

BLOCK: Final = 32  # slates worked out at once: as many as stay in the cache
MAX_CANDIDATES: Final = 100
DRAWS: Final = 8
SLOTS: Final = (10, MAX_CANDIDATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One slate asked for: `phi` [C, d] of C ≤ 100 candidates, the entity's evidence D and h, the seed, the size."""

    phi: Floats
    precision: Floats
    shift: Floats
    seed: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Slate:
    """What was chosen: candidate indices by slot, with their posterior mean scores and propensities."""

    chosen: list[int]
    scores: list[float]
    propensity: float
    slot_propensities: list[float]
    mean: list[float]


def choose(queries: Sequence[Query], prior: GaussianPrior, temperature: float) -> list[Slate]:
    """A slate for each query. Equal queries get equal slates, whatever they are asked together with."""
    slates: list[Slate | None] = [None] * len(queries)
    for slots in SLOTS:
        places = [place for place, query in enumerate(queries) if _slots(query) == slots]
        for start in range(0, len(places), BLOCK):
            block = places[start : start + BLOCK]
            made = _choose_block([queries[place] for place in block], prior, temperature, slots)
            for place, slate in zip(block, made, strict=True):
                slates[place] = slate
    return [slate for slate in slates if slate is not None]


def _slots(query: Query) -> int:
    """How many slots are worked out for this query: by its own size alone, since the sums are rounded by it."""
    return next(slots for slots in SLOTS if query.size <= slots)


def _choose_block(
    block: Sequence[Query], prior: GaussianPrior, temperature: float, slots_worked: int
) -> Iterator[Slate]:
    d, rows = prior.size, len(block)
    phi = np.zeros((d, rows, MAX_CANDIDATES))
    counts = np.array([len(query.phi) for query in block])
    for row, query in enumerate(block):
        phi[:, row, : counts[row]] = query.phi.T
    precision = np.stack([query.precision for query in block], axis=-1)
    shift = np.stack([query.shift for query in block], axis=-1)
    uniform = uniforms(np.array([query.seed for query in block], dtype=np.uint64), 1 + DRAWS * d + MAX_CANDIDATES)
    noise = normals(uniform[:, 1 : 1 + DRAWS * d]).reshape(rows, DRAWS, d).transpose(2, 1, 0)
    mean, weights = posterior(prior, precision, shift, noise)
    scores = dot(torch.as_tensor(phi), torch.as_tensor(mean).unsqueeze(-1)).numpy()
    chosen, slots = sample(
        torch.as_tensor(phi),
        torch.as_tensor(weights) / temperature,
        torch.as_tensor(counts),
        uniform[:, 0],
        gumbels(uniform[:, 1 + DRAWS * d :]),
        size=slots_worked,
    )
    for row, query in enumerate(block):
        size = min(query.size, len(query.phi))
        picked = chosen[row, :size]
        yield Slate(
            chosen=picked.tolist(),
            scores=scores[row, picked].tolist(),
            propensity=float(np.prod(slots[row, :size])),
            slot_propensities=slots[row, :size].tolist(),
            mean=mean[:, row].tolist(),
        )


def sample(
    phi: torch.Tensor, weights: torch.Tensor, counts: torch.Tensor, pick: Floats, noise: torch.Tensor, *, size: int
) -> tuple[npt.NDArray[np.int64], Floats]:
    """The first slots of a ranking, and their propensities, both [B, size].

    φ [d, B, C] of the candidates, of which each row has `counts` [B]; drawn weights over the temperature [d, M, B];
    a uniform [B] that picks the draw, and Gumbels [B, C].
    """
    logits = dot(phi.unsqueeze(1), weights.unsqueeze(-1))  # [M, B, C]
    draws, rows, width = logits.shape
    logits = logits.masked_fill(torch.arange(width) >= counts.unsqueeze(1), -torch.inf)
    picked = torch.as_tensor((pick * draws).astype(np.int64))
    ranking = torch.argsort(logits[picked, torch.arange(rows)] + noise, dim=1, descending=True, stable=True)
    return ranking[:, :size].numpy(), slot_propensities(logits, ranking, size).numpy()


def slot_propensities(logits: torch.Tensor, ranking: torch.Tensor, size: int) -> torch.Tensor:
    """P(slot j | slots before j) [B, size] of rankings [B, C] under the mixture of M Plackett–Luce models [M, B, C].

    Slots that hold a padded candidate (logit -inf) come last and have no meaning.
    """
    ranked = logits.gather(2, ranking.unsqueeze(0).expand_as(logits)).permute(2, 0, 1).contiguous()  # [C, M, B]
    slots = min(size, len(ranked))
    # log of what is still to be had at each slot, summed from the end: no difference of nearly equal numbers
    left = logsumexp(ranked[slots:]) if slots < len(ranked) else torch.full_like(ranked[0], -torch.inf)
    step = torch.zeros_like(ranked[:slots])
    for j in reversed(range(slots)):
        left = logaddexp(ranked[j], left)
        step[j] = ranked[j] - left
    step = torch.where(torch.isneginf(ranked[:slots]), 0.0, step)
    joint = logsumexp(torch.cumsum(step, dim=0).transpose(0, 1))  # log Σ_m P_m(a_1 … a_j), [size, B]
    before = torch.cat([torch.full_like(joint[:1], log(logits.shape[0])), joint[:-1]])
    return torch.exp(joint - before).transpose(0, 1)
