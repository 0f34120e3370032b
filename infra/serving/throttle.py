"""An agent that leaves the processor to others: it rests after its steps, so that its process keeps to a share."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from agents.contract import Agent, Input, State, Step
from infra.serving.wrapped import Wrapped
from policies.version import PolicyVersion

_LONGEST_S: Final = 1.0  # one rest: the group must hear from this process; what is owed beyond it follows later steps
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
