"""What is measured while batches are handled: how long steps take, how old records are when they are committed.

An agent is timed from the outside, so that its step stays pure and nothing is measured where no metrics are asked for.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from time import monotonic, perf_counter, time
from typing import Final

from agents.contract import Agent, Input, State, Step
from infra.metrics.buckets import LATENCY_S, STEP_S, Buckets
from infra.metrics.quality import Quality
from infra.serving.inbox import Run
from infra.serving.throttle import Throttled
from infra.serving.wrapped import Wrapped
from policies.version import PolicyVersion

_appended_at: Final = attrgetter("timestamp")


def _steps() -> Buckets:
    return Buckets(STEP_S)


def _ages() -> Buckets:
    return Buckets(LATENCY_S)


@dataclass(slots=True)
class Observed:
    """Since the start, over all tasks of a worker. `committed` is when a task last did, by the monotonic clock."""

    steps: defaultdict[str, Buckets] = field(default_factory=lambda: defaultdict[str, Buckets](_steps))
    ages: defaultdict[str, Buckets] = field(default_factory=lambda: defaultdict[str, Buckets](_ages))
    committed: dict[tuple[str, int], float] = field(default_factory=dict[tuple[str, int], float])
    quality: Quality = field(default_factory=Quality)

    def handled(self, agent: str, partition: int, taken: Iterable[Run]) -> None:
        """Tell that these records have just been committed."""
        now = time()
        ages = self.ages[agent]
        for run in taken:
            stamps = list(map(_appended_at, run.records))
            youngest, oldest = now - max(stamps) / 1000, now - min(stamps) / 1000
            if youngest >= 0.0 and ages.together(youngest, oldest):  # as most batches are: told at once
                ages.add(now - sum(stamps) / len(stamps) / 1000, len(stamps))
            else:
                ages.add_all(max(0.0, now - at / 1000) for at in stamps)
        self.committed[agent, partition] = monotonic()


def timed(agent: Agent, observed: Observed) -> Agent:
    """The same agent, its steps measured; of one that is throttled, without its rests."""
    if isinstance(agent, Throttled):
        return replace(agent, agent=timed(agent.agent, observed))
    return Timed(agent, observed)


@dataclass(frozen=True, slots=True)
class Timed(Wrapped):
    """The agent itself: what it puts out is the same."""

    agent: Agent
    observed: Observed

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        began = perf_counter()
        made = self.agent.step(state, batch, policy, now)
        self.observed.steps[self.agent.name].add(perf_counter() - began)
        self.observed.quality.look(made.outputs)
        return made
