"""A value as a shop writes it, made into what a record's field wants. What doesn't fit is told, never guessed."""

import re
from collections.abc import Callable
from datetime import datetime
from math import isfinite
from typing import Any, Final, Literal

from streams.codec import Reason
from streams.times import EARLIEST, LATEST, parse_time

Kind = Literal["text", "number", "integer", "boolean", "time", "choice", "object", "list"]
Convert = Callable[[Any], Any]

TIME_UNITS: Final = {"iso": 0.0, "s": 1000.0, "ms": 1.0, "us": 0.001, "ns": 0.000001}
NUMBER_UNITS: Final = {"cents": 100, "micros": 1_000_000}
_NUMBER: Final = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_LONG: Final = 40
_TRUE: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Unfit(ValueError):  # noqa: N818 # named for what it is
    """A value, or none, where something else is wanted."""

    def __init__(self, detail: str, reason: Reason = "invalid-record") -> None:
        super().__init__(detail)
        self.reason: Reason = reason


def converter(kind: Kind, *, unit: str | None = None, scale: float | None = None, zone: str | None = None) -> Convert:
    """What makes a value of this kind; raises Unfit. `zone` stands for the offset that a text time lacks."""
    match kind:
        case "number":
            return _scaled(NUMBER_UNITS.get(unit or ""), scale)
        case "integer":
            return _integer
        case "boolean":
            return _boolean
        case "time":
            return _time(unit, zone)
        case "text" | "choice":
            return _text
        case _:
            return lambda value: value


def _text(value: Any) -> str:
    """Ids are numbers in many shops.

    >>> _text(12), _text("a"), _text(12.0)
    ('12', 'a', '12')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    raise Unfit(f"{shown(value)} is not text")


def _number(value: Any) -> float:
    """Prices are text in many shops.

    >>> _number("12.90")
    12.9
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()) and isfinite(number := float(value)):
        return number
    raise Unfit(f"{shown(value)} is not a number")


def _scaled(parts: int | None, scale: float | None) -> Convert:
    if parts is not None:  # divided, so that 1999 cents are 19.99 and not 19.990000000000002
        return lambda value: _finite(_number(value), 1.0) / parts
    return _number if scale is None else lambda value: _finite(_number(value), scale)


def _finite(number: float, scale: float) -> float:
    try:
        return float(number) * scale
    except OverflowError as error:
        raise Unfit(f"{shown(number)} is too large") from error


def _integer(value: Any) -> int:
    number = _number(value)
    if int(number) == number:
        return int(number)
    raise Unfit(f"{shown(value)} is not a whole number")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    known = _TRUE.get(str(value).strip().lower()) if isinstance(value, str | int) else None
    if known is None:
        raise Unfit(f"{shown(value)} is neither true nor false")
    return known


def _time(unit: str | None, zone: str | None) -> Convert:
    factor = TIME_UNITS.get(unit or "", 0.0)

    def convert(value: Any) -> int:
        if factor:
            return _milliseconds(value, factor)
        if isinstance(value, str):
            return _parsed(value, zone)
        if isinstance(value, int) and not isinstance(value, bool):
            return _checked(value)
        raise Unfit(f"{shown(value)} is no time", "invalid-time")

    return convert


def _milliseconds(value: Any, factor: float) -> int:
    try:
        number = _number(value)
        return round(number * factor) if factor >= 1 else int(number // round(1 / factor))
    except (Unfit, OverflowError, ValueError) as error:
        raise Unfit(f"{shown(value)} is no number of seconds or of parts of them", "invalid-time") from error


def _parsed(text: str, zone: str | None) -> int:
    try:
        at = datetime.fromisoformat(text.strip())
        if at.tzinfo is None and zone is not None:
            return parse_time(f"{at.isoformat()}{zone}")
        return parse_time(text.strip())
    except (ValueError, OverflowError) as error:
        hint = ": it has no offset, set zone" if "no offset" in str(error) else ""
        raise Unfit(f"{shown(text)} is no time{hint}", "invalid-time") from error


def _checked(number: int) -> int:
    """Milliseconds, as they are. Others are likely a unit that wasn't declared."""
    if EARLIEST <= number < LATEST:
        return number
    for unit, factor in TIME_UNITS.items():
        if factor and EARLIEST <= number * factor < LATEST:
            raise Unfit(f'{number} is no time in milliseconds: it would be with unit = "{unit}"', "invalid-time")
    raise Unfit(f"{shown(number)} is no time in milliseconds", "invalid-time")


def shown(value: Any) -> str:
    """A value as it may stand in a sentence."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # digits beyond Python's limit
        text = f"a {type(value).__name__}"
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"
