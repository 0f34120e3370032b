"""Forgetting a person: a request on `erasures`, then the changelogs read until they show that it is done."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol, cast
from uuid import uuid4

from aiokafka.errors import KafkaError
from msgspec.structs import replace

from agents.wiring import FLOWS
from infra import provision
from infra.cluster.clients import Partition, Reader, partitions_of, producer, reader
from infra.cluster.envelope import schema_header
from infra.cluster.knocking import unreachable
from infra.cluster.partitioner import partition_for
from infra.errors import UserError
from infra.privacy.proof import Places, Proof, Recorded, Watch
from infra.privacy.pseudonyms import pseudonyms
from infra.settings import Settings
from infra.state.changelog import changelog_topic, newest
from streams.codec import MalformedRecord, decode, encode
from streams.records import Erasure
from streams.times import DAY, EventTime
from streams.topics import ERASURES, EXPERIENCES

_FLOWS: Final = (FLOWS["recommendation"], FLOWS["learner"])
_HISTORY: Final = 30 * DAY  # a shop whose newest event is older than this is a history that is being played
_POLL_MS: Final = 200
_SAY_EVERY_S: Final = 5.0
_STOP_S: Final = 3.0

Say = Callable[[str], None]


class _Sender(Protocol):
    """What is asked of the producer here."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def send_and_wait(
        self, topic: str, value: bytes, key: bytes, *, partition: int, headers: list[tuple[str, bytes]]
    ) -> Any: ...


async def forget(settings: Settings, user_id: str, *, reason: str | None, wait_s: float, say: Say) -> Proof:
    """Ask that a user be forgotten, and follow for at most `wait_s` seconds what comes of it.

    `say` is told each step. Raises UserError where the request can't be made, or its effect can't be read.
    """
    _refuse_unready(settings)
    async with _reading(settings) as source:
        where = await _places(settings, source, user_id)
        request = checked(user_id, date_of(time.time_ns() // 1_000_000, await _latest(source, where.state)), reason)
        starts = await source.end_offsets([where.state, where.told, where.learned])
        recorded = await _record(settings, request, where.state.partition)
        say(f"recorded on {settings.topic(ERASURES.name)}, partition {recorded.partition}, offset {recorded.offset}")
        watch = Watch(where, recorded, say)
        if wait_s > 0:
            await _follow(source, starts, watch, wait_s, say)
        return watch.proof


def checked(user_id: str, at: EventTime, reason: str | None) -> Erasure:
    """The request, held to what a worker holds it to. Raises UserError."""
    request = Erasure(erasure_id=uuid4().hex, user_id=user_id, occurred_at=at, reason=reason)
    try:
        decode(ERASURES, user_id.encode(), encode(request), 0)
    except (MalformedRecord, UnicodeEncodeError) as error:
        raise UserError(f"USER or --reason can't be taken as it is: {error}") from error
    return request


def date_of(wall: int, latest: int) -> EventTime:
    """The event time of a request made now: the clock's, or, beside a history that is being played, the history's.

    A request dated years after every event would close all windows at once. Both in epoch ms; `latest` is the greatest
    event time handled, 0 before the first.

    >>> date_of(1_700_000_000_000, 0)
    1700000000000
    >>> date_of(1_700_000_000_000, 1_483_228_800_000)
    1483228800000
    """
    return EventTime(latest if 0 < latest < wall - _HISTORY else wall)


def _refuse_unready(settings: Settings) -> None:
    """Nothing is made here: a wrong prefix shall not make topics of its own, with a request that nobody reads."""
    wrong = provision.check(settings, _FLOWS)
    if wrong:
        raise UserError("; ".join(wrong))


@asynccontextmanager
async def _reading(settings: Settings) -> AsyncGenerator[Reader]:
    source = reader(settings)
    try:
        try:
            await source.start()
        except KafkaError as error:
            raise unreachable(settings) from error
        try:
            yield source
        except KafkaError as error:
            raise UserError(f"what becomes of the request can't be read: {error}") from error
    finally:
        # aiokafka 0.14 waits for ever for a fetch that was on its way when its partitions were assigned anew.
        await asyncio.wait([asyncio.ensure_future(source.stop())], timeout=_STOP_S)


async def _places(settings: Settings, source: Reader, user_id: str) -> Places:
    count = len(await partitions_of(source, settings.topic(ERASURES.name)))
    key = user_id.encode(errors="replace")  # what isn't text is refused by `checked`
    return Places(
        state=Partition(changelog_topic(settings, "recommendation"), partition_for(key, count)),
        told=Partition(settings.topic(EXPERIENCES.name), 0),
        learned=Partition(changelog_topic(settings, "learner"), 0),
    )


async def _latest(source: Reader, where: Partition) -> int:
    """The event time that this partition of the state has reached: each transaction ends with its progress."""
    source.assign([where])
    first = (await source.beginning_offsets([where]))[where]
    end = (await source.end_offsets([where]))[where]
    last = await newest(source, where, first, end)
    return 0 if last is None else last.progress.now


async def _record(settings: Settings, request: Erasure, partition: int) -> Recorded:
    topic = settings.topic(ERASURES.name)
    sender = cast(_Sender, producer(settings, acks="all", enable_idempotence=True))
    try:
        await sender.start()
        key, headers = request.user_id.encode(), [schema_header(ERASURES)]
        lain = await sender.send_and_wait(topic, encode(request), key, partition=partition, headers=headers)
    except KafkaError as error:
        raise UserError(f"the request can't be written to topic {topic}: {error}; nothing was removed") from error
    finally:
        await sender.stop()
    # What becomes of it stands under the name that the agents know this user by.
    users = pseudonyms(settings)
    known = request if users is None else replace(request, user_id=users.of(request.user_id))
    return Recorded(request=known, partition=partition, offset=lain.offset)


async def _follow(source: Reader, starts: Mapping[Partition, int], watch: Watch, wait_s: float, say: Say) -> None:
    source.assign(list(starts))
    for place, offset in starts.items():
        source.seek(place, offset)
    loop = asyncio.get_running_loop()
    began = said = loop.time()
    while (left := began + wait_s - loop.time()) > 0 and watch.proof.waits_for is not None:
        for place, rows in (await source.getmany(timeout_ms=min(_POLL_MS, int(left * 1000) + 1))).items():
            watch.read(place, rows)
        if loop.time() - said >= _SAY_EVERY_S:
            said = loop.time()
            say(f"waiting for the {watch.proof.waits_for} agent, {said - began:.0f} s")
