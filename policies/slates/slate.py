"""Slates by Plackett–Luce under a mixture of posterior draws, with exact propensities.

One of M draws of the weights is picked at random, its scores perturbed by Gumbel noise, and the k highest taken: that
is a sample from Plackett–Luce (Yellott 1977; Kool, van Hoof, Welling 2019). Given the seed the M draws are known, so
the probability of the slate is the mean over them: P(a) = 1/M Σ_m Π_j exp(s_m[a_j]/τ) / Σ_{c ∉ a_<j} exp(s_m[c]/τ).

All arithmetic is elementwise in the batch (policies.linalg), so that a slate never depends on which others were asked
for beside it. Propensities are ratios of running sums, one exponential a candidate; the rare row in which such a sum
leaves the range of floats is worked out in logarithms. Which way a row goes depends on that row alone.
"""

from collections.abc import Iterator, Sequence
from math import log, prod
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from policies import portable
from policies.draws import gumbels, normals, uniforms
from policies.linalg import Floats, dot, logaddexp, logsumexp, total
from policies.slates.evidence import GaussianPrior, posterior

BLOCK: Final = 40  # slates worked out at once: they stay in the cache, and are too few for torch to start threads on
MAX_CANDIDATES: Final = 100
DRAWS: Final = 8
SLOTS: Final = (10, MAX_CANDIDATES)
TINY: Final = 1e-280  # sums below may have lost digits to underflow

Ints = npt.NDArray[np.int64]


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """One slate asked for: `phi` [C, d] of C ≤ 100 candidates, the entity's evidence D and h, the seed, the size."""

    phi: Floats
    precision: Floats
    shift: Floats
    seed: int
    size: int


class Slate(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen: candidate indices by slot, with their posterior mean scores and propensities."""

    chosen: list[int]
    scores: list[float]
    propensity: float
    slot_propensities: list[float]


def choose(queries: Sequence[Query], prior: GaussianPrior, temperature: float) -> list[Slate]:
    """A slate for each query. Equal queries get equal slates, whatever they are asked together with."""
    slates: list[Slate | None] = [None] * len(queries)
    for slots in SLOTS:
        places = [place for place, query in enumerate(queries) if slots_of(query) == slots]
        for start in range(0, len(places), BLOCK):
            block = places[start : start + BLOCK]
            made = _choose_block([queries[place] for place in block], prior, temperature, slots)
            for place, slate in zip(block, made, strict=True):
                slates[place] = slate
    return [slate for slate in slates if slate is not None]


def slots_of(query: Query) -> int:
    """How many slots are worked out for this query: by its own size alone, since the sums are rounded by it."""
    return next(slots for slots in SLOTS if query.size <= slots)


class Drawn(NamedTuple):
    """A block of queries with their posteriors: what chance still has to choose from. Candidates are padded to 100."""

    block: Sequence[Query]
    phi: Floats  # [d, B, C]
    mean: Floats  # [d, B] posterior means of the weights
    logits: Floats  # [M, B, C] of each draw; -inf where padded
    uniform: Floats  # [B, …] the numbers that the seeds stand for


class Laid(NamedTuple):
    """A block of queries as arrays, with the numbers that their seeds stand for: what no policy has a say in."""

    block: Sequence[Query]
    phi: Floats  # [d, B, C]
    precision: Floats  # [d, d, B]
    shift: Floats  # [d, B]
    uniform: Floats  # [B, …]
    noise: Floats  # [d, M, B]
    padded: npt.NDArray[np.bool_]  # [B, C]


def laid(block: Sequence[Query]) -> Laid:
    """Lay out queries of as many features each. No more than BLOCK at once stay in the cache."""
    rows, d = len(block), block[0].phi.shape[1]
    phi = np.zeros((d, rows, MAX_CANDIDATES))
    counts = np.array([len(query.phi) for query in block])
    for row, query in enumerate(block):
        phi[:, row, : counts[row]] = query.phi.T
    uniform = uniforms(np.array([query.seed for query in block], dtype=np.uint64), 1 + DRAWS * d + MAX_CANDIDATES)
    return Laid(
        block,
        phi,
        precision=np.array([query.precision for query in block]).transpose(1, 2, 0),
        shift=np.array([query.shift for query in block]).T,
        uniform=uniform,
        noise=normals(uniform[:, 1 : 1 + DRAWS * d]).reshape(rows, DRAWS, d).transpose(2, 1, 0),
        padded=np.greater_equal(np.arange(MAX_CANDIDATES), counts[:, None]),
    )


def drawn(block: Sequence[Query], prior: GaussianPrior, temperature: float) -> Drawn:
    """Draw M weights for each query, by its seed."""
    return drawn_under(laid(block), prior, temperature)


def drawn_under(given: Laid, prior: GaussianPrior, temperature: float) -> Drawn:
    """The same of queries that are laid out already: for who asks several policies about them."""
    mean, weights = posterior(prior.first(len(given.phi)), given.precision, given.shift, given.noise)
    logits = dot(given.phi[:, None], (weights / temperature)[..., None])  # [M, B, C]
    if given.padded.any():
        logits[:, given.padded] = -np.inf
    return Drawn(given.block, given.phi, mean, logits, given.uniform)


def _choose_block(
    block: Sequence[Query], prior: GaussianPrior, temperature: float, slots_worked: int
) -> Iterator[Slate]:
    return picked(drawn(block, prior, temperature), slots_worked)


def picked(given: Drawn, slots_worked: int) -> Iterator[Slate]:
    """The slates that the seeds choose: `slots_worked` is of `slots_of` each query of the block."""
    d, rows = given.mean.shape
    uniform, logits = given.uniform, given.logits
    which = np.minimum((uniform[:, 0] * DRAWS).astype(np.int64), DRAWS - 1)  # a uniform may be rounded up to 1
    chosen = highest(logits[which, np.arange(rows)] + gumbels(uniform[:, 1 + DRAWS * d :]), slots_worked)
    slots = slot_propensities(logits, chosen)
    phi_chosen = given.phi.reshape(d, -1)[:, _flat(chosen, MAX_CANDIDATES)]  # [d, B, k]
    scores = dot(phi_chosen, given.mean[..., None])
    told = zip(given.block, chosen.tolist(), scores.tolist(), slots.tolist(), strict=True)
    for query, chosen_row, scores_row, slots_row in told:
        size = min(query.size, len(query.phi))
        yield Slate(
            chosen=chosen_row[:size],
            scores=scores_row[:size],
            propensity=prod(slots_row[:size]),
            slot_propensities=slots_row[:size],
        )


def highest(keys: Floats, size: int) -> Ints:
    """Where the highest keys of each row stand, from the highest down, the first first of equal ones.

    [B, C] → [B, size].
    """
    order = np.argsort(-keys, axis=1)
    seen = keys.reshape(-1)[_flat(order[:, : size + 1], keys.shape[1])]
    if ((seen[:, 1:] == seen[:, :-1]) & (seen[:, 1:] > -np.inf)).any():  # the sort puts equal keys in any order
        order = np.argsort(-keys, axis=1, kind="stable")
    return order[:, :size]


def _flat(places: Ints, width: int) -> Ints:
    """Places in rows as places in all rows end to end: [B, k] → [B, k]."""
    return places + np.arange(0, width * len(places), width)[:, None]


def slot_propensities(logits: Floats, chosen: Ints) -> Floats:
    """P(slot j | slots before j) [B, k] of slates [B, k] under the mixture of M Plackett–Luce models [M, B, C].

    Slots that hold a padded candidate (logit -inf) come last and have no meaning.
    """
    draws, rows, width = logits.shape
    slots = chosen.shape[1]
    flat = _flat(chosen, width).T  # [k, B]
    vacant = logits[0].reshape(-1)[flat] == -np.inf  # [k, B] nothing left to choose
    with np.errstate(invalid="ignore", divide="ignore"):  # rows without candidates, or where all but a few underflow
        weights = portable.exp(logits - logits.max(axis=2, keepdims=True)).reshape(draws, -1)  # [M, B·C]
        # what is still to be had at each slot, summed from the end: no difference of nearly equal numbers
        left = np.empty((slots + 1, draws, rows))
        taken = weights[:, flat].transpose(1, 0, 2)  # [k, M, B]
        left[1:] = taken[::-1]
        weights[:, flat] = 0.0
        left[0] = weights.reshape(logits.shape).sum(axis=2)  # by numpy, in an order that depends on the width alone
        left = np.add.accumulate(left)[:0:-1]
        step = np.where(vacant[:, None], 1.0, taken / left)
        joint = total(np.multiply.accumulate(step).swapaxes(0, 1))  # Σ_m P_m(a_1 … a_j), [k, B]
        found = joint / np.concatenate([np.full_like(joint[:1], draws), joint[:-1]])
        safe = (vacant | (left.min(axis=1) > TINY)).all(axis=0) & (joint[-1] > TINY)
    if not safe.all():
        found[:, ~safe] = _from_logs(logits[:, ~safe], chosen[~safe])
    return found.T


def _from_logs(logits: Floats, chosen: Ints) -> Floats:
    """The same, transposed to [k, B], where weights or propensities are too small for anything but their logarithms."""
    ranked = np.take_along_axis(logits, chosen[None], axis=2).transpose(2, 0, 1)  # [k, M, B]
    others = logits.copy()
    np.put_along_axis(others, chosen[None], -np.inf, axis=2)
    left = logsumexp(others.transpose(2, 0, 1))
    step = np.zeros_like(ranked)
    with np.errstate(invalid="ignore"):
        for j in reversed(range(len(ranked))):
            left = logaddexp(ranked[j], left)
            step[j] = ranked[j] - left
    step[np.isneginf(ranked)] = 0.0
    joint = logsumexp(np.cumsum(step, axis=0).swapaxes(0, 1))
    return np.exp(joint - np.concatenate([np.full_like(joint[:1], log(len(logits))), joint[:-1]]))
