"""What was measured as a table for people, and as JSON for later."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line. `reached` is None where there is no target."""

    measure: str
    target: str
    measured: str
    reached: bool | None = None


_HEAD = ("measure", "to reach", "measured: median (least–most)", "reached")


def markdown(rows: Iterable[Row]) -> str:
    """The rows as a table that reads as text and as Markdown.

    >>> print(markdown([Row(measure="speed", target="≥ 3×", measured="4×", reached=True)]))
    | measure | to reach | measured: median (least–most) | reached |
    | ------- | -------- | ----------------------------- | ------- |
    | speed   | ≥ 3×     | 4×                            | yes     |
    """
    verdict = {True: "yes", False: "NO", None: ""}
    lines = [_HEAD, *((row.measure, row.target, row.measured, verdict[row.reached]) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * width for width in widths]
    return "\n".join(_line(cells, widths) for cells in (lines[0], rule, *lines[1:]))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
