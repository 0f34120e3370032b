"""A tiny agent for the tests of the runtime, and the process that runs it: `python tests/kafka/counter.py`.

It counts the orders of each order_id and says each count once: any event lost or done twice shows in the totals.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from agents.contract import Draft, Input, Output, State, Step
from infra import logs, provision, settings
from infra.serving.app import group_of
from infra.serving.inbox import Fetched
from infra.serving.task import Task
from infra.serving.worker import serve
from infra.state.memory import Memory
from policies.version import PolicyVersion
from streams.records import SkuDemand
from streams.topics import ORDERS, SKU_DEMAND, Topic


class Count(msgspec.Struct):
    n: int = 0


@dataclass(frozen=True)
class Counter:
    """For the n-th order of an id, emits a demand of n units; its event_id is the order's first item."""

    name: str = "counter"
    reads: tuple[Topic, ...] = (ORDERS,)
    watches: tuple[Topic, ...] = ()
    emits: tuple[Topic, ...] = (SKU_DEMAND,)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:  # noqa: ARG002
        draft = Draft(state.entries)
        outputs: list[Output] = []
        for given in batch:
            order = given.record
            if order.lines[0].item_id == "poison":
                raise RuntimeError("a bug in an agent")
            if order.lines[0].item_id == "endless":
                threading.Event().wait()
            count = draft.edit(given.key, Count)
            count.n += 1
            now = max(now, order.occurred_at)
            said = SkuDemand(
                event_id=order.lines[0].item_id,
                order_id=given.key,
                item_id=given.key,
                location="here",
                quantity=count.n,
                occurred_at=order.occurred_at,
            )
            outputs.append(Output(SKU_DEMAND, said))
        return Step(writes=draft.writes(), outputs=outputs, now=now)


def deaf() -> None:
    """It fetches nothing, as a client does that has lost its way."""

    def has_no_room(_: Task, __: str) -> bool:
        return False

    setattr(Task, "has_room", has_no_room)


def slow() -> None:
    """Each batch takes a tenth of a second; after thirty of them it says the most records that ever waited."""
    accept, step = Task.accept, Counter.step
    waiting: list[int] = []

    def accept_and_look(task: Task, fetched: Fetched) -> None:
        accept(task, fetched)
        waiting.append(len(task._inbox))  # pyright: ignore[reportPrivateUsage]

    def step_slowly(*given: Any) -> Step:
        time.sleep(0.1)
        slowly.append(given)
        if len(slowly) == 30:
            print("most waiting", max(waiting), flush=True)  # noqa: T201
        return step(*given)

    slowly: list[Any] = []
    setattr(Task, "accept", accept_and_look)
    setattr(Counter, "step", step_slowly)


def late() -> None:
    """Its state takes seconds to be read."""
    read = Memory.open

    async def read_late(memory: Memory) -> None:
        await asyncio.sleep(3)
        await read(memory)

    setattr(Memory, "open", read_late)


HINDRANCES = {"deaf": deaf, "late": late, "slow": slow}


def main() -> None:
    loaded = settings.load()
    logs.follow(loaded)
    cast = [Counter()]
    for name in sys.argv[1:]:
        HINDRANCES[name]()
    provision.ensure(loaded, cast)
    group = group_of(loaded, ["counter"], ["counter"])
    serve(loaded, cast, group=group, announce=lambda text: print(text, flush=True))  # noqa: T201


if __name__ == "__main__":
    main()
