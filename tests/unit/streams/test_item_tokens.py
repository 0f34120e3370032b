"""Tokens of items: what is alike has a high product, whatever came first, and what can't be compared is left out."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.item_tokens import EMBEDDED, ONE, SAID, SIZE, ItemTokens, token_of
from streams.records import CatalogItem


def item(name: str = "i", **said: Any) -> CatalogItem:
    return CatalogItem(item_id=name, category=said.pop("category", "tea"), **said)


def drawn(count: int, length: int = 40, seed: int = 1) -> list[CatalogItem]:
    rng = np.random.default_rng(seed)
    return [
        item(f"i{n}", embedding=rng.normal(size=length).tolist(), attributes={"brand": f"b{n % 3}"}, price=1.0 + n)
        for n in range(count)
    ]


def held(items: list[CatalogItem], order: list[int]) -> np.ndarray:
    tokens = ItemTokens()
    for row in order:
        tokens.put(row, items[row])
    return tokens.read(np.arange(len(items)))


@given(st.permutations(range(12)))
def test_tokens_are_the_same_in_whatever_order_the_catalog_came(order: list[int]) -> None:
    items = [*drawn(8), *drawn(4, length=7)]
    np.testing.assert_array_equal(held(items, order), held(items, list(range(12))))


def test_what_was_said_before_leaves_no_trace() -> None:
    items, others = drawn(9), drawn(9, seed=2)
    tokens = ItemTokens()
    for row, one in enumerate([*others, *others]):
        tokens.put(row, one)
    tokens.read(np.arange(18))
    for row in range(18):
        tokens.put(row, items[row] if row < 9 else None)
    np.testing.assert_array_equal(tokens.read(np.arange(9)), held(items, list(range(9))))
    assert not tokens.read(np.arange(9, 18)).any()
    assert tokens.lengths == {40: 9}


def test_embeddings_that_are_near_have_near_tokens_beneath_what_all_have_in_common() -> None:
    rng = np.random.default_rng(3)
    centre, common = rng.normal(size=(2, 64)), 10.0 * rng.normal(size=64)
    items = [item(f"i{n}", embedding=(common + centre[n % 2] + 0.1 * rng.normal(size=64)).tolist()) for n in range(40)]
    tokens = held(items, list(range(40)))[:, :EMBEDDED]
    cosines = tokens @ tokens.T / ONE**2
    assert cosines[0, 2::2].min() > 0.6
    assert cosines[0, 1::2].max() < -0.6


def test_only_the_most_frequent_length_of_embeddings_counts() -> None:
    items = [*drawn(5), *drawn(3, length=9)]
    tokens = ItemTokens()
    for row, one in enumerate(items):
        tokens.put(row, one)
    found = tokens.read(np.arange(8))
    assert tokens.lengths == {40: 5, 9: 3}
    assert found[:5, :EMBEDDED].any(axis=1).all()
    assert not found[5:, :EMBEDDED].any()
    assert found[5:, EMBEDDED : EMBEDDED + SAID].any()  # what is said of them in words counts


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"embedding": []},
        {"embedding": [0.0, 0.0]},
        {"attributes": {"of": {"deeper": 1}}},
        {"price": 3.0},
        {"attributes": {"huge": 1e305}},
    ],
)
def test_what_says_nothing_gives_no_token(said: dict[str, Any]) -> None:
    assert token_of(item(**said)) == (0, None)
    tokens = ItemTokens()
    tokens.put(3, item(**said))
    assert not tokens
    assert not tokens.knows(3)
    assert not tokens.read(np.array([3, 5_000])).any()


@pytest.mark.parametrize(
    "said",
    [
        {"embedding": [1e308, -1e308, 1e300]},
        {"embedding": [5e-324]},
        {"embedding": [1.0] * 4096},
        {"attributes": {"size": 10**400, "n": [1, "x", True, 0], "text": "\ud800"}},
    ],
)
def test_extreme_values_give_whole_numbers_of_length_127(said: dict[str, Any]) -> None:
    _, token = token_of(item(**said))
    assert token is not None
    length = np.sqrt((token[: EMBEDDED + SAID].astype(float) ** 2).sum())
    assert length == pytest.approx(ONE, abs=4)
    assert token[-1] == ONE
    assert len(token) == SIZE


def test_the_table_grows() -> None:
    tokens = ItemTokens()
    tokens.put(5_000, drawn(1)[0])
    tokens.put(2, drawn(2)[1])
    assert tokens.knows(5_000)
    assert tokens.knows(2)
