"""What a line says beside its numbers, where no model is given: what was done, seen, and what the target would do."""

from collections.abc import Iterator
from math import isfinite
from typing import Any, Final, cast

import msgspec

from infra.ope.fields import LeftOut, Line, action, table

DEEPEST: Final = 4  # objects within objects that are looked into


class Situation(msgspec.Struct, array_like=True, frozen=True):
    """`context` are numbers by name, None if there are none. `target` is the chance of each action, None if untold."""

    action: str
    context: dict[str, float] | None
    target: dict[str, float] | None


def situation(line: Line) -> Situation | None:
    """None where the line names no action. Raises LeftOut where what the target would do isn't a distribution."""
    done = action(line)
    if done is None:
        return None
    given = line.get("target_distribution")
    return Situation(
        action=done,
        context=_context(line.get("context")),
        target=None if given is None else distribution(given),
    )


def distribution(given: object) -> dict[str, float]:
    """Chances by action, which add up to 1. Raises LeftOut."""
    found = table(given, "target_distribution")
    if any(not 0 <= each <= 1 for each in found.values()) or abs(sum(found.values()) - 1) > 1e-6:
        raise LeftOut("target-distribution-not-a-distribution")
    return found


def _context(given: object) -> dict[str, float] | None:
    found = dict(_named("", given, 0))
    return found or None


def _named(name: str, given: Any, depth: int) -> Iterator[tuple[str, float]]:
    """Numbers as they are, true and false as 1 and 0, text as a 1 under its own name; lists and objects by parts."""
    if isinstance(given, bool | int | float):
        value = _float(given)
        if value is not None:
            yield name, value
    elif isinstance(given, str):
        yield f"{name}={given}", 1.0
    elif isinstance(given, list | dict) and depth < DEEPEST:
        parts = cast(dict[Any, Any], given).items() if isinstance(given, dict) else enumerate(cast(list[Any], given))
        for key, part in parts:
            yield from _named(f"{name}.{key}" if name else str(key), part, depth + 1)


def _float(given: float) -> float | None:
    """None for what no float holds: an integer of hundreds of digits."""
    try:
        value = float(given)
    except OverflowError:
        return None
    return value if isfinite(value) else None
