"""What each program has to be allowed on the brokers, and no more: worked out from the wiring and the settings.

READ and WRITE imply DESCRIBE, so that it is named only where neither is needed.
"""

import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from agents.wiring import FLOWS, SERVING
from infra import provision
from infra.mapping.intake import Intake, intakes
from infra.mapping.load import rules_of
from infra.marks import marks_topic
from infra.names import FOREIGN
from infra.provision import Wired
from infra.serving.app import group_of
from infra.settings import Settings
from infra.state.changelog import changelog_topic
from streams.topics import DEAD_LETTERS, ERASURES, EXPERIENCES, POLICY_VERSIONS, TOPICS, Topic

Kind = Literal["topic", "group", "transactional id"]
Operation = Literal["READ", "WRITE", "CREATE", "DESCRIBE", "DESCRIBE_CONFIGS"]
Pattern = Literal["literal", "prefixed"]

_OPTION: Final = {"topic": "--topic", "group": "--group", "transactional id": "--transactional-id"}
_SPELLED: Final = {"DESCRIBE_CONFIGS": "DescribeConfigs"}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Right:
    """One thing that is allowed; `prefixed` allows it on all whose names begin so."""

    kind: Kind
    name: str
    operation: Operation
    pattern: Pattern = "literal"


def rights(settings: Settings, component: str) -> list[Right]:
    """What a component needs, in order. Raises UserError where the mapping can't be read."""
    return sorted(_lean(COMPONENTS[component](settings)))


def worker(settings: Settings) -> Iterator[Right]:
    """All agents but the learner, and what takes in a shop's own topics."""
    taking = intakes(rules_of(settings))
    agents: list[Wired] = [*(FLOWS[name] for name in SERVING), *taking]
    usual = [agent.name for agent in agents]
    return _running(settings, agents, group_of(settings, usual, usual))


def learner(settings: Settings) -> Iterator[Right]:
    return _running(settings, [FLOWS["learner"]], group_of(settings, ["learner"], FLOWS))


def dashboard(settings: Settings) -> Iterator[Right]:
    """The page as long as nothing is changed on it: a change needs what `policies` and `forget` need too."""
    from infra.dashboard.model import READ

    for topic in READ:
        yield _on(settings, topic, "READ")
    yield Right(kind="group", name=settings.identity, operation="DESCRIBE")
    yield Right(kind="group", name=f"{settings.identity}.", operation="DESCRIBE", pattern="prefixed")


def history(settings: Settings) -> Iterator[Right]:
    """Whatever reads recorded topics: `export`, `replay`, `ope`, `tail`."""
    for topic in TOPICS:
        yield _on(settings, topic, "READ")


def dead_letters(settings: Settings) -> Iterator[Right]:
    """List and retry: letters go back where they came from, those of a shop's own topic where it leads."""
    read = {topic for flow in FLOWS.values() for topic in flow.reads if topic is not POLICY_VERSIONS}
    led = {topic for intake in intakes(rules_of(settings)) for topic in intake.emits}
    yield _on(settings, DEAD_LETTERS, "READ")
    for topic in read | led:
        yield _on(settings, topic, "WRITE")
    marks = marks_topic(settings)
    for operation in _MADE:
        yield Right(kind="topic", name=marks, operation=operation)
    yield Right(kind="topic", name=marks, operation="READ")
    yield Right(kind="topic", name=marks, operation="WRITE")
    yield Right(kind="transactional id", name=f"{settings.identity}-dead-letters", operation="WRITE")


def policies(settings: Settings) -> Iterator[Right]:
    """List, promote and roll back."""
    yield _on(settings, POLICY_VERSIONS, "READ")
    yield _on(settings, POLICY_VERSIONS, "WRITE")


def topics(settings: Settings) -> Iterator[Right]:
    """Make the topics and check them; a shop's own are only looked at."""
    agents: list[Wired] = [*FLOWS.values(), *intakes(rules_of(settings))]
    for name in _touched(settings, agents):
        for operation in _MADE:
            yield Right(kind="topic", name=name, operation=operation)
    yield from _looking(settings, agents)


def forget(settings: Settings) -> Iterator[Right]:
    """Write the request, then watch the changelogs for what becomes of it."""
    yield from _looking(settings, [FLOWS["recommendation"], FLOWS["learner"]])
    yield _on(settings, ERASURES, "WRITE")
    yield _on(settings, EXPERIENCES, "READ")
    for name in ("recommendation", "learner"):
        yield Right(kind="topic", name=changelog_topic(settings, name), operation="READ")
    from infra.privacy.keeping import NAMING_USERS

    for topic in NAMING_USERS:
        yield _on(settings, topic, "DESCRIBE")
        yield _on(settings, topic, "DESCRIBE_CONFIGS")


def doctor(settings: Settings) -> Iterator[Right]:
    """Look at the topics, and try a transaction in which nothing is written."""
    yield from _looking(settings, [*FLOWS.values(), *intakes(rules_of(settings))])
    name = f"{settings.identity}-doctor-"
    yield Right(kind="transactional id", name=name, operation="WRITE", pattern="prefixed")


COMPONENTS: Final[dict[str, Callable[[Settings], Iterable[Right]]]] = {
    "worker": worker,
    "learner": learner,
    "dashboard": dashboard,
    "history": history,
    "dead-letters": dead_letters,
    "policies": policies,
    "topics": topics,
    "forget": forget,
    "doctor": doctor,
}

_MADE: Final[tuple[Operation, ...]] = ("CREATE", "DESCRIBE", "DESCRIBE_CONFIGS")


def command(right: Right, principal: str, server: str) -> str:
    """The line for Kafka's own tool that grants it.

    >>> command(Right(kind="group", name="tradewind", operation="READ"), "User:worker", "kafka:9092")
    'kafka-acls.sh --bootstrap-server kafka:9092 --add --allow-principal User:worker --operation Read --group tradewind'
    """
    spelled = _SPELLED.get(right.operation, right.operation.capitalize())
    words = [*("kafka-acls.sh", "--bootstrap-server", server, "--add", "--allow-principal", principal)]
    words += ["--operation", spelled, _OPTION[right.kind], right.name]
    if right.pattern == "prefixed":
        words += ["--resource-pattern-type", "prefixed"]
    return shlex.join(words)


def row(right: Right, principal: str) -> dict[str, Any]:
    """The same as data, in the words of Kafka's protocol."""
    return {
        "principal": principal,
        "operation": right.operation,
        "resource_type": right.kind.upper().replace(" ", "_"),
        "resource_name": right.name,
        "pattern_type": right.pattern.upper(),
        "permission": "ALLOW",
        "host": "*",
    }


def _running(settings: Settings, agents: list[Wired], group: str) -> Iterator[Right]:
    yield from _looking(settings, agents)
    yield _on(settings, POLICY_VERSIONS, "READ")
    yield _on(settings, DEAD_LETTERS, "WRITE")
    yield Right(kind="group", name=group, operation="READ")
    for agent in agents:
        for topic in (*agent.reads, *agent.watches):
            yield _on(settings, topic, "READ")
        for topic in agent.emits:
            yield _on(settings, topic, "WRITE")
        changelog = changelog_topic(settings, agent.name)
        yield Right(kind="topic", name=changelog, operation="READ")
        yield Right(kind="topic", name=changelog, operation="WRITE")
        # One for each partition, however many there will be.
        name = f"{settings.identity}-{agent.name}-"
        yield Right(kind="transactional id", name=name, operation="WRITE", pattern="prefixed")


def _looking(settings: Settings, agents: Iterable[Wired]) -> Iterator[Right]:
    """Every start checks the topics first."""
    chosen = list(agents)
    sources = {settings.topic(topic.name) for agent in chosen if isinstance(agent, Intake) for topic in agent.reads}
    for name in {*_touched(settings, chosen), *sources}:
        yield Right(kind="topic", name=name, operation="DESCRIBE")
        yield Right(kind="topic", name=name, operation="DESCRIBE_CONFIGS")


def _touched(settings: Settings, agents: Iterable[Wired]) -> set[str]:
    """The topics of ours that these agents touch, and their changelogs."""
    chosen = list(agents)
    ours = {topic for topic in provision.topics_of(chosen) if not topic.name.startswith(FOREIGN)}
    return {settings.topic(topic.name) for topic in ours} | {changelog_topic(settings, one.name) for one in chosen}


def _on(settings: Settings, topic: Topic, operation: Operation) -> Right:
    return Right(kind="topic", name=settings.topic(topic.name), operation=operation)


def _lean(given: Iterable[Right]) -> set[Right]:
    """Each once, without what another implies."""
    found = set(given)
    implying = {(one.kind, one.name, one.pattern) for one in found if one.operation in {"READ", "WRITE"}}
    return {one for one in found if one.operation != "DESCRIBE" or (one.kind, one.name, one.pattern) not in implying}
