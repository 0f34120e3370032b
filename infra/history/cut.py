"""What Kafka holds of a time, frozen: offsets found by time over kafka-python. No group, no commit, no write."""

from collections.abc import Collection, Generator, Iterable, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from socket import create_connection
from typing import Any, Final, NamedTuple, Protocol, cast

from kafka import KafkaConsumer
from kafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, TopicAuthorizationFailedError
from kafka.structs import TopicPartition
from msgspec.structs import replace

from infra.cluster.clients import admin_options
from infra.cluster.knocking import unreachable
from infra.errors import UserError
from infra.history.kafka import LogReading
from infra.history.part import By, LogPart, LogSlice
from infra.history.times import nothing_between
from infra.settings import Settings
from streams.times import MAX_SKEW
from streams.topics import TOPICS, Topic

_ORDER: Final = {topic.name: place for place, topic in enumerate(TOPICS)}  # of topics, for what lies at the same time
_TAIL: Final = 50  # offsets in which the last records of a partition are looked for


class Cut(NamedTuple):
    """A frozen history, and those of the wanted topics that the cluster doesn't have."""

    part: LogPart
    missing: list[str]


def frozen(
    settings: Settings,
    topics: Iterable[Topic],
    *,
    since: int | None = None,
    until: int | None = None,
    beyond: Iterable[Topic] = (),
    by: By = "log",
    optional: bool = False,
) -> Cut:
    """What the topics hold at this moment, or of it what the log got at `since` ≤ time < `until` (epoch ms).

    Of the topics in `beyond` (outcomes come after their decisions) `until` ends nothing. The end is that of what is
    committed: what follows later, or is in an open transaction, doesn't belong to it. Raises UserError, for a range
    with nothing in it too, and where none of the topics is there, unless they are `optional`.
    """
    names = {settings.topic(topic.name): topic for topic in sorted(topics, key=lambda topic: _ORDER[topic.name])}
    on = {settings.topic(topic.name) for topic in beyond}
    with _looking(settings, names) as client:
        log, missing = _log(client, settings, names, by)
        if len(missing) == len(names) and not optional:
            raise UserError(f"none of the topics is there ({', '.join(names)}): check TRADEWIND_PREFIX and the cluster")
        first = log.starts if since is None else _found(client, log.ends, since)
        bounded = {place: end for place, end in log.ends.items() if until is not None and place.topic not in on}
        last = _found(client, bounded, cast(int, until) + MAX_SKEW) if bounded else {}
    first = {place: max(start, log.starts[place]) for place, start in first.items()}
    last = {**log.ends, **log.in_order(last, until)}
    slices = [
        replace(one, since=since, until=until if place in bounded else None)
        for place, one in zip(log.ends, log.part(first, last).slices, strict=True)
    ]
    part = replace(log.part(first, last), slices=tuple(slices))
    if (since is not None or until is not None) and _is_empty(part):
        raise UserError(nothing_between(since, until, log.extent()))
    return Cut(part, missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Log:
    """All that the topics hold: `starts` and `ends` by partition, in the order of topics and numbers."""

    settings: Settings
    names: Mapping[str, Topic]
    starts: Mapping[Any, int]
    ends: Mapping[Any, int]
    by: By

    def part(self, begin: Mapping[Any, int], end: Mapping[Any, int]) -> LogPart:
        slices = [
            LogSlice(
                topic=self.names[place.topic].name,
                partition=place.partition,
                start=min(begin[place], end[place]),
                end=end[place],
            )
            for place in self.ends
        ]
        return LogPart(
            bootstrap_servers=self.settings.bootstrap_servers,
            prefix=self.settings.prefix,
            slices=tuple(slices),
            by=self.by,
        )

    def in_order(self, last: Mapping[Any, int], until: int | None) -> dict[Any, int]:
        """Those of these ends behind which the next record is too late indeed.

        A broker finds the first record that is too late, and takes the end of a transaction for one. In a copy of
        another log that has today's date: behind the first transaction there is more of the range, and the log is read
        to its end.
        """
        if until is None or not last:
            return {}
        with LogReading(self.part({**self.ends, **last}, self.ends)) as behind:
            early = {place for place, one in behind.heads().items() if one is not None and one.timestamp < until}
        return {place: end for place, end in last.items() if (place.topic, place.partition) not in early}

    def extent(self) -> list[int]:
        """The times of the first record, and of the last ones of each partition."""
        tails = {place: max(self.starts[place], end - _TAIL) for place, end in self.ends.items()}
        with LogReading(self.part(self.starts, self.ends)) as found:
            first = [one.timestamp for one in found.heads().values() if one is not None]
        with LogReading(self.part(tails, self.ends)) as found:
            return [*first, *(one.timestamp for one in found)]


class _Offset(Protocol):
    @property
    def offset(self) -> int: ...


class _Looker(Protocol):
    """kafka-python's consumer, as far as it is used here."""

    def topics(self) -> set[str]: ...
    def partitions_for_topic(self, topic: str) -> set[int]: ...
    def beginning_offsets(self, partitions: Collection[Any]) -> dict[Any, int]: ...
    def end_offsets(self, partitions: Collection[Any]) -> dict[Any, int]: ...
    def offsets_for_times(self, timestamps: dict[Any, int]) -> dict[Any, _Offset | None]: ...
    def close(self) -> None: ...


def _log(client: _Looker, settings: Settings, names: Mapping[str, Topic], by: By) -> tuple[_Log, list[str]]:
    there = client.topics()
    missing = [name for name in names if name not in there]
    found = [name for name in names if name in there]
    places: list[Any] = [TopicPartition(name, p) for name in found for p in sorted(client.partitions_for_topic(name))]
    starts, ends = client.beginning_offsets(places), client.end_offsets(places)
    ends = {place: ends[place] for place in places}
    return _Log(settings=settings, names=names, starts=starts, ends=ends, by=by), missing


def _found(client: _Looker, ends: Mapping[Any, int], at: int) -> dict[Any, int]:
    """The offset of the first record at or after `at`; the end where there is none."""
    given = client.offsets_for_times(dict.fromkeys(ends, max(at, 0)))
    return {place: min(found.offset, end) if (found := given.get(place)) else end for place, end in ends.items()}


def _is_empty(part: LogPart) -> bool:
    """Whether all that there is are markers of transactions, and records of another time."""
    with LogReading(part) as found:
        return next(found, None) is None


def _knock(settings: Settings) -> None:
    """Raise UserError where nobody opens: the client would leave its thread and sockets behind."""
    for server in settings.servers:
        host, _, port = server.rpartition(":")
        with suppress(OSError), create_connection((host.strip("[]"), int(port)), timeout=settings.start_timeout_s):
            return
    raise unreachable(settings)


@contextmanager
def _looking(settings: Settings, names: Iterable[str]) -> Generator[_Looker]:
    options: dict[str, Any] = admin_options(settings) | {
        "group_id": None,
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        "allow_auto_create_topics": False,
    }
    _knock(settings)
    try:
        client = cast(_Looker, KafkaConsumer(**options))
        with closing(client):
            yield client
    except TopicAuthorizationFailedError as error:
        raise UserError(f"the brokers refuse this user: grant it READ on topic {', '.join(names)}") from error
    except (KafkaConnectionError, KafkaTimeoutError) as error:
        raise unreachable(settings) from error
    except KafkaError as error:
        raise UserError(f"the brokers don't say what lies on the topics: {error!r}") from error
