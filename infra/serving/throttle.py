"""An agent that leaves the processor to others: it rests after its steps, so that its process keeps to a share.

Its steps may take seconds, and so may its rests: both are spent in a thread, and the event loop stays free for what the
group expects of this process in the meantime.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from agents.contract import Agent, Input, State, Step
from infra.serving.wrapped import Wrapped
from policies.version import PolicyVersion

_LONGEST_S: Final = 1.0  # one rest: a rebalance has to wait for it; what is owed beyond it follows later steps
_SAVED_S: Final = 2.0  # processor time that idle hours save up, at most


@dataclass(slots=True)
class Throttled(Wrapped):
    """The agent itself, slower: what it puts out is the same. `share` is of one processor core, above 0."""

    agent: Agent
    share: float
    used: float = field(default_factory=time.process_time)
    since: float = field(default_factory=time.monotonic)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        made = self.agent.step(state, batch, policy, now)
        time.sleep(min(_LONGEST_S, self.owed()))
        return made

    def owed(self) -> float:
        """How long to rest until the time used is within the share, in seconds."""
        owed = (time.process_time() - self.used) / self.share - (time.monotonic() - self.since)
        least = -_SAVED_S / self.share
        if owed < least:
            self.since += least - owed
        return max(0.0, owed)


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
