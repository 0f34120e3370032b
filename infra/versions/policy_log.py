"""The log of policy versions, read whole and written to by people: what there is, which serves, and who had it so."""

import getpass
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.structs import TopicPartition
from msgspec.structs import replace

from agents.versions import Refused, Serving, record_of, turned_down, version_of
from infra.cluster.clients import admin_options
from infra.cluster.envelope import schema_header
from infra.cluster.knocking import knock, unreachable
from infra.errors import UserError
from infra.settings import Settings
from infra.versions.promotion import KEY, Digest
from policies.version import SHIPPED, PolicyVersion
from streams.codec import MalformedRecord, decode, encode
from streams.records import PolicyAct, PolicyVersionRecord
from streams.topics import POLICY_VERSIONS

_READ_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One act as it lies in the log, and why it changed nothing, if it was refused."""

    offset: int
    record: PolicyVersionRecord
    refused: str = ""


@dataclass(slots=True, kw_only=True)
class PolicyLog:
    """All acts in the order of the log, and where they lead: what every worker serves once it has read them."""

    entries: list[Entry] = field(default_factory=list[Entry])
    serving: Serving = field(default_factory=Serving)

    def add(self, offset: int, record: PolicyVersionRecord) -> None:
        refused = ""
        try:
            self.serving.take(record)
        except Refused as problem:
            refused = str(problem)
        self.entries.append(Entry(offset=offset, record=record, refused=refused))

    @property
    def versions(self) -> dict[str, Entry]:
        """The first act that brought each version, by hash, in order."""
        found: dict[str, Entry] = {}
        for entry in self.entries:
            if entry.record.act != "reject" and entry.record.number:
                found.setdefault(entry.record.sha256, entry)
        return found

    @property
    def rejected(self) -> dict[str, int]:
        """How many candidates the gate has turned down, by domain."""
        return dict(turned_down(entry.record) for entry in self.entries if entry.record.act == "reject")

    @property
    def readable(self) -> Iterator[PolicyVersion]:
        """The versions that can be read, in order."""
        for entry in self.versions.values():
            with suppress(Refused):
                yield version_of(entry.record)

    @property
    def shared(self) -> list[str]:
        """A sentence for each number that several versions have: they were made at the same time."""
        by: dict[int, list[PolicyVersionRecord]] = {}
        for entry in self.versions.values():
            by.setdefault(entry.record.number, []).append(entry.record)
        return [
            f"Version {number} is {found[0].sha256[:12]} by {found[0].by}; "
            + ", ".join(f"{one.sha256[:12]} by {one.by}" for one in found[1:])
            + " came later with the same number, which doesn't mean it: offer its file again."
            for number, found in by.items()
            if len(found) > 1
        ]

    def find(self, number: int) -> PolicyVersionRecord:
        """The record that first brought this number. Raises UserError."""
        found = [entry.record for entry in self.versions.values() if entry.record.number == number]
        if number == 0:
            return record_of(SHIPPED, "publish", by="shipped")
        if not found:
            raise UserError(f"there is no version {number}: `tradewind policies list` shows those there are")
        return found[0]

    def mark(self, sha256: str) -> str:
        """What a version is now."""
        if sha256 == self.serving.current.sha256:
            return "serving, held" if self.serving.held else "serving"
        if self.serving.previous is not None and sha256 == self.serving.previous.sha256:
            return "previous"
        acts = [entry.record.act for entry in self.entries if entry.record.sha256 == sha256 and not entry.refused]
        if any(act != "offer" for act in acts) or sha256 == SHIPPED.sha256:
            return "served before"
        return "offered" if acts else "refused"


def read(settings: Settings) -> PolicyLog:
    """The whole log as it is now. Raises UserError."""
    found = PolicyLog()
    with _consumer(settings) as client:
        place = TopicPartition(settings.topic(POLICY_VERSIONS.name), 0)
        if not client.partitions_for_topic(place.topic):
            raise UserError(f"topic {place.topic} is missing: `tradewind topics create` makes it")
        client.assign([place])
        end = client.end_offsets([place])[place]
        client.seek_to_beginning(place)
        give_up = time.monotonic() + _READ_S
        while client.position(place) < end:
            if time.monotonic() > give_up:
                raise UserError(f"topic {place.topic} could not be read within {_READ_S:.0f} s")
            for row in client.poll(timeout_ms=200).get(place, ()):
                _add(found, row)
    return found


def _add(log: PolicyLog, row: Any) -> None:
    try:
        _, record = decode(POLICY_VERSIONS, row.key, row.value, row.timestamp)
    except MalformedRecord:
        return  # no act at all: workers pass it over too
    if record is not None:
        log.add(row.offset, record)


def act(
    settings: Settings,
    before: PolicyLog,
    version: PolicyVersion,
    what: PolicyAct,
    *,
    reason: str,
    hold: bool,
    proof: Digest | None = None,
) -> PolicyLog:
    """Have a version serve from now on, after what is in `before`. Returns the log as it then is; raises UserError.

    `proof` is kept with the act, beside what the version's own gate found.
    """
    record = record_of(
        version,
        what,
        by=_who(),
        reason=reason,
        hold=hold,
        at=_next_moment(before),
    )
    if proof is not None:
        record = replace(record, evidence=record.evidence | {KEY: msgspec.to_builtins(proof)})
    after = _put(settings, record, "serve")
    if after.serving.current.sha256 != version.sha256:
        raise UserError(f"version {after.serving.current.number} was promoted at the same time, and serves: look again")
    return after


def offer(settings: Settings, before: PolicyLog, version: PolicyVersion, *, reason: str) -> PolicyLog:
    """Bring a version that is to be tried and not to serve. Returns the log as it then is; raises UserError."""
    after = _put(settings, record_of(version, "offer", by=_who(), reason=reason, at=_next_moment(before)), "be tried")
    if after.find(version.number).sha256 != version.sha256:
        raise UserError(f"another version {version.number} was made at the same time: offer this one again")
    return after


def _next_moment(before: PolicyLog) -> int:
    """Epoch ms of an act that comes after all that are known."""
    return max(time.time_ns() // 1_000_000, before.serving.acted_at + 1)


def _put(settings: Settings, record: PolicyVersionRecord, use: str) -> PolicyLog:
    """Write a record that workers will accept, and read the log again."""
    try:
        version_of(record)
    except Refused as refused:
        raise UserError(f"version {record.number} can't {use}: {refused}") from refused
    _write(settings, record)
    return read(settings)


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may have no name for its user
        return "unknown"


def _write(settings: Settings, record: PolicyVersionRecord) -> None:
    topic = settings.topic(POLICY_VERSIONS.name)
    client: Any = None
    try:
        client = KafkaProducer(**_options(settings), acks="all", max_request_size=2_000_000)
        key, headers = POLICY_VERSIONS.key(record).encode(), [schema_header(POLICY_VERSIONS)]
        sent = client.send(topic, key=key, value=encode(record), partition=0, headers=headers)
        sent.get(settings.start_timeout_s + _READ_S)
    except KafkaError as error:
        raise UserError(f"version {record.number} can't be written to topic {topic}: {error}") from error
    finally:
        if client is not None:
            client.close()


def _options(settings: Settings) -> dict[str, Any]:
    return admin_options(settings) | {"metrics_enabled": False}


@contextmanager
def _consumer(settings: Settings) -> Generator[Any]:
    knock(settings)
    try:
        client: Any = KafkaConsumer(
            **_options(settings),
            group_id=None,
            enable_auto_commit=False,
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            max_partition_fetch_bytes=8 * 1024 * 1024,
        )
    except (KafkaTimeoutError, OSError) as error:
        raise unreachable(settings) from error
    try:
        yield client
    except KafkaError as error:
        raise UserError(f"topic {settings.topic(POLICY_VERSIONS.name)} can't be read: {error}") from error
    finally:
        client.close()
