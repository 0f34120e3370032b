"""What is to be read for a judgement, as a person asked for it, and where that lies: on a cluster, or in files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from infra.errors import UserError
from infra.history.clock import event_time
from infra.history.message import Found, Message
from infra.history.part import Part
from infra.history.reading import messages
from infra.history.times import nothing_between
from infra.judging.waiting import UNREADABLE
from infra.settings import Settings
from streams.topics import BY_NAME, DECISIONS, OUTCOMES, Topic

JUDGED: Final = (DECISIONS, OUTCOMES)
READING: Final = ("--events", "--from", "--to", "--topics")  # the options that say what is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asked for. `since` and `until` are epoch ms, by the log's time.

    `written` is how the person said what to read, by option of `READING`: a checkpoint goes on with nothing else.
    """

    policies: str
    since: int | None = None
    until: int | None = None
    topics: Sequence[Topic] = JUDGED
    events: Path | None = None
    verify: bool = False
    workers: int = 1
    engine: Literal["processes", "ray"] = "processes"
    checkpoint: Path | None = None
    go_on: str = ""
    written: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class Source:
    """Where the history lies: a cluster, or files. Each part is a frozen cut."""

    settings: Settings
    asked: Asked
    missing: list[str] = field(default_factory=list[str])

    def part(self, topics: Iterable[Topic], since: int | None, until: int | None, *, optional: bool = False) -> Part:
        """What the topics hold of a range (epoch ms, by the log's time). `optional`: none of them need be there."""
        asked = self.asked
        if asked.events is not None:
            from infra.history.files import files
            from infra.mapping.load import rules_of

            mapped = bool(rules_of(self.settings).edge)
            return files([asked.events], topics=topics, since=since, until=until, beyond=(OUTCOMES,), numbered=mapped)
        from infra.history.cut import frozen

        cut = frozen(self.settings, topics, since=since, until=until, beyond=(OUTCOMES,), optional=optional)
        self.missing += [name for name in cut.missing if name not in self.missing]
        return cut.part

    @property
    def name(self) -> str:
        return str(self.asked.events) if self.asked.events is not None else self.settings.bootstrap_servers

    def without_decisions(self, left_out: Mapping[str, int]) -> UserError:
        """The sentence for a reading that found none, where `left_out` counts what it couldn't use, by name."""
        since, until = self.asked.since, self.asked.until
        if since is not None or until is not None:
            try:
                known = self._decided(since, until)
            except UserError as error:  # of a cluster, whose own words say it
                return error
            if known:
                return UserError(f"{self.name}, decisions: {nothing_between(since, until, known)}")
        unread = ", ".join(f"{many:,} {name}" for name, many in left_out.items() if name.startswith(UNREADABLE))
        also = f" ({unread})" if unread else ""
        return UserError(
            f"{self.name} holds no decisions{also}: judging a policy needs the topics decisions and outcomes"
        )

    def _decided(self, since: int | None, until: int | None) -> list[int]:
        """When the first and the last decision of files were logged, epoch ms. Raises UserError: a cluster's answer."""
        if self.asked.events is None:
            self.part([DECISIONS], since, until)
            return []
        known = list[int]()
        for one in found_in(self.part([DECISIONS], None, None)):
            if isinstance(one, Message):
                at = one.timestamp if one.timestamp > 0 else event_time(one)
                known = [min([at, *known]), max([at, *known])]
        return known


def topics_of(names: str | None) -> list[Topic]:
    """The topics of these names, separated by commas. Raises UserError."""
    if names is None:
        return list(JUDGED)
    given = [name.strip() for name in names.split(",") if name.strip()]
    if not given:
        raise UserError(f"--topics is empty: use some of {', '.join(BY_NAME)}, separated by commas")
    for name in given:
        if name not in BY_NAME:
            raise UserError(f"--topics: there is no topic {name!r}: use some of {', '.join(BY_NAME)}")
    return [BY_NAME[name] for name in given]


def found_in(part: Part) -> Iterator[Found]:
    """All of a part."""
    with messages(part) as found:
        yield from found
