"""A small shop in the shape of the data package: three households, two weeks, made up."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from infra.demo.journey import Journey, Subset
from infra.demo.prepare import Tables, prepare
from streams.times import DAY, HOUR, parse_time

START = int(parse_time("2017-01-01T00:00:00Z"))

# household, store, basket, product, quantity, value, at
LINES = [
    (1, 11, 100, 7, 2, 5.0, START + 9 * HOUR),
    (1, 11, 100, 8, 1, 3.0, START + 9 * HOUR),
    (2, 12, 101, 7, 1, 2.0, START + 9 * HOUR + 30_000),
    (1, 11, 102, 9, 12_000, 30.0, START + 9 * HOUR + 20_000),  # fuel, right after the first basket
    (2, 12, 103, 8, 0, 0.0, START + 2 * DAY),  # a coupon without goods
    (3, 11, 104, 8, 70, 210.0, START + 3 * DAY),  # far too many
    (3, 11, 104, 7, 1, 3.0, START + 3 * DAY),
    (2, 12, 105, 8, 1, 3.5, START + 12 * DAY),
]


def _columns(names: str, rows: list[tuple[Any, ...]]) -> dict[str, NDArray[Any]]:
    return {name: np.array(values) for name, values in zip(names.split(), zip(*rows, strict=True), strict=True)}


@pytest.fixture
def tables() -> Tables:
    lines = _columns("household_id store_id basket_id product_id quantity sales_value transaction_timestamp", LINES)
    for name in ("retail_disc", "coupon_disc", "coupon_match_disc"):
        lines[name] = np.zeros(len(LINES))
    lines["retail_disc"][0] = 0.5
    return Tables(
        lines=lines,
        products=_columns(
            "product_id department product_category product_type brand package_size",
            [
                (7, "GROCERY", "SOUP", "SOUP", "National", "12 OZ"),
                (8, "PRODUCE", "", "APPLES", "Private", ""),
                (9, "FUEL", "COUPON/MISC ITEMS", "GASOLINE-REG UNLEADED", "Private", ""),
                (10, "GROCERY", "NOBODY BUYS THIS", "X", "National", ""),
            ],
        ),
        campaigns=_columns(
            "campaign_id campaign_type start_date end_date",
            [
                (1, "Type A", START + 2 * DAY, START + 5 * DAY),
                (2, "Type B", START - 30 * DAY, START + DAY),
                (3, "Type C", START + 400 * DAY, START + 401 * DAY),
            ],
        ),
        redemptions=_columns(
            "household_id coupon_upc campaign_id redemption_date", [(3, 555, 1, START + 3 * DAY), (99, 1, 1, START)]
        ),
    )


@pytest.fixture
def journey(tables: Tables) -> Journey:
    return prepare(Subset(households=3, stocked=2), tables)
