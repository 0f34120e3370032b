"""The recorded orders, simulated, give the recorded stock; other orders give what the arithmetic says they must."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.errors import UserError
from infra.history.message import Message
from infra.settings import Settings
from infra.whatif.shelves import Recorded
from infra.whatif.source import Source
from infra.whatif.stock import read, what_if
from infra.whatif.stock_wish import Wish
from infra.whatif.warehouse import AsRecorded, Store, base_stock, terms_of
from policies.baselines.base_stock import NaiveBaseStock
from policies.baselines.lost_sales import simulate
from policies.orders.demand import PRIOR, DemandPrior
from streams.records import CatalogItem, Order, OrderLine, StockUpdate, Supply
from streams.times import DAY, HOUR, EventTime
from streams.topics import CATALOG, ORDERS, STOCK_UPDATES
from tests.unit.whatif.recording import START, Recording, message, saved, source, up_to, without

SUPPLY = Supply(lead_time_days=3.0, holding_cost=0.01, shortage_cost=1.0)
RATES = {("tea", "north"): 2.5, ("tea", "south"): 0.3, ("milk", "north"): 6.0}


def recording(level: float = 9.0, **more: Any) -> Recording:
    return Recording(rule=up_to(level), rates=RATES, supply=SUPPLY, **more)


def asked(path: Path, messages: list[Message], wish: Wish | None = None) -> dict[str, Any]:
    return what_if(source(saved(path / "history.jsonl", messages)), wish or Wish(policies=("base-stock",)))


MAPPING = """
[[rule]]
to = "stock-updates"

[rule.fields]
event_id = "$place"
item_id = "sku"
location = "shop"
on_hand = "count"
occurred_at = "at"
received = "arrived"
"""


def shops(update: Message) -> Message:
    """The same as a shop's own message, without an id."""
    one = orjson.loads(update.value or b"")
    own = {"sku": one["item_id"], "shop": one["location"], "count": one["on_hand"], "at": one["occurred_at"]}
    return update._replace(value=orjson.dumps(own | {"arrived": one.get("received")}))


def test_a_shops_own_messages_are_read_by_its_mapping(tmp_path: Path) -> None:
    made = recording().run()
    mapping, history = tmp_path / "mapping.toml", tmp_path / "shop.jsonl"
    mapping.write_text(MAPPING)
    saved(history, [shops(one) if one.topic is STOCK_UPDATES else one for one in made])
    ours = asked(tmp_path, made)
    assert (
        what_if(Source(settings=Settings(mapping=mapping), events=history), Wish(policies=("base-stock",)))["policies"]
        == ours["policies"]
    )
    with pytest.raises(UserError, match="holds no"):
        what_if(source(history), Wish())


@pytest.mark.parametrize("level", [3.0, 9.0, 40.0])
def test_the_recorded_orders_give_exactly_the_recorded_stock(tmp_path: Path, level: float) -> None:
    made = recording(level)
    played = read(source(saved(tmp_path / "h.jsonl", made.run())), Wish())
    by_key = {given.key: given for given in played.shelves}
    for update in made.updates:
        given = by_key[f"{update.item_id}@{update.location}"]
        assert update.on_hand in stock_at(given, int(update.occurred_at))
    for given in played.shelves:
        control = simulated(given)
        assert control.shelf.ledger.unit_days == pytest.approx(given.ledger.unit_days, abs=1e-9)
        assert control.shelf.ledger.days_out == pytest.approx(given.ledger.days_out, abs=1e-9)
        assert not given.corrections


def simulated(given: Recorded) -> Store:
    store = Store.open(given, given.wanted)
    AsRecorded().fill(store)
    return store


def stock_at(given: Recorded, at: int) -> list[float]:
    path = simulated(given).path
    before = [units for when, units in path if when < at][-1:]
    return before + [units for when, units in path if when == at]


def test_the_answer_says_that_the_record_was_met(tmp_path: Path) -> None:
    answer = asked(tmp_path, recording().run())
    assert answer["check"]["share"] == 1.0
    assert any("give exactly the recorded stock" in one for one in answer["assumptions"])


def test_an_order_that_came_late_shows_in_the_check(tmp_path: Path) -> None:
    made = recording().run()
    made[0:2] = [
        message(CATALOG, CatalogItem(item_id=i, category="", supply=Supply(lead_time_days=1.0)))
        for i in ("tea", "milk")
    ]
    assert asked(tmp_path, made)["check"]["share"] < 1.0
    answer = asked(tmp_path, made, Wish(policies=("base-stock",), lead_times="observed"))
    assert answer["check"]["share"] == 1.0


def test_receipts_stand_for_orders_that_nobody_logged(tmp_path: Path) -> None:
    answer = asked(tmp_path, without(recording().run(), "replenishment-orders"))
    assert answer["check"]["share"] == 1.0
    assert any("no orders were logged" in one for one in answer["assumptions"])


def test_all_policies_face_the_same_demand_and_less_shortage_costs_more_stock(tmp_path: Path) -> None:
    answer = asked(tmp_path, recording(3.0, days=40).run(), Wish(censored="impute"))
    bills = [answer["recorded"], *answer["policies"].values()]
    assert len({round(bill["demanded_units"], 6) for bill in bills}) == 1
    for name, bill in answer["policies"].items():
        assert bill["lost_units"] < answer["recorded"]["lost_units"], name
        assert bill["average_stock"] > answer["recorded"]["average_stock"], name
    parts = [bill["by_class"].values() for bill in bills]
    assert all(
        sum(part["cost"] for part in of) == pytest.approx(bill["cost"]) for of, bill in zip(parts, bills, strict=True)
    )
    assert set(answer["recorded"]["by_class"]) == {"fast", "slow"}
    assert set(answer["recorded"]["by_category"]) == {"shelf tea", "shelf milk"}


def test_imputed_demand_is_the_rate_times_the_days_out(tmp_path: Path) -> None:
    made = recording(3.0).run()
    as_recorded = asked(tmp_path, made)["recorded"]
    imputed = asked(tmp_path, made, Wish(policies=("base-stock",), censored="impute"))["recorded"]
    more = imputed["demanded_units"] - as_recorded["demanded_units"]
    played = read(source(tmp_path / "history.jsonl"), Wish(censored="impute"))
    prior = DemandPrior.of(PRIOR)
    expected = sum(given.rate(prior) * given.ledger.days_out for given in played.shelves)
    assert abs(more - expected) <= 0.5 * len(played.shelves)
    assert more > 10.0
    assert imputed["fill_rate"] < as_recorded["fill_rate"] == 1.0


def test_a_line_at_an_empty_shelf_is_counted_as_assumption(tmp_path: Path) -> None:
    made = recording(0.0, days=20).run()
    line = OrderLine(item_id="milk", location="north", quantity=3.0)
    made.append(message(ORDERS, Order(order_id="late", occurred_at=EventTime(START + 19 * DAY), lines=[line])))
    answer = asked(tmp_path, made)
    assert answer["recorded"]["lost_units"] == 3.0
    assert any("1 order lines asked for more" in one for one in answer["assumptions"])


def still(days: int, *, on_hand: float = 4.0, supply: Supply = SUPPLY) -> list[Message]:
    """One SKU that nobody wants."""
    counts = [
        StockUpdate(
            event_id=f"c{day}", item_id="x", location="y", on_hand=on_hand, occurred_at=EventTime(START + day * DAY)
        )
        for day in (0, days)
    ]
    item = CatalogItem(item_id="x", category="", supply=supply)
    return [message(CATALOG, item), *(message(STOCK_UPDATES, count) for count in counts)]


def test_without_demand_nothing_is_lost_and_the_shelf_is_only_held(tmp_path: Path) -> None:
    answer = asked(tmp_path, still(10), Wish())
    assert answer["recorded"]["holding_cost"] == pytest.approx(4.0 * 10 * 0.01)
    assert answer["recorded"]["fill_rate"] is None
    assert answer["policies"]["base-stock"]["orders"] == 0
    assert answer["policies"]["base-stock"]["cost"] == pytest.approx(answer["recorded"]["cost"])
    assert answer["policies"]["live"]["shortage_cost"] == 0.0


def test_a_lead_time_beyond_the_end_delivers_nothing(tmp_path: Path) -> None:
    made = recording(9.0, days=30).run()
    answer = asked(tmp_path, made, Wish(lead_time_days=365.0))
    wanted = read(source(tmp_path / "history.jsonl"), Wish()).shelves
    opening = sum(min(8.0, sum(one.quantity for one in given.wanted)) for given in wanted)
    for bill in answer["policies"].values():
        assert bill["sold_units"] == opening
        assert bill["orders"] > 0
    assert answer["check"]["share"] == 1.0  # the record had its own lead time


def test_a_rule_does_what_it_does_in_its_own_simulation(tmp_path: Path) -> None:
    path = saved(tmp_path / "h.jsonl", recording(60.0, opening=40.0).run())
    for given in read(source(path), Wish()).shelves:
        store, terms = Store.open(given, given.wanted), terms_of(given.supply)
        base_stock(given, DAY).fill(store)
        alone = simulate(
            given.wanted, terms, NaiveBaseStock(terms), on_hand=given.opening, start=given.start, end=given.end
        )
        assert store.shelf.ledger.sold == alone.sold
        assert store.shelf.ledger.ordered == alone.ordered
        assert store.shelf.ledger.unit_days == pytest.approx(alone.unit_days)


def test_costs_that_are_asked_for_count_everywhere(tmp_path: Path) -> None:
    made = recording(3.0, days=20).run()
    one = asked(tmp_path, made, Wish(policies=("base-stock",), holding_cost=0.02))
    assert one["recorded"]["holding_cost"] == pytest.approx(2 * asked(tmp_path, made)["recorded"]["holding_cost"])


def test_a_count_that_nothing_explains_corrects_every_shelf(tmp_path: Path) -> None:
    made = still(10)
    theft = StockUpdate(
        event_id="t",
        item_id="x",
        location="y",
        on_hand=1.0,
        occurred_at=EventTime(START + 5 * DAY + HOUR),
        received=0.0,
    )
    back = StockUpdate(event_id="u", item_id="x", location="y", on_hand=2.0, occurred_at=EventTime(START + 6 * DAY))
    played = read(
        source(saved(tmp_path / "h.jsonl", [*made[:2], message(STOCK_UPDATES, theft), message(STOCK_UPDATES, back)])),
        Wish(),
    )
    (given,) = played.shelves
    assert [one.units for one in given.corrections] == [-3.0]
    assert given.assumed_receipts == 1
    assert simulated(given).path[1].units == 1.0


def test_what_cannot_be_used_is_counted_and_named(tmp_path: Path) -> None:
    made = still(10)
    stray = Order(
        order_id="o", occurred_at=EventTime(START + DAY), lines=[OrderLine(item_id="z", location="y", quantity=1.0)]
    )
    answer = asked(tmp_path, [*made, made[-1], message(ORDERS, stray)])
    assert answer["left_out"]["copies of a record"] == 1
    assert answer["left_out"]["SKUs without a stock update"] == 1
    with pytest.raises(UserError, match="no stock updates"):
        asked(tmp_path, [message(ORDERS, stray)])
    with pytest.raises(UserError, match="how it is supplied"):
        asked(tmp_path, made[1:])
    with pytest.raises(UserError, match="no policy 'best'"):
        asked(tmp_path, made, Wish(policies=("best",)))
