"""A topic as a task writes to it: from a record to the message that goes on the wire."""

from typing import Any, Final

from infra.clients import Partition
from infra.envelope import Headers, schema_header, traced
from infra.errors import UserError
from infra.outbox import Message
from infra.partitioner import partition_for
from streams.codec import encode
from streams.topics import DEAD_LETTERS, Topic

_UNBOUNDED: Final = 1 << 62


class Outlet:
    """`name` is the topic's own on the cluster; `agent` is who writes, and `limit` the bytes that a record may have."""

    def __init__(self, topic: Topic, *, name: str, partitions: int, agent: str, limit: int) -> None:
        self._topic = topic
        self._name = name
        self._places = [Partition(name, number) for number in range(partitions)]
        self._agent = agent
        self._limit = _UNBOUNDED if topic is DEAD_LETTERS else limit  # those must take whatever could come in
        self._headers: Headers = [schema_header(topic)]

    def message(self, record: Any, traces: dict[str, bytes]) -> Message:
        """The record as a message; it goes on in the trace of the first input that it names, of `traces` by id.

        Raises UserError where it is over the limit.
        """
        key = self._topic.key(record).encode()
        value = encode(record)
        if len(key) + len(value) > self._limit:
            raise UserError(
                f"the {self._agent} agent made a record of {len(key) + len(value)} bytes for topic {self._name}, and "
                f"TRADEWIND_MAX_RECORD_BYTES allows {self._limit}: raise it, and max.message.bytes of the topic"
            )
        headers = traced(self._headers, record, traces) if traces else self._headers
        return Message(self._places[partition_for(key, len(self._places))], key, value, headers)
