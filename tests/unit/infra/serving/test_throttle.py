"""A throttled agent does the same, and its process keeps to its share of the processor."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from agents.contract import Input, State, Step
from infra.serving.throttle import Throttled
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


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_it_keeps_to_its_share(share: float) -> None:
    agent = Throttled(Busy(0.02), share)
    used, since = time.process_time(), time.monotonic()
    for _ in range(8):
        assert agent.step(EMPTY, [], SHIPPED, 5) == Step({"worked": b"1"}, [], 5)
    assert (time.process_time() - used) / (time.monotonic() - since) <= share + 0.05


def test_one_rest_is_short_and_the_rest_is_owed() -> None:
    agent = Throttled(Busy(0.03), 0.01)
    began = time.monotonic()
    agent.step(EMPTY, [], SHIPPED, 0)
    assert time.monotonic() - began < 1.5
    assert agent.owed() > 1.0


def test_idle_hours_are_not_saved_up() -> None:
    agent = Throttled(Busy(0.0), 0.5, since=time.monotonic() - 3600.0)
    agent.step(EMPTY, [], SHIPPED, 0)
    assert time.monotonic() - agent.since < 10.0
