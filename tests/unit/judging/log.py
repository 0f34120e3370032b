"""A small decision log, made by the agents' own steps on the shop of `tests/contract/world.py`. No Kafka."""

from collections.abc import Sequence
from random import Random
from typing import Any

from agents.contract import Agent, Input, State
from agents.wiring import AgentOptions, build
from infra.history.message import Message
from policies.experiments import NONE, Experiments
from policies.version import SHIPPED, PolicyVersion
from streams import topics as t
from streams.codec import encode
from streams.times import DAY, HOUR
from tests.contract import world

OPTIONS = AgentOptions(refresh_interval_ms=HOUR, attribution_window_ms=DAY, review_ms=DAY)
TICK = 10  # ms of the log between two inputs
LOGGED = world.START + 60 * DAY  # when the log begins: no event is ahead of it
STREAMS = {
    "recommendation": world.user_events,
    "bidding": world.ads,
    "replenishment": world.supply,
    "pricing": world.prices,
}


def agent_of(name: str) -> Agent:
    return build(name, OPTIONS)


def outputs(
    name: str,
    inputs: Sequence[Input],
    policy: PolicyVersion = SHIPPED,
    batch: int = 50,
    experiments: Experiments = NONE,
) -> list[Message]:
    """What an agent puts out, in order, as it would lie in the log."""
    entries: dict[str, bytes] = {}
    made: list[Message] = []
    agent, now, views = agent_of(name), 0, world.views()
    for start in range(0, len(inputs), batch):
        state = State(entries, views, experiments=experiments)
        step = agent.step(state, inputs[start : start + batch], policy, now)
        now = step.now
        for key, raw in step.writes.items():
            if raw is None:
                entries.pop(key, None)
            else:
                entries[key] = raw
        at = TICK * min(start + batch, len(inputs))  # after the last input of the batch, and before the next
        made += [message(put.topic, put.record, len(made) + n, at - 1) for n, put in enumerate(step.outputs)]
    return made


def log(name: str, count: int = 300, seed: int = 7, policy: PolicyVersion = SHIPPED) -> list[Message]:
    """The decisions and outcomes of one agent."""
    made = outputs(name, STREAMS[name](Random(seed), count), policy)
    return [one for one in made if one.topic in (t.DECISIONS, t.OUTCOMES)]


def logged(inputs: Sequence[Input]) -> list[Message]:
    """Inputs as they lie in the log, in this order."""
    return [message(given.topic, given.record, given.offset, TICK * n) for n, given in enumerate(inputs)]


def message(topic: t.Topic, record: Any, offset: int, at: int = 0) -> Message:
    return Message(topic, topic.key(record).encode(), encode(record), LOGGED + at, 0, offset)
