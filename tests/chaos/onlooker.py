"""An independent reader: what a read_committed consumer of another make sees while the faults go on, in its order."""

import threading
import time
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from kafka import KafkaConsumer
from kafka.structs import TopicPartition

_POLL_MS = 100

Isolation = Literal["read_committed", "read_uncommitted"]


class Sighting(NamedTuple):
    """One record as it was seen."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


class Onlooker:
    """Follows topics from their beginning on a thread of its own, from `start` to `stop`."""

    def __init__(self, address: str, places: Sequence[tuple[str, int]]) -> None:
        self.seen: list[Sighting] = []
        self._address = address
        self._places = [TopicPartition(*place) for place in places]
        self._over = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self, count: int, patience_s: float) -> None:
        """Wait until so many records were seen; what hasn't come by then is left to the checks."""
        give_up = time.monotonic() + patience_s
        while len(self.seen) < count and time.monotonic() < give_up:
            time.sleep(_POLL_MS / 1000)

    def stop(self) -> None:
        """Stop reading. Raises what ended the reader before its time."""
        self.close()
        if self._failed is not None:
            raise self._failed

    def close(self) -> None:
        """Stop reading, whatever became of the reader."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._follow()
        except BaseException as error:  # noqa: BLE001 # told to whoever stops the reader
            self._failed = error

    def _follow(self) -> None:
        client = consumer(self._address)
        client.assign(self._places)
        client.seek_to_beginning()
        while not self._over.is_set():
            for records in client.poll(timeout_ms=_POLL_MS).values():
                self.seen += [sighting(record) for record in records]
        client.close()


def consumer(address: str, isolation: Isolation = "read_committed") -> Any:
    """A kafka-python consumer that belongs to no group."""
    return KafkaConsumer(
        bootstrap_servers=address,
        isolation_level=isolation,
        auto_offset_reset="earliest",
        group_id=None,
        enable_auto_commit=False,
        reconnect_backoff_max_ms=500,
    )


def sighting(record: Any) -> Sighting:
    return Sighting(record.topic, record.partition, record.offset, record.key, record.value)


def whole(address: str, places: Sequence[tuple[str, int]], isolation: Isolation = "read_committed") -> list[Any]:
    """Everything that lies in these partitions at this moment, as far as `isolation` shows it."""
    client = consumer(address, isolation)
    wanted = [TopicPartition(*place) for place in places]
    client.assign(wanted)
    client.seek_to_beginning()
    ends = client.end_offsets(wanted)
    found: list[Any] = []
    while any(client.position(place) < ends[place] for place in wanted):
        for records in client.poll(timeout_ms=_POLL_MS).values():
            found += records
    client.close()
    return found
