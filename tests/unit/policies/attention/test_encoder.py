"""Lifts: the same bits alone and beside others, nothing where nothing is known, and what training takes them for."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.attention.encoder import (
    HIGHEST,
    HISTORY,
    KINDS,
    ONE,
    SEGMENTS,
    History,
    Tokens,
    Weights,
    keys,
    lifts,
    shipped,
)
from policies.attention.questions import Questions, question
from policies.attention.training import lifts_of
from streams import item_tokens

NOTHING = History(np.zeros((0, 32), dtype=np.float32), np.zeros(0), np.zeros(0, dtype=np.int64))


def tokens(rng: np.random.Generator, count: int) -> Tokens:
    made = np.zeros((count, 32))
    begin = 0
    for size in SEGMENTS:
        part = rng.normal(size=(count, size))
        made[:, begin : begin + size] = ONE * part / np.linalg.norm(part, axis=1, keepdims=True)
        begin += size
    made[:, -1] = ONE
    return np.rint(made).astype(np.float32)


def history(rng: np.random.Generator, count: int) -> History:
    return History(tokens(rng, count), rng.exponential(20.0, count), rng.integers(0, len(KINDS), count))


def test_tokens_are_laid_out_as_they_are_read_here() -> None:
    assert (item_tokens.EMBEDDED, item_tokens.SAID, item_tokens.PRICED) == SEGMENTS
    assert item_tokens.ONE == ONE
    assert sum(SEGMENTS) + 1 == item_tokens.SIZE


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.integers(0, HISTORY), st.integers(0, 20)), min_size=1, max_size=27), st.integers(0, 99))
def test_a_lift_is_the_same_bits_alone_and_beside_others(shapes: list[tuple[int, int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    asked = [(history(rng, past), tokens(rng, count)) for past, count in shapes]
    together = lifts(shipped(), [past for past, _ in asked], [items for _, items in asked])
    alone = [lifts(shipped(), [past], [items]) for past, items in asked]
    np.testing.assert_array_equal(together, np.concatenate(alone))
    single = [lifts(shipped(), [past], [items[n : n + 1]]) for past, items in asked for n in range(len(items))]
    np.testing.assert_array_equal(together, np.concatenate([*single, np.zeros(0, dtype=np.float32)]))


def test_nothing_known_is_no_lift() -> None:
    rng = np.random.default_rng(1)
    items = tokens(rng, 5)
    items[2] = 0.0  # an item without a token
    assert not lifts(shipped(), [NOTHING], [items]).any()
    found = lifts(shipped(), [history(rng, 7)], [items])
    assert found[2] == 0.0
    assert np.abs(found[[0, 1, 3, 4]]).min() > 0.0
    assert np.abs(found).max() <= HIGHEST


def test_what_is_like_the_last_touch_is_lifted_above_what_is_not() -> None:
    rng = np.random.default_rng(2)
    some = tokens(rng, 12)
    last = History(some[:1], np.array([0.01]), np.array([KINDS.index("view")]))
    found = lifts(shipped(), [last], [some])
    assert found[0] == found.max() > 1.0
    assert found[1:].mean() < 0.0


def test_training_learns_what_is_served() -> None:
    rng = np.random.default_rng(3)
    some, past = tokens(rng, 9), history(rng, 6)
    asked = question(
        np.concatenate([some, past.tokens]),
        np.arange(9),
        [(9 + place, float(past.ages[place]), int(past.kinds[place])) for place in range(6)],
    )
    alike, ages, kinds = asked
    one = Questions(alike[None], ages[None].astype(np.float32), kinds[None])
    learned = {name: torch.tensor(array) for name, array in shipped().arrays().items()}
    expected = lifts_of(learned, one, np.array([0]))[0].numpy()
    assert lifts(shipped(), [past], [some]) == pytest.approx(expected, abs=0.03)  # cosines are kept in float16


def test_weights_that_could_not_be_exact_are_refused() -> None:
    arrays = shipped().arrays()
    with pytest.raises(ValueError, match="no larger than"):
        Weights.of(arrays | {"attend": arrays["attend"] * 1e3})
    with pytest.raises(ValueError, match="lack slope"):
        Weights.of({name: array for name, array in arrays.items() if name != "slope"})


def test_what_was_touched_long_ago_is_not_heard_and_leaves_sums_exact() -> None:
    weights = Weights(**{**shipped().arrays(), "slope": np.full(2, 30.0)})
    rng = np.random.default_rng(2)
    old = replace(history(rng, 5), ages=np.full(5, 1e5))
    items = tokens(rng, 40)
    made = keys(weights, [old])[0]
    assert (np.abs(made).astype(np.float64) @ np.abs(items.T).astype(np.float64)).max() < 2**24
    assert np.abs(lifts(weights, [old], [items])).max() < 1e-9
