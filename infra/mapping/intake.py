"""The agents that read a shop's own topics and put our records on ours, keyed as we key them. Stateless."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.contract import Input, Output, State, Step
from agents.wiring import FLOWS, Flow
from infra.mapping.entrance import Mapped
from infra.mapping.load import rules_of
from infra.mapping.rules import Rules, foreign
from infra.settings import Settings
from policies.version import PolicyVersion
from streams.topics import BY_NAME, Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """One topic of the shop's, whose messages become records of ours: `made` by the entrance, put out here."""

    name: str
    reads: tuple[Topic, ...]
    emits: tuple[Topic, ...]
    watches: tuple[Topic, ...] = field(default=())

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:  # noqa: ARG002 # the contract's
        outputs: list[Output] = []
        for given in batch:
            mapped: Mapped = given.record
            for topic, record in mapped.made:
                now = max(now, getattr(record, "occurred_at", now))
                outputs.append(Output(topic, record))
        return Step({}, outputs, now)


def intakes(rules: Rules) -> list[Intake]:
    """One for each topic that the mapping reads from."""
    return [
        Intake(name=f"intake-{source}", reads=(_topic(source),), emits=tuple(BY_NAME[to] for to in sorted(by_topic)))
        for source, by_topic in sorted(rules.sources.items())
    ]


def wired(settings: Settings) -> list[Flow | Intake]:
    """All that touches topics: the agents' flows, and what takes in a shop's own topics. Raises UserError."""
    return [*FLOWS.values(), *intakes(rules_of(settings))]


def _topic(source: str) -> Topic:
    return Topic(name=foreign(source), record=Mapped, key=_place, role="input")


def _place(record: object) -> str:
    return str(record)
