"""Kafka's clients as the rest sees them: made from the settings, and typed where the libraries are not."""

import asyncio
import ssl
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.consumer import fetcher
from aiokafka.errors import UnknownTopicOrPartitionError
from aiokafka.structs import TopicPartition as Partition

from infra.errors import UserError
from infra.settings import Settings


class Lain(Protocol):
    """A message as it lay in its partition; `timestamp` is the log's own, epoch ms."""

    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def timestamp(self) -> int: ...


class Bare(Lain, Protocol):
    """A record as a client reads it out of a fetch, if it is asked for `as_it_lies`. Its reader knows the partition."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Raw(Bare, Protocol):
    """A record as the client makes it by default."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...


def as_it_lies(value: Any) -> Any:
    """The deserializer of values that asks for records as they lie, where a partition's whole fetch is handed on."""
    return value


class _Records(fetcher.PartitionRecords):
    """What a fetch brought of one partition. The client's own record takes several times as long to make as to read."""

    def _consumer_record(self, tp: Any, record: Any) -> Any:
        if self._value_deserializer is as_it_lies:
            return record
        return super()._consumer_record(tp, record)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


setattr(fetcher, "PartitionRecords", _Records)


class Batch(Protocol):
    """Records on their way to one partition."""

    def append(
        self, *, timestamp: int | None, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> object | None: ...
    def record_count(self) -> int: ...


class Appended(Protocol):
    """Where a batch lies: the offset of its first record, -1 where the broker didn't say."""

    @property
    def offset(self) -> int: ...


class Producer(Protocol):
    """aiokafka's producer, as far as it is used here."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def partitions_for(self, topic: str) -> set[int]: ...
    def create_batch(self) -> Batch: ...
    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> "asyncio.Future[Appended | None]": ...
    async def begin_transaction(self) -> None: ...
    async def send_offsets_to_transaction(self, offsets: Mapping[Partition, int], group_id: str) -> None: ...
    async def commit_transaction(self) -> None: ...
    async def abort_transaction(self) -> None: ...


class BareReader(Protocol):
    """aiokafka's consumer without a group, as far as it is used here, of records as they lie."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def assign(self, partitions: Iterable[Partition]) -> None: ...
    async def beginning_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, int]: ...
    async def end_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, int]: ...
    def seek(self, partition: Partition, offset: int) -> None: ...
    async def seek_to_beginning(self, *partitions: Partition) -> None: ...
    async def position(self, partition: Partition) -> int: ...
    async def getmany(
        self, *partitions: Partition, timeout_ms: int = 0, max_records: int | None = None
    ) -> Mapping[Partition, Sequence[Bare]]: ...


class Reader(BareReader, Protocol):
    """The same, of records that name their topic and partition."""

    async def getmany(
        self, *partitions: Partition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[Partition, list[Raw]]: ...


def client_options(settings: Settings) -> dict[str, Any]:
    """What every aiokafka client is given."""
    options: dict[str, Any] = {"bootstrap_servers": settings.servers, **_security(settings)}
    if _asks_for_token(settings):
        from infra.cluster.tokens import ForAiokafka, source_of, tokens

        options["sasl_oauth_token_provider"] = ForAiokafka(tokens(source_of(settings)))
    return options


def admin_options(settings: Settings) -> dict[str, Any]:
    """What kafka-python's clients are given. Raises UserError."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.servers,
        "bootstrap_timeout_ms": int(settings.start_timeout_s * 1000),
        **_security(settings),
    }
    if _asks_for_token(settings):
        from infra.cluster.tokens import ForKafkaPython, source_of, tokens

        given = tokens(source_of(settings))
        given.token()  # what is wrong with it is said here: the client would only try again, until its time is over
        options["sasl_oauth_token_provider"] = ForKafkaPython(given)
    return options


def producer(settings: Settings, **options: Any) -> Producer:
    """A producer that isn't started yet."""
    return cast(Producer, AIOKafkaProducer(**client_options(settings), **options))


def reader(settings: Settings, *, partition_fetch_bytes: int = 1024 * 1024) -> Reader:
    """A consumer without a group that sees committed records only, not started yet."""
    return _reader(settings, max_partition_fetch_bytes=partition_fetch_bytes)


def bare_reader(settings: Settings, *, partition_fetch_bytes: int = 1024 * 1024, **options: Any) -> BareReader:
    """The same, of records as they lie: faster, for one who reads a partition at a time."""
    options |= {"max_partition_fetch_bytes": partition_fetch_bytes, "value_deserializer": as_it_lies}
    return _reader(settings, **options)


def _reader(settings: Settings, **options: Any) -> Any:
    given: dict[str, Any] = {"auto_offset_reset": "earliest", "fetch_max_wait_ms": 100, **client_options(settings)}
    return AIOKafkaConsumer(isolation_level="read_committed", enable_auto_commit=False, **(given | options))


def fetch_at_once(source: BareReader) -> None:
    """From now on (it is started), a partition that is read through is fetched from again at once.

    The client would hold that back for up to 0.1 s while others have records that nobody took. That suits one who takes
    them all as they come; one who reads a partition at a time would stand still meanwhile.
    """
    cast(Any, source)._fetcher._prefetch_backoff = 0.0  # noqa: SLF001 # no option of the consumer's sets it


async def partitions_of(source: Reader, topic: str) -> set[int]:
    """The partition numbers of a topic. Raises UserError where it is missing."""
    try:
        # A consumer without a subscription has no public way to learn of one topic.
        return await cast(Any, source)._client._wait_on_metadata(topic)  # noqa: SLF001
    except UnknownTopicOrPartitionError as error:
        raise UserError(f"topic {topic} is missing: `tradewind topics create` makes it") from error


def _security(settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {"security_protocol": settings.security_protocol}
    if "SSL" in settings.security_protocol:
        options["ssl_context"] = tls(settings)
    if settings.security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.sasl_mechanism
        if settings.sasl_mechanism != "OAUTHBEARER":
            options |= _user(settings)
    return options


def _user(settings: Settings) -> dict[str, Any]:
    if settings.sasl_username is None or settings.sasl_password is None:
        raise UserError(
            f"TRADEWIND_SECURITY_PROTOCOL is {settings.security_protocol}: "
            "set TRADEWIND_SASL_USERNAME and TRADEWIND_SASL_PASSWORD too"
        )
    return {
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": settings.sasl_password.get_secret_value(),
    }


def tls(settings: Settings) -> ssl.SSLContext:
    """How a connection is encrypted: the brokers' certificate is always verified. Raises UserError."""
    try:
        context = ssl.create_default_context(cafile=settings.ssl_cafile)
    except OSError as error:  # an SSLError is one
        raise _unfit("TRADEWIND_SSL_CAFILE", settings.ssl_cafile, error) from error
    if settings.ssl_certfile is None:
        if settings.ssl_keyfile is not None:
            raise UserError("TRADEWIND_SSL_KEYFILE is set: set TRADEWIND_SSL_CERTFILE too")
        return context
    password = "" if settings.ssl_password is None else settings.ssl_password.get_secret_value()
    try:
        # Without a password of its own here, OpenSSL would ask for one at the terminal.
        context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile, password=password)
    except OSError as error:
        named = f"{settings.ssl_certfile}" + (f" with {settings.ssl_keyfile}" if settings.ssl_keyfile else "")
        raise _unfit("TRADEWIND_SSL_CERTFILE", named, error) from error
    return context


def _unfit(name: str, path: object, error: OSError) -> UserError:
    return UserError(
        f"{name}: {path} can't be used ({error.strerror or error}): name a file in PEM form"
        + (", and its TRADEWIND_SSL_PASSWORD where it is encrypted" if name.endswith("CERTFILE") else "")
    )


def _asks_for_token(settings: Settings) -> bool:
    return settings.security_protocol.startswith("SASL") and settings.sasl_mechanism == "OAUTHBEARER"
