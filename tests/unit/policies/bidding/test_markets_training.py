"""The weights of a prior over markets go where the markets were."""

import numpy as np
import pytest

from policies.bidding.blocks import CELLS, Block
from policies.bidding.markets import FLAT, GRID, from_tensors, shipped
from policies.bidding.markets_training import DOUBT, weights_of


def test_markets_of_one_kind_take_the_weight_but_for_what_is_left_to_doubt() -> None:
    told = np.full((20, len(GRID)), -50.0)
    told[:, 7] = 0.0
    assert np.exp(weights_of(told))[7] == pytest.approx(1.0 - DOUBT, abs=0.01)


def test_what_ships_was_learned() -> None:
    weight = np.exp(shipped().log_weight)
    assert weight.sum() == pytest.approx(1.0)
    assert weight.max() > 5.0 / len(GRID)


def test_a_damaged_prior_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        from_tensors({"log_weight": np.full(len(GRID), np.nan), "settings": np.ones(3)})


def test_before_any_auction_the_prior_expects_that_little_is_spent_where_much_is_asked() -> None:
    curve = FLAT.expected(Block(), CELLS / 2)
    assert curve[: CELLS // 2].sum() > 10.0 * curve[CELLS // 2 + 30 :].sum()
