"""The replenishment rule: bounds, sense, and results that never depend on the neighbours in a batch."""

import math
from dataclasses import replace
from random import Random

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policies.orders.demand import Belief
from policies.orders.replenish import BLOCK, WIDE, Choice, Due, Review, choose
from tests.benchmarks.lost_sales import OPTIMUM, Instance, projected, steady

positive = st.floats(0.01, 200.0)
reviews = st.builds(
    Review,
    on_hand=st.floats(0.0, 500.0),
    due=st.lists(st.builds(Due, days=st.floats(-5.0, 40.0), units=st.floats(0.0, 100.0)), max_size=4).map(tuple),
    belief=st.builds(Belief, a=positive, b=positive, dispersion=st.floats(0.1, 20.0)),
    lead_time_days=st.sampled_from([0.0, 0.5, 1.0, 2.5, 7.0, 45.0]),
    review_days=st.sampled_from([0.5, 1.0, 7.0]),
    holding_cost=st.floats(0.0, 10.0),
    shortage_cost=st.floats(0.0, 100.0),
    pack_size=st.sampled_from([1.0, 6.0, 24.0]),
    min_order=st.sampled_from([0.0, 5.0, 30.0]),
    max_order=st.sampled_from([0.0, 20.0, 100.0, 1e9]),
)


def review(**changed: object) -> Review:
    usual: dict[str, object] = {
        "on_hand": 0.0,
        "due": (),
        "belief": Belief(a=500.0, b=100.0, dispersion=1.0),
        "lead_time_days": 2.0,
        "review_days": 1.0,
        "holding_cost": 1.0,
        "shortage_cost": 19.0,
        "pack_size": 1.0,
        "min_order": 0.0,
        "max_order": 1e9,
    }
    return Review(**{**usual, **changed})  # pyright: ignore[reportArgumentType]  # the fields are those above


LUMPY = Belief(a=2.0, b=2.0, dispersion=11.0)


def one(**changed: object) -> Choice:
    return choose([review(**changed)])[0]


@settings(deadline=None, max_examples=20)
@given(st.lists(reviews, min_size=1, max_size=12), st.integers(1, 12))
def test_a_choice_is_bit_equal_alone_and_in_any_batch(asked: list[Review], copies: int) -> None:
    alone = [choose([each])[0] for each in asked]
    crowd = choose(asked * copies)
    assert [repr(each) for each in crowd] == [repr(each) for each in alone] * copies


def drawn(random: Random) -> Review:
    return Review(
        on_hand=random.choice([0.0, random.uniform(0.0, 60.0)]),
        due=tuple(
            Due(days=random.uniform(-1.0, 9.0), units=random.uniform(0.0, 40.0)) for _ in range(random.randrange(4))
        ),
        belief=Belief(a=random.uniform(0.01, 50.0), b=random.uniform(0.01, 50.0), dispersion=random.uniform(0.1, 20.0)),
        lead_time_days=random.choice([0.0, 0.5, 1.0, 2.5, 7.0, 45.0]),
        review_days=random.choice([0.5, 1.0, 7.0]),
        holding_cost=random.uniform(0.0, 10.0),
        shortage_cost=random.uniform(0.0, 100.0),
        pack_size=random.choice([1.0, 6.0, 24.0]),
        min_order=random.choice([0.0, 5.0, 30.0]),
        max_order=random.choice([20.0, 100.0, 1e9]),
    )


def test_a_choice_is_bit_equal_in_blocks_of_every_size() -> None:
    random = Random(11)
    asked = [drawn(random) for _ in range(BLOCK * WIDE)]
    narrow = [repr(each) for at in range(0, len(asked), BLOCK) for each in choose(asked[at : at + BLOCK])]
    assert len(set(narrow)) > 0.9 * len(asked)
    for count in (1, BLOCK + 1, 2 * BLOCK + 1, 3 * BLOCK + 1, BLOCK * WIDE):  # each takes a larger block
        assert [repr(each) for each in choose(asked[:count])] == narrow[:count]
    shifted = choose(asked[7:] + asked[:7] + asked[: BLOCK + 9])  # in another row, and of a block and a rest
    assert [repr(each) for each in shifted] == narrow[7:] + narrow[:7] + narrow[: BLOCK + 9]


@settings(deadline=None, max_examples=80)
@given(reviews)
def test_an_order_is_whole_packs_within_the_bounds(asked: Review) -> None:
    quantity = choose([asked])[0].quantity
    assert math.isfinite(quantity)
    assert quantity % asked.pack_size == 0.0
    assert quantity == 0.0 or asked.min_order <= quantity <= asked.max_order


def test_no_reviews_no_choices() -> None:
    assert choose([]) == []


def test_more_stock_never_orders_more() -> None:
    ordered = [one(on_hand=float(units)).quantity for units in range(40)]
    assert ordered == sorted(ordered, reverse=True)
    assert ordered[0] > 0.0
    assert ordered[-1] == 0.0


@pytest.mark.parametrize("holding_cost", [0.0, 0.01, 1.0])
@pytest.mark.parametrize("dispersion", [1.0, 7.0])
def test_an_empty_shelf_needs_the_most_however_cheap_holding_is(holding_cost: float, dispersion: float) -> None:
    """What is left at the order's arrival is unsure, and more so of more; it can't be less than nothing."""
    belief = Belief(a=5600.0, b=1000.0, dispersion=dispersion)
    usual = {"belief": belief, "lead_time_days": 3.0, "holding_cost": holding_cost}
    orders = [one(on_hand=float(units), **usual) for units in range(0, 120, 3)]
    assert orders[0].quantity > 7.0
    assert [each.quantity for each in orders] == sorted((each.quantity for each in orders), reverse=True)
    assert all(abs(each.level - each.projected - each.quantity) <= 1.0 for each in orders if each.quantity)


def test_what_is_under_way_is_not_ordered_again() -> None:
    without = one(on_hand=5.0)
    with_it = one(on_hand=5.0, due=(Due(days=1.0, units=without.quantity),))
    assert with_it.quantity <= without.quantity - 2.0
    assert one(on_hand=5.0, due=(Due(days=2.0, units=without.quantity),)).quantity == 0.0


def test_what_arrives_early_is_partly_sold_before_the_order_arrives() -> None:
    left = [one(due=(Due(days=days, units=10.0),)).projected for days in (0.0, 1.0, 2.0)]
    assert left == pytest.approx([0.9, 5.0, 10.0], abs=0.7)


def test_a_dearer_shortage_a_higher_level() -> None:
    levels = [one(shortage_cost=cost).level for cost in (1.0, 4.0, 19.0, 99.0)]
    assert levels == sorted(levels)
    assert levels[0] < levels[-1]


def test_what_is_not_known_of_the_rate_raises_the_level() -> None:
    sure = one(belief=Belief(a=500.0, b=100.0, dispersion=1.0))
    unsure = one(belief=Belief(a=2.5, b=0.5, dispersion=1.0))
    assert unsure.level > sure.level + 3.0


def test_where_nothing_is_lost_by_a_shortage_nothing_is_ordered() -> None:
    assert one(shortage_cost=0.0).quantity == 0.0


def test_a_slow_mover_with_large_packs_is_restocked_once_it_is_gone() -> None:
    slow = Belief(a=100.0, b=1000.0, dispersion=1.0)  # one in ten days, packs of twelve: cheap to hold, dear to miss
    slack = {"belief": slow, "pack_size": 12.0, "holding_cost": 0.01, "shortage_cost": 1.0}
    assert one(**slack, on_hand=0.0).quantity == 12.0
    assert one(**slack, on_hand=12.0).quantity == 0.0
    assert one(**slack, on_hand=0.0, due=(Due(days=1.0, units=12.0),)).quantity == 0.0


def test_a_pack_that_costs_more_than_it_saves_is_not_ordered() -> None:
    slow = Belief(a=1.0, b=1000.0, dispersion=1.0)
    assert one(belief=slow, pack_size=1000.0, holding_cost=0.01, shortage_cost=1.0).quantity == 0.0


@pytest.mark.parametrize(("lead_time", "shortage_cost"), [(4, 4.0), (2, 19.0)])
def test_the_cost_is_near_the_optimum_of_zipkins_instances(lead_time: int, shortage_cost: float) -> None:
    instance = Instance(lead_time=lead_time, shortage_cost=shortage_cost, runs=150, periods=200, warm_up=40)
    cost = float(steady(instance, projected(instance, learning=False)))
    assert cost == pytest.approx(OPTIMUM[shortage_cost][lead_time - 1], rel=0.025)


@settings(deadline=None, max_examples=30)
@given(reviews, st.floats(0.01, 0.999))
@example(review(belief=LUMPY, lead_time_days=0.0, review_days=7.0, holding_cost=0.0, shortage_cost=0.0), 0.5)
def test_a_fill_rate_that_is_asked_for_never_orders_less(asked: Review, fill: float) -> None:
    usual, raised = choose([asked, replace(asked, min_fill_rate=fill)])
    assert raised.quantity >= usual.quantity
    assert choose([asked])[0] == usual


@pytest.mark.parametrize("fill", [0.5, 0.9, 0.99])
def test_a_fast_movers_level_leaves_no_more_than_the_rest_unmet(fill: float) -> None:
    asked = one(shortage_cost=0.0, holding_cost=100.0, min_fill_rate=fill, lead_time_days=0.0)
    demand = torch.poisson(torch.full((200_000,), 5.0), generator=torch.Generator().manual_seed(3))
    met = 1.0 - float((demand - asked.quantity).clamp_min(0.0).mean()) / 5.0
    fewer = 1.0 - float((demand - asked.quantity + 1.0).clamp_min(0.0).mean()) / 5.0
    assert fewer - 0.01 < fill <= met + 0.04  # a normal's tail, and whole units
