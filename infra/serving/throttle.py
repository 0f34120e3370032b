"""An agent that leaves the processor to others: it rests between its steps, so that they keep to a share.

Its steps may take seconds, and so may its rests. A step is made in a thread, so that the event loop stays free for the
other agents and for what the group expects of this process; a rest comes before a step, where it can be broken off.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from agents.contract import Agent, Input, State, Step
from infra.serving.wrapped import Wrapped
from policies.version import PolicyVersion

_SAVED_S: Final = 2.0  # processor time that idle hours save up, at most


@dataclass(slots=True)
class Throttled(Wrapped):
    """The agent itself, slower: what it puts out is the same. `share` is of one processor core, above 0.

    `alone`: the whole process works for this agent, so that all of its processor time counts; else its steps' alone.
    """

    agent: Agent
    share: float
    alone: bool = True
    steps_s: float = 0.0
    since: float = field(default_factory=time.monotonic)
    before_s: float = field(default_factory=time.process_time)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        began = time.thread_time()
        try:
            return self.agent.step(state, batch, policy, now)
        finally:
            self.steps_s += time.thread_time() - began

    def owed(self) -> float:
        """How long to rest until the time used is within the share, in seconds."""
        used = time.process_time() - self.before_s if self.alone else self.steps_s
        owed = used / self.share - (time.monotonic() - self.since)
        least = -_SAVED_S / self.share
        if owed < least:
            self.since += least - owed
        return max(0.0, owed)


def rest_of(agent: Agent) -> float:
    """How long the agent is to rest before its next step, in seconds: 0 for one that isn't throttled."""
    return agent.owed() if isinstance(agent, Throttled) else 0.0


async def stepped(agent: Agent, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
    """One step; of a throttled agent beside the event loop. Whoever is cancelled here still waits for its end.

    Until then nothing else may touch what the step was given.
    """
    if not isinstance(agent, Throttled):
        return agent.step(state, batch, policy, now)
    step = asyncio.ensure_future(asyncio.to_thread(agent.step, state, batch, policy, now))
    try:
        return await asyncio.shield(step)
    finally:
        await asyncio.wait([step])
