"""The table at the end: a row for each run, as text and as JSON."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run. `faults` is how many were done to it; `aborted_records` were written and never committed."""

    fault: str
    seed: int
    events: int
    faults: int
    restarts: int
    actions: int
    letters: int
    left_aside: int
    aborted_records: int
    lag_zero_s: float
    findings: dict[str, int]


ROWS: Final[list[Row]] = []


def table(rows: list[Row]) -> str:
    """The rows as aligned text."""
    lines = [_cells(row) for row in rows]
    heads = list(_flat(rows[0]))
    widths = [max(len(head), *(len(line[n]) for line in lines)) for n, head in enumerate(heads)]
    shown = [_aligned(cells, widths) for cells in (heads, *lines)]
    return "\n".join((shown[0], "-" * len(shown[0]), *shown[1:]))


def _flat(row: Row) -> dict[str, object]:
    flat = asdict(row)
    findings: dict[str, int] = flat.pop("findings")
    return {name.replace("_", " "): value for name, value in (flat | findings).items()}


def _cells(row: Row) -> list[str]:
    return [str(value) for value in _flat(row).values()]


def _aligned(cells: list[str], widths: list[int]) -> str:
    first, *rest = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    return "  ".join((first.strip().ljust(widths[0]), *rest))


def save(rows: list[Row], path: Path) -> None:
    """Write the rows as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps([asdict(row) for row in rows], option=orjson.OPT_INDENT_2))
