"""How likely a policy would have been to make slates that are given, and what it would have expected of each slot.

The mixture of Plackett–Luce models of `slate.py`: P(a_k | a_<k) = Σ_m ω_m e_m[a_k] / Z_m, where e_m are a draw's
exponentiated logits, Z_m their sum over what is left, and ω_m ∝ Π_{j<k} P_m(a_j | a_<j) how likely each draw has become
by the slots before. What a slot is expected to earn is Σ_c P(c | a_<k) r̂(c) over what is left: with sums over what was
left and what was taken later, never as a difference of nearly equal numbers.
"""

import numpy as np

from policies.linalg import Floats, logsumexp
from policies.slates.slate import TINY, Ints


def likelihood(logits: Floats, chosen: Ints, reward: Floats) -> tuple[Floats, Floats]:
    """P(slot k | slots before k) and Σ_c P(c | slots before k) r̂(c), [B, k] each.

    Of slates [B, k] of candidates, under the models of `logits` [M, B, C]; `reward` is r̂ [B, C].
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        slots, expected, safe = _from_weights(logits, chosen, reward)
    for row in np.flatnonzero(~safe):
        slots[row], expected[row] = _from_logs(logits[:, row], chosen[row], reward[row])
    return slots, expected


def _from_weights(
    logits: Floats, chosen: Ints, reward: Floats
) -> tuple[Floats, Floats, "np.ndarray[tuple[int], np.dtype[np.bool_]]"]:
    draws, rows, width = logits.shape
    starts: Ints = np.arange(0, width * rows, width, dtype=np.int64)
    flat = np.transpose(chosen + starts[:, None])  # [k, B]
    weights = np.exp(logits - logits.max(axis=2, keepdims=True)).reshape(draws, -1)  # [M, B·C]
    taken = weights[:, flat].transpose(1, 0, 2)  # [k, M, B]
    weights[:, flat] = 0.0
    rest = weights.reshape(logits.shape)
    earned = taken * reward.reshape(-1)[flat][:, None]
    left = _from_the_end(taken, rest.sum(axis=2))
    worth = _from_the_end(earned, np.einsum("mbc,bc->mb", rest, reward))
    joint = np.multiply.accumulate(taken / left)  # Π_j P_m(a_j | a_<j), [k, M, B]
    before = np.concatenate([np.ones_like(joint[:1]), joint[:-1]])
    total = before.sum(axis=1)  # [k, B]
    slots = joint.sum(axis=1) / total
    expected = (before * (worth / left)).sum(axis=1) / total
    safe = (left[-1].min(axis=0) > TINY) & (total[-1] > TINY)
    return slots.T.copy(), expected.T.copy(), safe


def _from_the_end(taken: Floats, rest: Floats) -> Floats:
    """[k, M, B] what is still to be had at each slot: the rest, and what is taken from it on."""
    return np.add.accumulate(np.concatenate([rest[None], taken[::-1]]))[:0:-1]


def _from_logs(logits: Floats, chosen: Ints, reward: Floats) -> tuple[Floats, Floats]:
    """The same of one slate, [k] each, where weights are too small for anything but their logarithms: [M, C], [k]."""
    left = logits.copy()
    evidence = np.zeros(len(logits))
    slots, expected = np.zeros(len(chosen)), np.zeros(len(chosen))
    finite = np.isfinite(reward)
    for k, place in enumerate(chosen):
        each = left - logsumexp(left.T)[:, None]  # log P_m(c | a_<k), [M, C]
        mixed = np.exp(logsumexp(evidence[:, None] + each) - logsumexp(evidence))  # [C]
        slots[k], expected[k] = mixed[place], float((mixed[finite] * reward[finite]).sum())
        step = each[:, place]
        if not np.isfinite(logsumexp(evidence + step)):
            break  # it would never have put this here: what follows has no meaning, and weighs nothing
        evidence = evidence + step
        left[:, place] = -np.inf
    return slots, expected


def ranked(keys: Floats, chosen: Ints, reward: Floats) -> tuple[Floats, Floats]:
    """The same of a policy without chance: it takes what has the highest key [B, C] of what is left (-inf: padded).

    Of equal keys the first. Returns [B, k] each.
    """
    left = keys.copy()
    rows = np.arange(len(keys))
    slots, expected = np.zeros(chosen.shape), np.zeros(chosen.shape)
    for k in range(chosen.shape[1]):
        best = left.argmax(axis=1)
        slots[:, k], expected[:, k] = best == chosen[:, k], reward[rows, best]
        left[rows, chosen[:, k]] = -np.inf
    return slots, expected


def even(counts: Ints, chosen: Ints, reward: Floats) -> tuple[Floats, Floats]:
    """The same of a policy that takes any of what is left alike; `counts` [B] is of candidates. Returns [B, k] each."""
    places: Ints = np.arange(reward.shape[1], dtype=np.int64)
    left = np.less(places, counts[:, None]).astype(np.float64)
    rows = np.arange(len(reward))
    slots, expected = np.zeros(chosen.shape), np.zeros(chosen.shape)
    for k in range(chosen.shape[1]):
        many = left.sum(axis=1)
        slots[:, k], expected[:, k] = 1.0 / many, (left * reward).sum(axis=1) / many
        left[rows, chosen[:, k]] = 0.0
    return slots, expected
