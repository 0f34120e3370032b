"""A topic as a task writes to it: from a record to the message that goes on the wire."""

from collections.abc import Iterable
from typing import Any, Final

from infra.cluster.clients import Partition
from infra.cluster.envelope import Headers, Traces, schema_header, traced
from infra.cluster.outbox import Message
from infra.cluster.partitioner import positive_hash
from infra.contract.cloudevents import Attributes
from infra.errors import UserError
from streams.codec import encode
from streams.topics import DEAD_LETTERS, Topic

_UNBOUNDED: Final = 1 << 62


class Outlet:
    """`name` is the topic's own on the cluster; `agent` is who writes, and `limit` the bytes that a record may have.

    `attributes` makes further headers of a record and its key; `frame` goes before each value.
    """

    def __init__(
        self,
        topic: Topic,
        *,
        name: str,
        partitions: int,
        agent: str,
        limit: int,
        attributes: Attributes | None = None,
        frame: bytes = b"",
    ) -> None:
        self._topic = topic
        self._name = name
        self._places = [Partition(name, number) for number in range(partitions)]
        self._agent = agent
        self._limit = _UNBOUNDED if topic is DEAD_LETTERS else limit  # those must take whatever could come in
        self._headers: Headers = [schema_header(topic)]
        self._attributes = attributes
        self._frame = frame

    def messages(self, records: Iterable[Any], traces: Traces) -> list[Message]:
        """The records as messages; each goes on in the trace of the first input that it names, of `traces` by id.

        Raises UserError where one is over the limit.
        """
        key_of, places, frame, limit, headers = self._topic.key, self._places, self._frame, self._limit, self._headers
        all_alike, count = self._attributes is None and not traces, len(places)
        made: list[Message] = []
        for record in records:
            key = key_of(record).encode()
            value = encode(record)
            if len(key) + len(value) > limit:
                raise self._too_large(len(key) + len(value))
            told = headers if all_alike else self._told(record, key, traces)
            made.append(Message(places[positive_hash(key) % count], key, frame + value if frame else value, told))
        return made

    def _told(self, record: Any, key: bytes, traces: Traces) -> Headers:
        headers = self._headers
        if self._attributes is not None:
            headers = headers + self._attributes(record, key)
        return traced(headers, record, traces) if traces else headers

    def _too_large(self, size: int) -> UserError:
        return UserError(
            f"the {self._agent} agent made a record of {size} bytes for topic {self._name}, and "
            f"TRADEWIND_MAX_RECORD_BYTES allows {self._limit}: raise it, and max.message.bytes of the topic"
        )
