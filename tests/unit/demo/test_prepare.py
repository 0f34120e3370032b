"""The data becomes a journey: cleaned, in order, nothing invented about what was bought."""

from pathlib import Path

import numpy as np
import pytest

from infra.demo import cache
from infra.demo.assortment import median_prices
from infra.demo.journey import LOCATIONS, Journey, RealDemand, Subset, initial_stock, real_demand, supply_of
from infra.demo.prepare import Tables, choose_households, prepare, spread
from streams.times import DAY, MINUTE, parse_time

START = int(parse_time("2017-01-01T00:00:00Z"))


def test_baskets_are_in_order_and_lines_belong_to_them(journey: Journey) -> None:
    assert journey.baskets.tolist() == [100, 102, 101, 104, 105]
    assert np.diff(journey.at).min() > 0
    assert np.diff(journey.first_line).tolist() == [2, 1, 1, 2, 1]
    assert journey.items[journey.item].tolist() == ["7", "8", "9", "7", "7", "8", "8"]


def test_quantities_are_made_sane_and_counted(journey: Journey) -> None:
    assert journey.quantity.tolist() == [2, 1, 1, 1, 1, 50, 1]
    assert journey.cleaned() == {
        "lines": 8,
        "dropped_no_pieces": 1,
        "fuel_as_one_piece": 1,
        "capped_at_50_pieces": 1,
    }


def test_a_household_asks_again_only_after_its_last_basket(journey: Journey) -> None:
    asked, paid = journey.asked_at.tolist(), journey.at.tolist()
    assert asked[0] == paid[0] - MINUTE
    assert asked[1] > paid[0] + 2 * 2  # two lines, a click and a purchase each
    assert paid[1] > asked[1]


def test_baskets_of_the_same_second_are_moved_apart() -> None:
    asked, paid = spread(np.array([MINUTE, MINUTE]), np.array([0, 0]), np.array([3, 1]))
    assert asked.tolist() == [0, MINUTE + 8]
    assert paid.tolist() == [MINUTE, MINUTE + 9]


def test_the_catalog_holds_what_occurs_with_its_median_price(journey: Journey) -> None:
    items = {item.item_id: item for item in journey.catalog_items()}
    assert set(items) == {"7", "8", "9"}
    assert items["7"].price == 2.5
    assert items["8"].category == "PRODUCE"  # the category is missing: the department stands in
    assert items["7"].attributes["size"] == "12 OZ"
    assert "size" not in items["8"].attributes


def test_only_shelf_goods_are_stocked(journey: Journey) -> None:
    assert set(supply_of(journey)) == {"7", "8"}
    for supply in supply_of(journey).values():
        assert 2 <= supply.lead_time_days <= 7
        assert supply.min_order <= supply.max_order
        assert supply.shortage_cost > supply.holding_cost > 0


def test_the_first_stock_covers_the_plan(journey: Journey) -> None:
    stock = initial_stock(journey, days=10)
    assert set(stock) == {(item, location) for item in ("7", "8") for location in LOCATIONS}
    assert min(stock.values()) >= 1
    assert sum(stock.values()) >= 10 * journey.plan.sum()


def test_real_demand_is_every_line_of_a_stocked_item(journey: Journey) -> None:
    found = list(real_demand(journey))
    assert [(line.item_id, line.quantity) for line in found] == [
        ("7", 2),
        ("8", 1),
        ("7", 1),
        ("7", 1),
        ("8", 50),
        ("8", 1),
    ]
    assert found[0] == RealDemand("7", LOCATIONS[int(journey.location[0])], int(journey.at[0]), 2.0)


def test_campaigns_are_clipped_to_the_data(journey: Journey) -> None:
    flights = {c.campaign_id: (c.starts_at, c.ends_at) for c in journey.ad_campaigns()}
    assert flights == {"1": (START + 2 * DAY, START + 6 * DAY), "2": (START, START + 2 * DAY)}


def test_redemptions_are_those_of_the_households_played(journey: Journey) -> None:
    assert journey.redeemed_at.tolist() == [START + 3 * DAY + DAY // 2]
    assert journey.households[journey.redeemer].tolist() == ["3"]


def test_days_cut_the_end_off(tables: Tables) -> None:
    assert prepare(Subset(households=3, stocked=2, days=2), tables).baskets.tolist() == [100, 102, 101]


def test_a_larger_choice_contains_a_smaller_one() -> None:
    ids = np.arange(1, 200)
    assert set(choose_households(ids, 10).tolist()) < set(choose_households(ids, 20).tolist())


def test_the_plan_does_not_look_at_the_households_played(tables: Tables) -> None:
    played = choose_households(np.array([1, 2, 3]), 2)
    before = prepare(Subset(households=2, stocked=2), tables)
    ours = np.isin(tables.lines["household_id"], played)
    tables.lines["quantity"] = np.where(ours & (tables.lines["quantity"] == 1), 5, tables.lines["quantity"])
    after = prepare(Subset(households=2, stocked=2), tables)
    assert after.quantity.sum() > before.quantity.sum()
    assert after.plan.tolist() == before.plan.tolist()


def test_a_subset_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="households"):
        Subset(households=0)


def test_the_cache_gives_back_what_was_put_in(tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "data_version", lambda: "1")
    monkeypatch.setattr(cache, "read_tables", lambda: tables)
    made = cache.load(Subset(households=3), tmp_path)
    monkeypatch.setattr(cache, "read_tables", lambda: pytest.fail("prepared twice"))
    kept = cache.load(Subset(households=3), tmp_path)
    assert {name: array.tolist() for name, array in kept.arrays().items()} == {
        name: array.tolist() for name, array in made.arrays().items()
    }


def test_a_broken_cache_is_made_again(tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "data_version", lambda: "1")
    monkeypatch.setattr(cache, "read_tables", lambda: tables)
    cache.load(Subset(households=3), tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:50])
    assert cache.load(Subset(households=3), tmp_path).baskets.size == 5


def test_a_price_is_the_median_of_what_pieces_cost() -> None:
    item = np.array([0, 2, 0, 0, 2, 2, 0])
    quantity = np.array([1.0, 2.0, 1.0, 2.0, 1.0, 1.0, 1.0])
    value = np.array([3.0, 8.0, 1.0, 10.0, 9.0, 0.0, 2.0])
    prices = median_prices(item, quantity, value, items=3)
    assert (prices[0], prices[2]) == (np.median([3, 1, 5, 2]), np.median([4, 9]))  # what was given away doesn't count
    assert np.isnan(prices[1])
