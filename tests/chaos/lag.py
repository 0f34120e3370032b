"""How far a group is behind, asked of the broker and not of the worker."""

import time
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError
from kafka.structs import TopicPartition

from tests.chaos.onlooker import consumer

_COMING = (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError)
_POLL_S = 0.2


def until_zero(address: str, group: str, topic: str, patience_s: float) -> float:
    """Wait until the group has committed everything that lies in a topic; how many seconds that took.

    Fails where it hasn't within `patience_s`.
    """
    began = time.monotonic()
    while left := behind(address, group, topic):
        waited = time.monotonic() - began
        assert waited < patience_s, f"no progress: after {waited:.0f} s the group {group} is still {left} behind"
        time.sleep(_POLL_S)
    return time.monotonic() - began


def behind(address: str, group: str, topic: str) -> int:
    """How many records the group has still to commit."""
    client: Any = KafkaAdminClient(bootstrap_servers=address)
    ends = _ends(address, topic)
    try:
        committed: Any = client.list_group_offsets({group: list(ends)})[group]
    except _COMING:
        committed = {}
    finally:
        client.close()
    return sum(end - max(0, _offset(committed, place)) for place, end in ends.items())


def _ends(address: str, topic: str) -> dict[TopicPartition, int]:
    client = consumer(address)
    try:
        return client.end_offsets([TopicPartition(topic, number) for number in client.partitions_for_topic(topic)])
    finally:
        client.close()


def _offset(committed: Any, place: TopicPartition) -> int:
    found = committed.get(place)
    return found.offset if found is not None else -1
