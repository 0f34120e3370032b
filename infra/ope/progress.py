"""How far a log has been read, on standard error. Silent but on a terminal."""

from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

_EVERY = 1 << 20  # bytes between two looks at the bar


class Reading:
    """A bar over the bytes of a file; over nothing, of standard input."""

    def __init__(self, path: str) -> None:
        console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("reading"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(compact=True),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        file = Path(path)
        self._task = self._bars.add_task("", total=file.stat().st_size if file.is_file() else None)
        self._told = 0

    def at(self, place: int) -> None:
        """Up to here."""
        if place - self._told >= _EVERY:
            self._told = place
            self._bars.update(self._task, completed=place)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()
