"""How far behind this worker is, and whether the brokers answer: asked every few seconds, one request to each."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Final, Protocol

from aiokafka.errors import KafkaError

from infra.cluster.clients import Partition
from streams.topics import Topic

_BEAT_S: Final = 3.0
_ANSWER_S: Final = 6.0  # how long an answer may take
_AWAY_S: Final = 12.0  # without an answer for so long, the brokers count as away

log = logging.getLogger(__name__)


class Watched(Protocol):
    """A task, as far as it is looked at here."""

    @property
    def inputs(self) -> Mapping[str, Topic]: ...
    @property
    def unread(self) -> Mapping[Partition, int]: ...


class Logs(Protocol):
    """What is asked of the consumer."""

    async def ends(self, unread: Mapping[Partition, int]) -> dict[Partition, int]:
        """The ends of those logs that hold records at or after these offsets."""
        ...

    async def answers(self) -> None:
        """Have the brokers asked something. Raises KafkaError."""
        ...


class Pulse:
    """`lag` is what was found at the last beat, by task and input; of tasks that have begun.

    Nothing is asked before the worker has `joined` its group: its consumer isn't there to be asked.
    """

    def __init__(
        self,
        tasks: Callable[[], Iterable[Watched]],
        logs: Logs,
        *,
        joined: Callable[[], bool] = lambda: True,
        every_s: float = _BEAT_S,
    ) -> None:
        self.lag: dict[Watched, dict[Partition, int]] = {}
        self._tasks = tasks
        self._logs = logs
        self._joined = joined
        self._every = every_s
        self._answered = float("-inf")
        self._behind: dict[Watched, float] = {}

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(_ANSWER_S):
                    await (self.beat() if self._joined() else asyncio.sleep(0))
            except (KafkaError, TimeoutError):
                pass  # told by `answered`
            except Exception:  # what is only told must not end what is done
                log.exception("the lag can't be told")
            await asyncio.sleep(self._every)

    async def beat(self) -> None:
        """Ask once. Raises KafkaError."""
        unread = {task: dict(task.unread) for task in self._tasks()}
        asked = {where: offset for places in unread.values() for where, offset in places.items()}
        if asked:
            ends = await self._logs.ends(asked)
        else:
            await self._logs.answers()
            ends = {}
        self._answered = now = monotonic()
        self.lag = {
            task: {where: max(0, ends.get(where, offset) - offset) for where, offset in places.items()}
            for task, places in unread.items()
        }
        self._behind = {task: self._behind.get(task, now) for task, found in self.lag.items() if any(found.values())}

    def answered(self, now: float) -> bool:
        """Whether the brokers have answered lately; `now` by the monotonic clock."""
        return now - self._answered < _AWAY_S

    def commit_age(self, task: Watched, committed: float, now: float) -> float:
        """For how long, in seconds, this task has had records waiting and committed none; 0 where none waits."""
        since = self._behind.get(task)
        return 0.0 if since is None else max(0.0, now - max(since, committed))
