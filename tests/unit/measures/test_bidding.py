"""What the ad money bought against what it could have bought."""

from typing import Any

import pytest

from infra.measures.scoreboard import Scoreboard
from streams.topics import AD_EVENTS, CAMPAIGNS
from tests.unit.measures.feed import auction, campaign, tell


def measured(*records: Any) -> dict[str, Any]:
    board = Scoreboard()
    for record in records:
        tell(board, CAMPAIGNS if hasattr(record, "budget") else AD_EVENTS, record)
    return board.result()["bidding"]


def test_value_spend_and_share_of_the_optimum() -> None:
    found = measured(
        campaign("c", 4.5),
        auction("c", 1, 6.0, 2.0, won=True),
        auction("c", 2, 5.0, 5.0, won=False),
        auction("c", 3, 1.0, 4.0, won=False),
    )["tradewind"]
    assert (found["value_won"], found["spend"], found["budget"], found["overspend"]) == (6.0, 2.0, 4.5, 0.0)
    assert found["hindsight_value"] == pytest.approx(8.5)
    assert found["hindsight_share"] == pytest.approx(6 / 8.5)


def test_a_second_copy_of_an_auction_is_counted_but_not_measured() -> None:
    once = auction("c", 1, 6.0, 2.0, won=True)
    assert measured(campaign("c", 4.5), once, once) == measured(campaign("c", 4.5), once)


def test_overspend_of_one_campaign_is_not_made_good_by_another() -> None:
    found = measured(
        campaign("c", 1.0), campaign("d", 9.0), auction("c", 1, 6.0, 2.0, won=True), auction("d", 1, 6.0, 2.0, won=True)
    )
    assert found["tradewind"]["overspend"] == 1.0


def test_without_the_price_of_lost_auctions_the_share_is_unknown() -> None:
    found = measured(campaign("c", 4.5), auction("c", 1, 6.0, 2.0, won=True), auction("c", 2, 5.0, None, won=False))
    assert found["tradewind"]["hindsight_share"] is None
    assert "1 auctions name no price" in found["tradewind"]["why"]
    assert found["tradewind"]["value_won"] == 6.0


def test_auctions_without_a_budget_are_counted_but_not_judged() -> None:
    found = measured(campaign("c", 4.5), auction("c", 1, 6.0, 2.0, won=True), auction("x", 1, 6.0, 2.0, won=True))
    assert (found["campaigns"], found["campaigns_without_budget"]) == (1, 1)
    assert measured(auction("x", 1, 6.0, 2.0, won=True))["tradewind"] is None
