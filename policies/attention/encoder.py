"""How much likelier than its popularity says an item is for a user, by what the user touched last.

Attention (Vaswani et al. 2017) of one item over a history of others, G heads. With tokens q of the item and k_j of the
history, each of three segments s (embedding, words, price) whose products are cosines, a head attends by

    a_j ∝ exp(Σ_s α_s q_s·k_js − λ log(1 + age_j) + b_kind(j)),   and with weight 1 to nothing at all,

and the item's lift is the sum over heads of Σ_j a_j (Σ_s β_s q_s·k_js + γ): a logarithm, 0 where nothing is known. The
bilinear form is a multiple of the identity on each segment, since a segment's directions are drawn at random for each
shop (streams/item_tokens.py): nothing else could mean the same in two shops. λ is a slope as in ALiBi (Press et al.
2022), of a logarithm, since ages go from minutes to months.

Tokens and keys are whole numbers below 2²⁴ in all their sums, so that a product of matrices is exact in whatever order
it is added up; all else is elementwise (docs/adr/0002).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from policies.linalg import Floats
from policies.shipped import tensors

SCHEMA: Final = "tradewind.history-prior/1"
SEGMENTS: Final = (18, 11, 2)  # of a token: embedding, words, price; a last number is ONE
ONE: Final = 127
HISTORY: Final = 20  # items at most
KINDS: Final = ("view", "add_to_cart", "purchase", "favourite")
HIGHEST: Final = 3.0  # of a lift, either way
_SEGMENT: Final = np.repeat(np.arange(len(SEGMENTS)), SEGMENTS)
_FINE: Final = 8  # parts of a unit that a key is told in
_UNIT: Final = np.float32(1.0 / (ONE * ONE * _FINE))
_STEEPEST: Final = 30.0  # of a weight: products stay below 2²⁴
NOBODY: Final = -30.0  # bias of a place in the history that is empty

BLOCK: Final = 24  # users at once: what is worked out stays in the cache

Tokens = npt.NDArray[np.float32]
Lifts = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """`attend` α, `value` β [G, 3]; `level` γ, `slope` λ [G]; `kind` b [G, 4]."""

    attend: Floats
    value: Floats
    level: Floats
    slope: Floats
    kind: Floats

    def __post_init__(self) -> None:
        heads, segments = len(self.level), len(SEGMENTS)
        shapes = {"attend": (heads, segments), "value": (heads, segments), "slope": (heads,)}
        for name, shape in (shapes | {"kind": (heads, len(KINDS))}).items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must have the shape {shape}")
        if not all(np.abs(array).max(initial=0.0) <= _STEEPEST for array in self.arrays().values()):
            raise ValueError(f"weights must be finite, and no larger than {_STEEPEST}")

    def arrays(self) -> dict[str, Floats]:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """From an artefact's tensors. Raises ValueError."""
        missing = [each.name for each in fields(cls) if each.name not in arrays]
        if missing:
            raise ValueError(f"the weights lack {', '.join(missing)}")
        return cls(**{each.name: np.array(arrays[each.name], dtype=np.float64) for each in fields(cls)})


@cache
def shipped() -> Weights:
    """The weights that come with the package. Raises ArtefactError."""
    return Weights.of(tensors("history", schema=SCHEMA))


@dataclass(frozen=True, slots=True)
class History:
    """A user's last items: tokens [n, 32], n ≤ HISTORY, ages in days [n], and how they were touched [n] by KINDS."""

    tokens: Tokens
    ages: Floats
    kinds: npt.NDArray[np.int64]


def keys(weights: Weights, histories: Sequence[History]) -> Tokens:
    """What tokens are multiplied by: for the logits of attention, then for values. [B, 2·G·HISTORY, 32], whole."""
    heads, rows, last = len(weights.level), len(histories), len(_SEGMENT)
    past = np.zeros((rows, HISTORY, last), dtype=np.float32)
    ages, kinds = np.zeros((rows, HISTORY)), np.full((rows, HISTORY), -1, dtype=np.int64)
    for row, one in enumerate(histories):
        count = len(one.ages)
        past[row, :count], ages[row, :count], kinds[row, :count] = one.tokens[:, :-1], one.ages, one.kinds
    made = np.empty((rows, 2, heads, HISTORY, last + 1), dtype=np.float32)
    np.multiply(_scales(weights)[:, :, None], past[:, None, None], out=made[..., :-1])
    bias = np.take(weights.kind, kinds, axis=1) - weights.slope[:, None, None] * np.log1p(np.maximum(0.0, ages))
    np.maximum(bias, NOBODY, out=bias)  # nothing is heard from so long ago, and sums stay exact
    bias[:, kinds < 0] = NOBODY  # [G, B, H]
    made[:, 0, :, :, -1] = (bias * (ONE * _FINE)).transpose(1, 0, 2)
    made[:, 1, :, :, -1] = (kinds >= 0)[:, None] * (weights.level[:, None] * (ONE * _FINE))
    return np.rint(made, out=made).reshape(rows, -1, last + 1)


def _scales(weights: Weights) -> Tokens:
    """What each of a key's numbers is multiplied by, for logits and for values: [2, G, 31]."""
    return (np.stack([weights.attend, weights.value])[:, :, _SEGMENT] * _FINE).astype(np.float32)


def lifts(weights: Weights, histories: Sequence[History], items: Sequence[Tokens]) -> Lifts:
    """The lift of each user's items [ΣC], from their tokens [C, 32]; 0 where an item has none, or the history."""
    counts = np.array([len(each) for each in items])
    found = np.zeros(int(counts.sum()), dtype=np.float32)
    ends = np.cumsum(counts)
    for first in range(0, len(items), BLOCK):
        last = min(first + BLOCK, len(items))
        begin, end = int(ends[first] - counts[first]), int(ends[last - 1])
        found[begin:end] = _block(weights, histories[first:last], items[first:last], end - begin)
    return found


def _block(weights: Weights, histories: Sequence[History], items: Sequence[Tokens], width: int) -> Lifts:
    made = np.empty((2, len(weights.level), HISTORY, width), dtype=np.float32)
    flat = made.reshape(2 * len(weights.level) * HISTORY, width)
    end = 0
    for key, tokens in zip(keys(weights, histories), items, strict=True):
        begin, end = end, end + len(tokens)
        np.matmul(key, tokens.T, out=flat[:, begin:end])
    made *= _UNIT
    attend, value = np.exp(made[0], out=made[0]), made[1]
    value *= attend
    mass, drawn = np.ones_like(attend[:, 0]), np.zeros_like(attend[:, 0])
    for place in range(HISTORY):  # not sum(): what it rounds may hang on how many items there are
        mass += attend[:, place]
        drawn += value[:, place]
    drawn /= mass
    known = np.concatenate([tokens[:, -1] for tokens in items]) > 0
    found = drawn[0]
    for head in range(1, len(drawn)):
        found += drawn[head]
    return np.clip(found, -HIGHEST, HIGHEST) * known
