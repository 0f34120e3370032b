"""A standstill is told; idleness, slowness and a log that doesn't grow are none."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from infra.cluster.clients import Partition
from infra.errors import UserError
from infra.serving.watchdog import Watchdog

WHERE = Partition("orders", 3)
PATIENCE_S = 60.0


@dataclass(eq=False)
class Standing:
    """A task as the watchdog sees it."""

    place: object = 0
    unread: dict[Partition, int] = field(default_factory=lambda: {WHERE: 10})

    def __str__(self) -> str:
        return "orders/3"


@dataclass
class Log:
    """A log that ends at `end`."""

    end: int = 10

    async def ends(self, unread: Mapping[Partition, int]) -> dict[Partition, int]:
        return {where: self.end for where, offset in unread.items() if self.end > offset}


def looked(task: Standing, log: Log, *, task_moves: bool = False, log_grows: bool = False, for_s: int = 400) -> None:
    dog = Watchdog(lambda: [task], log, PATIENCE_S)
    for now in range(0, for_s, 5):
        asyncio.run(dog.look(float(now)))
        task.place = now if task_moves else task.place
        log.end += log_grows


def test_standing_still_while_the_log_grows_is_told_with_its_place() -> None:
    with pytest.raises(
        UserError, match=r"orders/3 has stood still for 60 s: it would go on at offset 10 of partition 3"
    ):
        looked(Standing(), Log(), log_grows=True)


def test_it_takes_as_long_as_it_was_told_to_wait() -> None:
    looked(Standing(), Log(), log_grows=True, for_s=65)


@pytest.mark.parametrize("behind", [0, 5])
def test_a_log_that_does_not_grow_is_no_reason(behind: int) -> None:
    looked(Standing(), Log(10 + behind))


def test_a_task_that_moves_is_no_reason_however_far_behind() -> None:
    looked(Standing(), Log(10_000), task_moves=True, log_grows=True)


def test_a_task_that_never_begins_is_told() -> None:
    with pytest.raises(UserError, match="has not begun"):
        looked(Standing(unread={}), Log())
    looked(Standing(unread={}), Log(), task_moves=True)


def test_a_task_that_went_is_forgotten() -> None:
    tasks = [Standing()]
    dog = Watchdog(lambda: tasks, log := Log(), PATIENCE_S)
    asyncio.run(dog.look(0.0))
    tasks[:] = [Standing()]
    log.end += 5
    asyncio.run(dog.look(61.0))


def test_a_standstill_can_be_told_before_the_next_look() -> None:
    task, log = Standing(), Log(end=11)
    dog = Watchdog(lambda: [task], log, PATIENCE_S)
    asyncio.run(dog.look(0.0))
    log.end = 20
    asyncio.run(dog.look(5.0))
    assert dog.standstills(59.0) == []
    assert [said.split(":")[0] for said in dog.standstills(61.0)] == ["orders/3 has stood still for 61 s"]
    task.place = "further"
    assert dog.standstills(1000.0) == []
