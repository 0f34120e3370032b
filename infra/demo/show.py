"""The demo as it runs: one line of what flows, kept up to date. Numbers only from what was read off the topics."""

from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from infra.measures.scoreboard import Scoreboard
from streams.topics import BID_ADJUSTMENTS, RECOMMENDATIONS, REPLENISHMENT_ORDERS, USER_EVENTS

PLAIN_EVERY_S = 10.0


@dataclass(slots=True)
class Show:
    """A progress bar over the shop's baskets on a terminal; a line every ten seconds elsewhere."""

    console: Console
    baskets: int
    board: Scoreboard
    _progress: Progress = field(init=False)
    _task: TaskID = field(init=False)
    _plain_at: float = 0.0

    def __post_init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(24),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[flow]}"),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._task = self._progress.add_task("a year of shopping", total=self.baskets, flow="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self) -> None:
        count = self.board.counts.topics
        slates = count[RECOMMENDATIONS.name]
        flow = (
            f"{count[USER_EVENTS.name]:,} events → {slates:,} slates, "
            f"{count[BID_ADJUSTMENTS.name]:,} bids, {count[REPLENISHMENT_ORDERS.name]:,} orders"
        )
        self._progress.update(self._task, completed=min(slates, self.baskets), flow=flow)
        if not self.console.is_terminal and monotonic() - self._plain_at >= PLAIN_EVERY_S:
            self._plain_at = monotonic()
            self.console.print(flow, highlight=False)

    def say(self, text: str) -> None:
        self._progress.console.print(text, highlight=False)
