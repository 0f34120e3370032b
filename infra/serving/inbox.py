"""Records that wait for one task: in the order of the log, each once, none lost unnoticed. No client, no clock."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from infra.cluster.clients import Bare


class Fetched(NamedTuple):
    """Records of one partition as they came in one piece. `start` is the position that the fetch went on from."""

    topic: str
    partition: int
    start: int
    records: Sequence[Bare]


class Run(NamedTuple):
    """Records of one topic, one after the other."""

    topic: str
    records: list[Bare]


class LostRecordsError(RuntimeError):
    """Records vanished between the client and the task: going on would skip them for ever."""


@dataclass(slots=True)
class Inbox:
    """What has arrived for one task and isn't taken yet, by input topic."""

    _waiting: dict[str, deque[Bare]] = field(default_factory=dict[str, deque[Bare]])
    _next: dict[str, int] = field(default_factory=dict[str, int])

    def expect(self, topic: str, offset: int) -> None:
        """The offset at which `topic` goes on. Must be called once per topic before its first `put`."""
        self._next[topic] = offset
        self._waiting.setdefault(topic, deque())

    def expected(self, topic: str) -> int | None:
        """The offset after the last one that arrived; None before `expect`."""
        return self._next.get(topic)

    def put(self, fetched: Fetched) -> int:
        """Take in what is new, and return how many that is. Raises LostRecordsError where something is missing.

        A record that was here before is dropped: after a rebalance the client may fetch again what is already in hand.
        """
        due = self._next[fetched.topic]
        if fetched.start > due:
            raise LostRecordsError(
                f"{fetched.topic}, partition {fetched.partition}: offsets {due} to {fetched.start - 1} were fetched "
                "and never arrived; this is a bug in the worker: please report it, and start the worker again"
            )
        new = fetched.records
        if fetched.start < due:
            new = [raw for raw in new if raw.offset >= due]
        self._waiting[fetched.topic].extend(new)
        if new:
            self._next[fetched.topic] = new[-1].offset + 1
        return len(new)

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def waiting(self, topic: str) -> int:
        """How many records of one input wait."""
        return len(self._waiting.get(topic, ()))

    def empty(self, topic: str) -> bool:
        return not self._waiting.get(topic)

    def take(self, limit: int) -> list[Run]:
        """The oldest `limit` records by the log's timestamps; within a topic always in the order of its offsets."""
        queues = {topic: queue for topic, queue in self._waiting.items() if queue}
        runs: list[Run] = []
        left = limit
        while queues and left > 0:
            topic = min(queues, key=lambda name: queues[name][0].timestamp)
            queue = queues[topic]
            if not runs or runs[-1].topic != topic:
                runs.append(Run(topic, []))
            if len(queues) == 1 and len(queue) <= left:
                runs[-1].records.extend(queue)
                queue.clear()
                break
            runs[-1].records.append(queue.popleft())
            left -= 1
            if not queue:
                del queues[topic]
        return runs
