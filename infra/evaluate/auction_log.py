"""Auctions from a file, a line of JSON each: the price to beat, and the value or what it is made up of."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import msgspec
import numpy as np

from infra.errors import UserError
from infra.evaluate.opened import UNREADABLE, opened, why
from policies.linalg import Floats

LARGEST: Final = 1e100  # of a value, a price, a weight or a budget

Weights = dict[str, float]  # of ctr, cvr and revenue


class _Line(msgspec.Struct):
    price: float
    value: float | None = None
    ctr: float | None = None
    cvr: float | None = None
    revenue: float | None = None


_DECODER: Final = msgspec.json.Decoder(_Line)
_WANTED: Final = ("ctr", "cvr", "revenue")


def weights(objective: str) -> Weights:
    """`ctr=1,revenue=0.5`: what each of these fields counts for. Raises UserError."""
    found: Weights = {}
    for part in objective.split(","):
        name, _, text = part.partition("=")
        try:
            found[name.strip()] = float(text)
        except ValueError:
            found[name.strip()] = -1.0
    if not found.keys() <= set(_WANTED) or not all(0.0 <= each <= LARGEST for each in found.values()):
        raise UserError(f"--objective {objective}: must be weights, such as ctr=1,cvr=20,revenue=0.5")
    return found


def read(path: Path, wanted: Weights | None, *, option: str = "--auctions") -> tuple[Floats, Floats]:
    """Values and prices of all lines [T], [T]; the value is the line's own, or what is wanted of it, weighted.

    Raises UserError, which names the line, and the `option` that gave the file.
    """
    found: list[tuple[float, float]] = []
    try:
        with opened(path) as file:
            found.extend(_lines(f"{option} {path}", file, wanted))
    except UNREADABLE as error:
        raise UserError(f"{option} {path}: {why(error)}") from error
    if not found:
        raise UserError(f"{option} {path}: there are no auctions in it")
    value, price = (np.array(each, dtype=np.float64) for each in zip(*found, strict=True))
    return value, price


def _lines(given: str, file: IO[bytes], wanted: Weights | None) -> Iterator[tuple[float, float]]:
    for number, raw in enumerate(file, start=1):
        line = raw.removeprefix(b"\xef\xbb\xbf").strip()
        if not line:
            continue
        try:
            told = _DECODER.decode(line)
            value = _worth(told, wanted)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise UserError(f"{given}, line {number}: {error}") from error
        if not (0.0 <= value <= LARGEST and 0.0 <= told.price <= LARGEST):
            what = "value" if not 0.0 <= value <= LARGEST else "price"
            raise UserError(f"{given}, line {number}: the {what} must be from 0 to {LARGEST:g}")
        yield value, told.price


def _worth(line: _Line, wanted: Weights | None) -> float:
    """What winning is worth. Raises ValueError where the line doesn't say."""
    told = {"value": line.value} if wanted is None else {name: getattr(line, name) for name in wanted}
    worth = 0.0
    for name, amount in told.items():
        if amount is None:
            raise ValueError(f"it has no `{name}`" + (" (--objective weighs others)" if wanted is None else ""))
        if amount < 0.0:
            raise ValueError(f"its `{name}` is below 0")
        worth += amount * (1.0 if wanted is None else wanted[name])
    return worth
