"""How numbers and times are written on the page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from streams.times import EPOCH

NONE: Final = "–"


def count(value: float | None) -> str:
    """
    >>> count(15939), count(None)
    ('15,939', '–')
    """
    return NONE if value is None else f"{value:,.0f}"


def rate(value: float | None) -> str:
    """
    >>> rate(0.0), rate(3.25), rate(1234.5)
    ('0', '3.2', '1,234')
    """
    if value is None:
        return NONE
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.1f}"


def money(value: float | None) -> str:
    return NONE if value is None else f"{value:,.2f}"


def percent(value: float | None) -> str:
    """
    >>> percent(0.186), percent(1.0)
    ('18.6%', '100.0%')
    """
    return NONE if value is None else f"{value:.1%}"


def units(value: float | None) -> str:
    """
    >>> units(12.0), units(0.25), units(None)
    ('12', '0.25', '–')
    """
    return NONE if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def few(value: float | None) -> str:
    """
    >>> few(0.03939), few(12.5)
    ('0.04', '12.50')
    """
    return NONE if value is None else f"{value:,.2f}"


def days(value: float | None) -> str:
    return NONE if value is None else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def signed(value: float | None) -> str:
    """
    >>> signed(0.01234), signed(-2.0)
    ('+0.0123', '−2')
    """
    return NONE if value is None else f"{value:+.3g}".replace("-", "−")


def waited(ms: float | None) -> str:
    """
    >>> waited(212.0), waited(2345.0)
    ('212 ms', '2.3 s')
    """
    if ms is None:
        return NONE
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def moment(ms: int | None) -> str:
    """
    >>> moment(1_483_272_000_000)
    '2017-01-01 12:00'
    """
    return NONE if not ms else (EPOCH + timedelta(milliseconds=ms)).strftime("%Y-%m-%d %H:%M")


FILTERS: Final[dict[str, Callable[[Any], str]]] = {
    "count": count,
    "rate": rate,
    "money": money,
    "percent": percent,
    "units": units,
    "days": days,
    "few": few,
    "signed": signed,
    "waited": waited,
    "moment": moment,
}
