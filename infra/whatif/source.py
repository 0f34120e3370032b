"""What a history says, as records: the whole of what stands in tables, a range of what happened. Kafka or a file."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from agents.versions import Refused, Serving, version_of
from infra.errors import UserError
from infra.history.entering import entered
from infra.history.message import Message
from infra.history.part import Part
from infra.history.progress import Progress
from infra.history.reading import messages
from infra.mapping.entrance import Entrance, entrance_of
from infra.settings import Settings
from policies.version import PolicyVersion
from streams.codec import MalformedRecord, decode
from streams.records import PolicyVersionRecord
from streams.times import DAY, iso
from streams.topics import POLICY_VERSIONS, Topic

Item = TypeVar("Item")


class Read(NamedTuple):
    """One record; None is a deletion."""

    topic: Topic
    key: str
    record: Any


@dataclass(kw_only=True)  # no slots: a property is kept
class Source:
    """Where a history lies. `since` and `until` are epoch ms, by the log's time, and don't bound tables."""

    settings: Settings
    events: Path | None = None
    since: int | None = None
    until: int | None = None
    read: Counter[str] = field(default_factory=Counter[str])  # records, by topic
    rejected: Counter[str] = field(default_factory=Counter[str])  # what could not be read, by topic
    versions: dict[str, PolicyVersion] = field(default_factory=dict[str, PolicyVersion])  # by hash, after `tables`
    _serving: Serving = field(default_factory=Serving)

    @property
    def name(self) -> str:
        return str(self.events) if self.events is not None else self.settings.bootstrap_servers

    def happened(self, topics: Sequence[Topic]) -> Iterator[Read]:
        """The records of the range, in the order of the history. Raises UserError."""
        return self._records(self._part(topics, self.since, self.until))

    def tables(self, topics: Sequence[Topic]) -> Iterator[Read]:
        """The records of compacted topics, from their beginning; after it `policy` is known. Raises UserError."""
        for read in self._records(self._part((*topics, POLICY_VERSIONS), None, None)):
            if read.topic is not POLICY_VERSIONS:
                yield read
            elif read.record is not None:
                with suppress(Refused):
                    self._hear(read.record)

    def _hear(self, record: PolicyVersionRecord) -> None:
        if record.act != "reject":
            version = version_of(record)
            self.versions[version.sha256] = version
        self._serving.take(record)

    @property
    def policy(self) -> PolicyVersion:
        """The version that serves at the end of the history; the shipped one where it names none."""
        return self._serving.current

    def nothing(self, what: str) -> UserError:
        """The sentence for a history without what is needed."""
        if self.since is not None or self.until is not None:
            return UserError(f"{self.name} holds no {what} in that range: choose another --from and --to")
        return UserError(f"{self.name} holds no {what}")

    def unread(self) -> list[str]:
        """What could not be read, as sentences."""
        return [f"{count:,} could not be read and are left out: {name}." for name, count in self.rejected.items()]

    def range(self, first: int, last: int) -> dict[str, Any]:
        """Which history this is, where what was used of it lies from `first` to `last`, epoch ms."""
        return {
            "source": self.name,
            "from": None if self.since is None else iso(self.since),
            "to": None if self.until is None else iso(self.until),
            "first": iso(first),
            "last": iso(last),
            "days": (last - first) / DAY,
            "read": dict(sorted(self.read.items())),
        }

    @cached_property
    def _entrance(self) -> Entrance:
        return entrance_of(self.settings)

    def _part(self, topics: Sequence[Topic], since: int | None, until: int | None) -> Part:
        if self.events is not None:
            from infra.history.files import files

            return files(
                [self.events], topics=topics, since=since, until=until, numbered=bool(self._entrance.rules.edge)
            )
        from infra.history.cut import frozen

        return frozen(self.settings, topics, since=since, until=until).part

    def _records(self, part: Part) -> Iterator[Read]:
        with messages(part) as found, Progress() as progress:
            one = progress.watching(found)
            for each in entered(found, self._entrance):
                one()
                if not isinstance(each, Message):
                    self.rejected["lines that are no messages"] += 1
                    continue
                try:
                    key, record = decode(each.topic, each.key, each.value, each.timestamp)
                except MalformedRecord:
                    self.rejected[each.topic.name] += 1
                    continue
                self.read[each.topic.name] += 1
                yield Read(each.topic, key, record)


def stepping(all_of: Sequence[Item], what: str) -> Iterable[Item]:
    """The same, with a bar on standard error where that is a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(all_of, description=what, console=console, disable=not console.is_terminal, transient=True)
