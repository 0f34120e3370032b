"""The summary hides no loss, fits 80 columns, and needs no colour."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from infra.measures.scoreboard import Scoreboard
from infra.measures.summary import show
from streams.topics import AD_EVENTS, CAMPAIGNS, CATALOG, ORDERS, RECOMMENDATIONS, STOCK_UPDATES, USER_EVENTS
from tests.unit.measures.feed import auction, campaign, count, day, order, purchase, slate, tell
from tests.unit.measures.test_stock import ITEM


def printed(result: dict[str, Any]) -> str:
    file = StringIO()
    show(result, Console(file=file, width=80, color_system=None))
    return file.getvalue()


def full(mine: str) -> dict[str, Any]:
    board = Scoreboard(demand=[("milk", "north", int(day(2)), 1.0)])
    for number in range(1, 60):
        for user in "uvw":
            tell(board, RECOMMENDATIONS, slate(user, list(mine), day(number) - 1), received=number)
            for item in "abc":
                tell(board, USER_EVENTS, purchase(user, item, day(number)), received=number * 1_000)
    tell(board, CATALOG, ITEM)
    tell(board, STOCK_UPDATES, count("milk", 1_000_000, day(0)))
    tell(board, ORDERS, order("milk", 1, day(2)))
    tell(board, CAMPAIGNS, campaign("c", 1.0))
    tell(board, AD_EVENTS, auction("c", 1, 5.0, 3.0, won=True))
    tell(board, AD_EVENTS, auction("c", 2, 1e9, None if mine == "?" else 1e9, won=False))
    return board.result()


@pytest.mark.parametrize("result", [Scoreboard().result(), full("xyz"), full("abc"), full("?")])
def test_it_fits_eighty_columns(result: dict[str, Any]) -> None:
    assert max(len(line) for line in printed(result).splitlines()) <= 80


def test_losses_are_said_in_words() -> None:
    said = " ".join(printed(full("xyz")).split())
    assert "Tradewind loses to decayed personal counts + trend on recall@10: .000 against" in said
    assert "Tradewind beats" not in said.split("Stock:")[0]
    assert "Overspent by 2.00." in said


def test_a_tie_is_called_level() -> None:
    said = " ".join(printed(full("abc")).split())
    assert "Tradewind and personal frequency, filled up are level on recall@10: 1.000 against 1.000" in said
    assert "loses to" not in said.split("Stock:")[0]


def test_the_winner_is_marked_without_colour() -> None:
    lines = printed(full("xyz")).splitlines()
    assert any("decayed personal" in line and "*" in line for line in lines)
    assert not any(line.startswith("Tradewind  ") and "*" in line for line in lines)


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    said = " ".join(printed(Scoreboard().result()).split())
    assert said.count("Not judged:") == 3
    assert "Share of the optimum unknown" in printed(full("?"))
