"""Slices of partitions, read up to their frozen ends: no group, no commit, committed records only.

Read over aiokafka, a fraction of kafka-python's time a record; offsets come from `cut.py`. The client's loop runs only
while something is fetched, and memory holds one fetch a partition.
"""

import asyncio
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Final, Self

from aiokafka.errors import KafkaConnectionError, KafkaError, OffsetOutOfRangeError
from msgspec.structs import replace

from infra.cluster.clients import Bare, BareReader, Partition, bare_reader, fetch_at_once
from infra.cluster.knocking import unreachable
from infra.cluster.rights import told
from infra.errors import UserError
from infra.history.clock import clock
from infra.history.merge import merged
from infra.history.message import Message
from infra.history.part import LogPart
from infra.settings import load
from streams.topics import BY_NAME

_WAIT_MS: Final = 100
_AT_ONCE_MS: Final = 1
_HELD_BYTES: Final = 32 * 1024 * 1024  # of what is fetched and not read, over all partitions
_LEAST_FETCH: Final = 64 * 1024
_FETCH: Final = 512 * 1024
_EVER: Final = (-(2**63), 2**63)


class LogReading:
    """One reading of a part, as `infra.history.reading.Reading` has it."""

    def __init__(self, part: LogPart) -> None:
        self._part = part
        self._slices = [one for one in part.slices if one.end > one.start]
        self._topics = [BY_NAME[one.topic] for one in self._slices]
        self._settings = load(bootstrap_servers=part.bootstrap_servers, prefix=part.prefix)
        self._places = [Partition(self._settings.topic(one.topic), one.partition) for one in self._slices]
        self._next = [one.start for one in self._slices]
        size = max(_LEAST_FETCH, min(_FETCH, _HELD_BYTES // max(len(self._slices), 1)))
        self._runner = asyncio.Runner()  # it turns Ctrl-C into an end that leaves nothing half done
        self._client: BareReader | None = None
        self._fetch_bytes = size
        streams = [self._records(number) for number in range(len(self._slices))]
        self._merged = merged(streams, clock(part.by))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message:
        number, message = next(self._merged)
        self._next[number] = (message.offset or 0) + 1
        return message

    def rest(self) -> LogPart:
        slices = [replace(one, start=start) for one, start in zip(self._slices, self._next, strict=True)]
        return replace(self._part, slices=tuple(slices))

    @property
    def done(self) -> int:
        return sum(self._next) - sum(one.start for one in self._slices)

    @property
    def total(self) -> int:
        return sum(one.end - one.start for one in self._slices)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            self._runner.run(client.stop())
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def heads(self) -> dict[tuple[str, int], Message | None]:
        """The first message of each slice, by its topic's name on the cluster and its number; instead of reading on."""
        firsts = (next(self._records(number), None) for number in range(len(self._slices)))
        return {(place.topic, place.partition): first for place, first in zip(self._places, firsts, strict=True)}

    def _records(self, number: int) -> Iterator[Message]:
        """One slice, fetched as it is needed."""
        topic, one = self._topics[number], self._slices[number]
        partition, end = one.partition, one.end
        since = _EVER[0] if one.since is None else one.since
        until = _EVER[1] if one.until is None else one.until
        position = one.start
        while position < end:
            rows, position = self._fetched(number, position)
            for row in rows:
                if row.offset >= end:
                    break
                if not since <= row.timestamp < until:
                    continue
                yield Message(topic, row.key, row.value, row.timestamp, partition, row.offset)
        self._next[number] = end

    def _fetched(self, number: int, position: int) -> tuple[Sequence[Bare], int]:
        place = self._places[number]
        try:
            with told(topics=[place.topic]):
                return self._runner.run(self._fetch(place, position))
        except OffsetOutOfRangeError as error:
            raise UserError(
                f"{place.topic}, partition {place.partition}: the records from offset {position} on have been deleted "
                "since this reading began (retention): start afresh, with a later --from"
            ) from error
        except KafkaConnectionError as error:
            raise unreachable(self._settings) from error
        except KafkaError as error:
            raise UserError(f"{place.topic}, partition {place.partition} can't be read: {error!r}") from error

    async def _fetch(self, place: Partition, position: int) -> tuple[Sequence[Bare], int]:
        """The next records of a partition, and where it goes on: on to there may be only markers and gaps."""
        client = self._client or await self._started()
        give_up = monotonic() + self._settings.stall_timeout_s
        while monotonic() < give_up:
            rows = (await client.getmany(place, timeout_ms=_WAIT_MS)).get(place, ())
            after = await client.position(place)
            if rows or after > position:
                return rows, after
        raise UserError(
            f"{place.topic}, partition {place.partition} stands still at offset {position}: no broker has answered for "
            f"{self._settings.stall_timeout_s:g} s; try again when they do"
        )

    async def _started(self) -> BareReader:
        client = bare_reader(
            self._settings,
            partition_fetch_bytes=self._fetch_bytes,
            auto_offset_reset="none",
            # What is wanted is there: a fetch that waited for more of a partition already read holds up the others.
            fetch_max_wait_ms=_AT_ONCE_MS,
        )
        self._client = client
        await client.start()
        fetch_at_once(client)
        client.assign(self._places)
        for place, one in zip(self._places, self._slices, strict=True):
            client.seek(place, one.start)
        return client
