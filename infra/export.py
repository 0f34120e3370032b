"""What lies on the topics, as a file that `tradewind replay` reads: a frozen cut, ordered by the log's time."""

from collections.abc import Callable, Iterable
from pathlib import Path

from infra.errors import UserError
from infra.history.cut import frozen
from infra.history.interrupt import InterruptedRun, Wish
from infra.history.kafka import LogReading
from infra.history.reading import Reading
from infra.history.writing import opened
from infra.settings import Settings
from streams.topics import BY_NAME, TOPICS, Topic


def wanted(names: str | None, *, inputs_only: bool) -> list[Topic]:
    """The topics of these names, separated by commas; for None all of them, or those that Tradewind reads."""
    if names is None:
        return [topic for topic in TOPICS if topic.role == "input" or not inputs_only]
    given = [name.strip() for name in names.split(",") if name.strip()]
    for name in given:
        if name not in BY_NAME:
            raise UserError(f"--topics: there is no topic {name!r}: use some of {', '.join(BY_NAME)}")
    return [BY_NAME[name] for name in given]


def export(
    settings: Settings,
    topics: Iterable[Topic],
    out: Path,
    *,
    since: int | None = None,
    until: int | None = None,
    watch: Callable[[Reading], Callable[[], None]] | None = None,
) -> int:
    """Write every committed record that the topics hold now, or of them those that the log got in a time (epoch ms).

    Returns how many. What `watch` makes of the reading is called for each. Raises UserError.
    """
    part = frozen(settings, topics, since=since, until=until).part
    written = 0
    with Wish() as wish, LogReading(part) as found, opened(out) as sink:
        one_more = None if watch is None else watch(found)
        for one in found:
            if wish.came:
                raise InterruptedRun(f"stopped after {written:,} records; {out} is as it was before")
            sink.put(one)
            written += 1
            if one_more is not None:
                one_more()
    return written
