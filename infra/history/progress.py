"""How far a file or a set of topics has been read, on standard error: rate and time left. Silent but on a terminal."""

from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from infra.history.reading import Reading

_EVERY: Final = 500  # messages between two looks at the bar


class Progress:
    """A bar over messages, or over the units of a reading (offsets, bytes); with a count of messages and their rate."""

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
        self._first: int | None = None  # how many there were before this run

    def one(self) -> None:
        """One message more."""
        self._messages += 1
        if self._messages % _EVERY == 0:
            self._show(self._messages if self._at is None else self._at)

    def watching(self, reading: Reading) -> Callable[[], None]:
        """What to call for one message more of a reading. Its end is where this ends."""
        self._bars.update(self._task, total=reading.total)

        def one() -> None:
            self.one()
            if self._messages % _EVERY == _EVERY - 1:  # it is shown with the next
                self._at = reading.done

        return one

    def so_far(self, done: int, total: int, messages: int) -> None:
        """Say all at once, as a run of an engine does. `messages` may begin with those of an earlier run."""
        if self._first is None:
            self._first = messages
        self._messages = messages
        self._bars.update(self._task, total=total or None)
        self._show(done)

    def _show(self, done: int) -> None:
        elapsed = self._bars.tasks[0].elapsed or 0.0
        rate = (self._messages - (self._first or 0)) / elapsed if elapsed else 0.0
        self._bars.update(self._task, completed=done, messages=self._messages, rate=rate)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()
