"""How far behind a worker is, for how long, and whether the brokers answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic

import pytest
from aiokafka.errors import KafkaConnectionError

from infra.cluster.clients import Partition
from infra.metrics.pulse import Pulse
from streams.topics import ORDERS, Topic

WHERE = Partition("orders", 1)


@dataclass(eq=False)
class Waiting:
    """A task that would go on at offset 10."""

    inputs: dict[str, Topic] = field(default_factory=lambda: {"orders": ORDERS})
    unread: dict[Partition, int] = field(default_factory=lambda: {WHERE: 10})


@dataclass
class Log:
    """A log that ends at `end`; None while the brokers are away."""

    end: int | None = 10
    asked: int = 0

    async def ends(self, unread: Mapping[Partition, int]) -> dict[Partition, int]:
        await self.answers()
        end = self.end or 0
        return {where: end for where, offset in unread.items() if end > offset}

    async def answers(self) -> None:
        self.asked += 1
        if self.end is None:
            raise KafkaConnectionError


def test_the_lag_is_what_lies_between_and_none_where_nothing_waits() -> None:
    task, log = Waiting(), Log(end=25)
    pulse = Pulse(lambda: [task], log)
    asyncio.run(pulse.beat())
    assert pulse.lag == {task: {WHERE: 15}}
    task.unread = {WHERE: 25}
    asyncio.run(pulse.beat())
    assert pulse.lag == {task: {WHERE: 0}}


def test_the_age_counts_from_when_records_began_to_wait_or_from_the_last_commit() -> None:
    task, log = Waiting(), Log()
    pulse = Pulse(lambda: [task], log)
    asyncio.run(pulse.beat())
    long_ago = monotonic() - 1000
    assert pulse.commit_age(task, long_ago, monotonic()) == 0
    log.end = 11
    asyncio.run(pulse.beat())
    began = monotonic()
    assert pulse.commit_age(task, long_ago, began + 20) == pytest.approx(20, abs=0.5)
    assert pulse.commit_age(task, began + 15, began + 20) == pytest.approx(5, abs=0.5)
    log.end = 10
    asyncio.run(pulse.beat())
    assert pulse.commit_age(task, long_ago, began + 40) == 0


@pytest.mark.parametrize("tasks", [[], [Waiting()]])
def test_brokers_that_say_nothing_are_away(tasks: list[Waiting]) -> None:
    log = Log()
    pulse = Pulse(lambda: tasks, log)
    assert not pulse.answered(monotonic())
    asyncio.run(pulse.beat())
    assert pulse.answered(monotonic())
    log.end = None
    with pytest.raises(KafkaConnectionError):
        asyncio.run(pulse.beat())
    assert pulse.answered(monotonic())
    assert not pulse.answered(monotonic() + 13)


def test_nothing_is_asked_before_the_group_is_joined_and_no_error_ends_it() -> None:
    log = Log(end=None)
    joined = False

    async def run() -> None:
        nonlocal joined
        beating = asyncio.create_task(Pulse(list, log, joined=lambda: joined, every_s=0.01).run())
        await asyncio.sleep(0.05)
        assert log.asked == 0
        joined = True
        await asyncio.sleep(0.1)
        assert log.asked > 1
        assert not beating.done()
        beating.cancel()

    asyncio.run(run())
