"""Which agent a worker of the benchmark runs: the product's own, or one that does nothing but pass its input on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agents.contract import Agent, Input, Output, State, Step
from infra.replay.cast import chosen
from infra.settings import Settings
from policies.version import PolicyVersion
from streams.records import UserEvent
from streams.topics import USER_EVENTS, Topic

ECHOED: Final = Topic(name="echoed", record=UserEvent, key=lambda x: x.user_id, role="log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """An empty step: every event goes out as it came in, and nothing is remembered."""

    name: str = "echo"
    reads: tuple[Topic, ...] = (USER_EVENTS,)
    watches: tuple[Topic, ...] = ()
    emits: tuple[Topic, ...] = (ECHOED,)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:  # noqa: ARG002
        outputs = [Output(ECHOED, given.record) for given in batch]
        return Step({}, outputs, max([now, *(given.record.occurred_at for given in batch)]))


def agent_of(name: str, settings: Settings) -> Agent:
    """By its name; the echo is the benchmark's own."""
    return Echo() if name == "echo" else chosen(name, settings)[0]
