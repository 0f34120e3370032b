"""How far a file or a set of topics has been read, on standard error: rate and time left. Silent but on a terminal."""

from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

_EVERY: Final = 500  # messages between two looks at the bar


class Progress:
    """A bar over messages, or over the units (bytes) that `at` tells; with a count of messages and their rate."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._bars = Bars(
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[messages]:,} messages, {task.fields[rate]:,.0f}/s, left:"),
            TimeRemainingColumn(compact=True),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bars.add_task("", total=None, messages=0, rate=0.0)
        self._at: int | None = None
        self._messages = 0

    def expect(self, total: int) -> None:
        """Say where the end is."""
        self._bars.update(self._task, total=total)

    def at(self, place: int) -> None:
        """Say how far it is, where that isn't the number of messages."""
        self._at = place

    def one(self) -> None:
        """One message more."""
        self._messages += 1
        if self._messages % _EVERY == 0:
            elapsed = self._bars.tasks[0].elapsed or 0.0
            done = self._messages if self._at is None else self._at
            rate = self._messages / elapsed if elapsed else 0.0
            self._bars.update(self._task, completed=done, messages=self._messages, rate=rate)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()
