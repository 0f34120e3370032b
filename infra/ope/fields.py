"""The numbers in one line of a log: checked one by one, so that what is wrong has a name. No file.

What is wrong with a line is a `LeftOut` with the name under which it is counted.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final, cast

import msgspec
import orjson

_DECODER: Final = msgspec.json.Decoder()
_MARK: Final = b"\xef\xbb\xbf"  # of byte order: some editors begin a file with it
_LARGEST: Final = 1e50  # of a number, and of a weight: sums of cubes and of squares of products must be floats

Line = Mapping[str, Any]


class LeftOut(ValueError):  # noqa: N818 # named for what becomes of the line
    """A line that isn't used, and the name of the reason."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def decoded(raw: bytes) -> Line:
    """The object that the line is. Raises LeftOut."""
    raw = raw.removeprefix(_MARK)
    try:
        found = _DECODER.decode(raw)
    except RecursionError:
        raise LeftOut("not-json") from None
    except ValueError:  # msgspec's errors are, and bad UTF-8 is
        raise LeftOut("not-finite" if _holds_no_number(raw) else "not-json") from None
    if not isinstance(found, dict):
        raise LeftOut("not-an-object")
    return cast(Line, found)


def _holds_no_number(raw: bytes) -> bool:
    """Whether the line would be JSON but for NaN, Infinity, or a number too large to be one."""
    import json

    def spoilt(_: str) -> float:
        return 0.0

    try:
        json.loads(raw.decode(), parse_constant=spoilt)
    except (ValueError, RecursionError):
        return False
    return True


def number(line: Line, field: str) -> float:
    """Raises LeftOut."""
    found = line.get(field)
    if found is None:
        raise LeftOut(f"missing-{_kebab(field)}")
    return as_number(found, field)


def as_number(found: object, field: str) -> float:
    """A JSON number, not a bool or text. Raises LeftOut."""
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise LeftOut(f"{_kebab(field)}-not-a-number")
    try:
        value = float(found)
    except OverflowError:
        raise LeftOut("not-finite") from None
    if not isfinite(value):
        raise LeftOut("not-finite")
    if abs(value) > _LARGEST:
        raise LeftOut(f"{_kebab(field)}-too-large")
    return value


def as_numbers(found: object, field: str) -> list[float]:
    """A list of numbers. Raises LeftOut."""
    if not isinstance(found, list):
        raise LeftOut(f"{_kebab(field)}-not-a-list")
    return [as_number(each, field) for each in cast(Sequence[object], found)]


def propensity(value: float) -> float:
    """In (0, 1]. Raises LeftOut."""
    if value == 0:
        raise LeftOut("propensity-zero")
    if value < 0:
        raise LeftOut("propensity-negative")
    if value > 1:
        raise LeftOut("propensity-above-one")
    if value < 1 / _LARGEST:
        raise LeftOut("propensity-too-small")
    return value


def target_propensity(value: float) -> float:
    """In [0, 1]. Raises LeftOut."""
    if value < 0:
        raise LeftOut("target-propensity-negative")
    if value > 1:
        raise LeftOut("target-propensity-above-one")
    return value


def weights(p: Sequence[float], pi: Sequence[float]) -> None:
    """Raises LeftOut where the weight of a slate, up to some slot, is too large to be summed."""
    weight = 1.0
    for below, above in zip(p, pi, strict=True):
        weight *= above / below
        if weight > _LARGEST:
            raise LeftOut("weight-too-large")


def action(line: Line) -> str | None:
    """What was done: text or a whole number (1.0 is 1). None where there is none."""
    found = line.get("action")
    if isinstance(found, float) and found.is_integer():
        return str(int(found))
    return str(found) if isinstance(found, int | str) and not isinstance(found, bool) else None


def text(line: Line, field: str) -> bytes | None:
    """An id as bytes: text, or any other value as its JSON. None where there is none."""
    found = line.get(field)
    if found is None or found == "":
        return None
    return found.encode() if isinstance(found, str) else orjson.dumps(found)


def table(given: Any, field: str) -> dict[str, float]:
    """Numbers by action: an object as it is, a list by place. Raises LeftOut."""
    if given is None:
        raise LeftOut(f"missing-{_kebab(field)}")
    if isinstance(given, dict):
        items = cast("dict[str, object]", given).items()
        return {key: as_number(value, field) for key, value in items}
    return {str(place): value for place, value in enumerate(as_numbers(cast(Sequence[object], given), field))}


def _kebab(field: str) -> str:
    return field.replace("_", "-")
