"""What a purchase teaches an encoder, as the rows of an experience: what was bought, and the history before it.

The first row is the item bought, the others are the history. A row is a token [32], an age in days, a kind of touch.
What it was bought rather than is told by other purchases: they are drawn by popularity, as alternatives are to be.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from policies.attention.encoder import HISTORY, KINDS, SEGMENTS, History, Tokens
from policies.attention.questions import NOTHING, OTHERS, Questions, joined, question
from policies.linalg import Floats

LONGEST: Final = 15  # rows of history that are told
_TOKEN: Final = sum(SEGMENTS) + 1


def rows_of(token: Tokens, past: History) -> list[list[float]]:
    """The contexts of an experience: a token [32] and what was touched before."""
    told = np.column_stack([past.tokens, past.ages, past.kinds])[:LONGEST]
    return [[*token.tolist(), 0.0, float(NOTHING)], *told.tolist()]


def bought(past: History) -> list[float]:
    """The outcomes beside those rows: 1 of the item bought."""
    return [1.0, *[0.0] * min(LONGEST, len(past.ages))]


class Purchase:
    """One experience read again. Raises ValueError where its rows are none of a purchase."""

    def __init__(self, rows: Floats) -> None:
        if rows.ndim != 2 or rows.shape[1] != _TOKEN + 2 or not 1 < len(rows) <= HISTORY + 1:
            raise ValueError("the rows are none of a purchase and its history")
        self.token: Tokens = rows[0, :_TOKEN].astype(np.float32)
        self.past: Tokens = rows[1:, :_TOKEN].astype(np.float32)
        self.ages = np.maximum(0.0, rows[1:, _TOKEN])
        self.kinds = np.clip(rows[1:, _TOKEN + 1], 0, len(KINDS) - 1).astype(np.int64)


def questions_of(purchases: Sequence[Purchase], among: Sequence[Purchase], rng: np.random.Generator) -> Questions:
    """A question of each: the item bought among OTHERS that are drawn from what was bought in `among`."""
    pool = np.array([one.token for one in among])
    found = [_question(one, _others(one, pool, rng)) for one in purchases]
    return joined(found)


def _others(one: Purchase, pool: Tokens, rng: np.random.Generator) -> Tokens:
    """OTHERS tokens: the same item again is no alternative, as long as there are enough that aren't."""
    drawn = pool[rng.integers(0, len(pool), 2 * OTHERS)]
    same = (drawn == one.token).all(axis=1)
    return drawn[np.argsort(same, kind="stable")[:OTHERS]]


def _question(one: Purchase, others: Tokens) -> Questions:
    tokens = np.concatenate([one.token[None], others, one.past])
    touches = zip(one.ages.tolist(), one.kinds.tolist(), strict=True)
    history = [(1 + OTHERS + row, age, kind) for row, (age, kind) in enumerate(touches)]
    alike, ages, kinds = question(tokens, np.arange(1 + OTHERS), history)
    return Questions(alike[None], ages[None].astype(np.float32), kinds[None])
