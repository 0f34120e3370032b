"""A throttled agent does the same, and its process keeps to its share of the processor."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from agents.contract import Agent, Input, State, Step
from infra.serving.throttle import Throttled, rest_of, stepped
from infra.serving.wrapped import Wrapped
from policies.version import SHIPPED, PolicyVersion
from streams.views import Views

EMPTY = State({}, Views())


@dataclass(frozen=True)
class Busy:
    """Works for a while, and says that it did."""

    seconds: float
    name: str = "busy"
    reads: tuple[Any, ...] = ()
    watches: tuple[Any, ...] = ()
    emits: tuple[Any, ...] = ()

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:  # noqa: ARG002
        until = time.process_time() + self.seconds
        while time.process_time() < until:
            pass
        return Step({"worked": b"1"}, [], now)


@dataclass
class Ending(Wrapped):
    """Tells when its step has ended."""

    agent: Agent
    wrong: bool = False
    ended: bool = False

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        step = self.agent.step(state, batch, policy, now // 0 if self.wrong else now)
        self.ended = True
        return step


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_it_keeps_to_its_share(share: float) -> None:
    agent = Throttled(Busy(0.02), share)
    used, since = time.process_time(), time.monotonic()
    for _ in range(8):
        assert agent.step(EMPTY, [], SHIPPED, 5) == Step({"worked": b"1"}, [], 5)
        time.sleep(rest_of(agent))
    assert (time.process_time() - used) / (time.monotonic() - since) <= share + 0.05


def test_beside_others_its_own_steps_count_alone() -> None:
    agent = Throttled(Busy(0.02), 0.01, alone=False)
    Busy(0.3).step(EMPTY, [], SHIPPED, 0)
    assert agent.owed() == 0.0
    agent.step(EMPTY, [], SHIPPED, 0)
    assert 1.0 < agent.owed() < 20.0


def test_other_agents_owe_no_rest() -> None:
    assert rest_of(Busy(0.0)) == 0.0


def test_idle_hours_are_not_saved_up() -> None:
    agent = Throttled(Busy(0.0), 0.5, since=time.monotonic() - 3600.0)
    assert agent.owed() == 0.0
    assert time.monotonic() - agent.since < 10.0


def test_the_event_loop_goes_on_beside_its_step() -> None:
    async def run() -> tuple[Step, int]:
        step = asyncio.create_task(stepped(Throttled(Busy(0.1), 1.0), EMPTY, [], SHIPPED, 5))
        turns = 0
        while not step.done():
            await asyncio.sleep(0.005)
            turns += 1
        return await step, turns

    step, turns = asyncio.run(run())
    assert step == Step({"worked": b"1"}, [], 5)
    assert turns > 3


def test_any_other_agent_steps_in_the_loop_itself() -> None:
    async def run() -> bool:
        turned = asyncio.Event()
        asyncio.get_running_loop().call_soon(turned.set)
        await stepped(Busy(0.0), EMPTY, [], SHIPPED, 5)
        return turned.is_set()

    assert not asyncio.run(run())


def test_who_is_cancelled_waits_until_the_step_has_ended() -> None:
    agent = Ending(Busy(0.1))

    async def run() -> None:
        step = asyncio.create_task(stepped(Throttled(agent, 1.0), EMPTY, [], SHIPPED, 5))
        await asyncio.sleep(0.02)
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
        assert agent.ended

    asyncio.run(run())


def test_what_goes_wrong_in_the_step_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(stepped(Throttled(Ending(Busy(0.0), wrong=True), 1.0), EMPTY, [], SHIPPED, 5))
