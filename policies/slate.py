"""Slates by Plackett–Luce under a mixture of posterior draws, with exact propensities.

One of M draws of the weights is picked at random, its scores perturbed by Gumbel noise, and the k highest taken: that
is a sample from Plackett–Luce (Yellott 1977; Kool, van Hoof, Welling 2019). Given the seed the M draws are known, so
the probability of the slate is the mean over them: P(a) = 1/M Σ_m Π_j exp(s_m[a_j]/τ) / Σ_{c ∉ a_<j} exp(s_m[c]/τ).

Work is done in blocks of a fixed shape, so that a slate never depends on which others were asked for beside it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from policies.belief import GaussianPrior, draw, posterior
from policies.draws import gumbels, normals, uniforms
from policies.linalg import Floats, dot, logsumexp

BLOCK: Final = 16
MAX_CANDIDATES: Final = 100
DRAWS: Final = 8


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
    return [slate for block in _blocks(queries) for slate in _choose_block(block, prior, temperature)]


def _blocks(queries: Sequence[Query]) -> Iterator[Sequence[Query]]:
    for start in range(0, len(queries), BLOCK):
        yield queries[start : start + BLOCK]


def _choose_block(block: Sequence[Query], prior: GaussianPrior, temperature: float) -> Iterator[Slate]:
    d = prior.size
    phi = np.zeros((BLOCK, MAX_CANDIDATES, d))
    # a row that pads the block has the prior alone
    precision, shift = np.zeros((BLOCK, d, d)), np.zeros((BLOCK, d))
    seeds, counts = np.zeros(BLOCK, dtype=np.uint64), np.zeros(BLOCK, dtype=np.int64)
    for row, query in enumerate(block):
        counts[row] = len(query.phi)
        phi[row, : counts[row]] = query.phi
        precision[row], shift[row], seeds[row] = query.precision, query.shift, query.seed
    belief = posterior(prior, _last(precision), _last(shift))
    chosen, slots, scores = sample(
        torch.as_tensor(phi).permute(2, 0, 1).contiguous(), belief, torch.as_tensor(counts), seeds, temperature
    )
    means = belief[0].numpy()
    for row, query in enumerate(block):
        size = min(query.size, len(query.phi))
        picked = chosen[row, :size]
        yield Slate(
            chosen=picked.tolist(),
            scores=scores[row, picked].tolist(),
            propensity=float(np.prod(slots[row, :size])),
            slot_propensities=slots[row, :size].tolist(),
            mean=means[:, row].tolist(),
        )


def _last(rows: Floats) -> torch.Tensor:
    """[B, …] → […, B]: the batch last, as policies.linalg has it."""
    return torch.as_tensor(np.ascontiguousarray(np.moveaxis(rows, 0, -1)))


def sample(
    phi: torch.Tensor,
    belief: tuple[torch.Tensor, torch.Tensor],
    counts: torch.Tensor,
    seeds: npt.NDArray[np.uint64],
    temperature: float,
) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Full rankings [B, C], their slot propensities [B, C] and mean scores [B, C], of candidates φ [d, B, C]."""
    (d, rows, width), (mean, factor) = phi.shape, belief
    uniform = uniforms(seeds, 1 + DRAWS * d + width)
    noise = normals(uniform[:, 1 : 1 + DRAWS * d]).reshape(rows, DRAWS, d).permute(2, 1, 0)
    weights = draw(mean, factor, noise.contiguous())  # [d, M, B]
    logits = dot(phi.unsqueeze(1), weights.unsqueeze(-1)) / temperature  # [M, B, C]
    logits = logits.masked_fill(torch.arange(width) >= counts.unsqueeze(1), -torch.inf)
    picked = torch.as_tensor((uniform[:, 0] * DRAWS).astype(np.int64))
    perturbed = logits[picked, torch.arange(rows)] + gumbels(uniform[:, 1 + DRAWS * d :])
    chosen = torch.argsort(perturbed, dim=1, descending=True, stable=True)
    scores = dot(phi, mean.unsqueeze(-1))
    return chosen.numpy(), slot_propensities(logits, chosen).numpy(), scores.numpy()


def slot_propensities(logits: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """P(slot j | slots before j) [B, C] of rankings [B, C] under the mixture of M Plackett–Luce models [M, B, C].

    Slots that hold a padded candidate (logit -inf) come last and have no meaning.
    """
    ranked = logits.gather(2, chosen.unsqueeze(0).expand_as(logits))
    # log of what is still to be had at slot j, summed from the end: no difference of nearly equal numbers
    remaining = torch.logcumsumexp(ranked.flip(2), dim=2).flip(2)
    step = torch.where(torch.isfinite(ranked), ranked - remaining, 0.0)
    joint = logsumexp(torch.cumsum(step, dim=2))  # log Σ_m P_m(a_1 … a_j), [B, C]
    before = torch.cat([torch.full_like(joint[:, :1], float(np.log(len(logits)))), joint[:, :-1]], dim=1)
    return torch.exp(joint - before)
