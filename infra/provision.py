"""The topics as they must be: made where they are missing, and checked where they are there."""

from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError, KafkaTimeoutError, TopicAlreadyExistsError, TopicAuthorizationFailedError

from infra.cluster.clients import admin_options
from infra.cluster.knocking import knock, unreachable
from infra.cluster.letters import ROOM
from infra.errors import UserError
from infra.names import FOREIGN
from infra.settings import Settings
from infra.state.changelog import changelog_topic
from streams.times import DAY
from streams.topics import DEAD_LETTERS, POLICY_VERSIONS, Topic

_CHANGELOG_RECORD: Final = 8 * 1024 * 1024
_DEFAULT_RECORD: Final = 1_000_000  # what fits into Kafka's own default of max.message.bytes
_OVERHEAD: Final = 48_576  # headers and framing of a batch
_LOOKING: Final = "DESCRIBE and DESCRIBE_CONFIGS"
_COMPACTED: Final = {
    "cleanup.policy": "compact",
    # A worker that was away for a week still learns of every deletion.
    "delete.retention.ms": str(7 * DAY),
    "min.cleanable.dirty.ratio": "0.2",
    "segment.ms": str(DAY),
    "max.compaction.lag.ms": str(7 * DAY),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A topic as it should be. `partitions` counts for making it; an existing one may have another number."""

    name: str
    partitions: int
    compacted: bool
    options: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A topic as it is."""

    partitions: int
    cleanup: str


class Wired(Protocol):
    """What an agent touches; an agent is one, and so is its line in the wiring."""

    @property
    def name(self) -> str: ...
    @property
    def reads(self) -> tuple[Topic, ...]: ...
    @property
    def watches(self) -> tuple[Topic, ...]: ...
    @property
    def emits(self) -> tuple[Topic, ...]: ...


class Admin(Protocol):
    """kafka-python's admin client, as far as it is used here."""

    def create_topics(self, new_topics: dict[str, Any], *, wait_for_metadata: bool) -> Any: ...
    def describe_topics(self, topics: Sequence[str]) -> list[dict[str, Any]]: ...
    def describe_configs(self, config_resources: list[Any], *, config_filter: str) -> dict[str, Any]: ...
    def describe_cluster(self) -> dict[str, Any]: ...
    def get_broker_version_data(self, broker_id: int) -> Any: ...
    def close(self) -> None: ...


@contextmanager
def admin(settings: Settings) -> Generator[Admin]:
    """A connection to the cluster. Raises UserError where there is none."""
    options = admin_options(settings)
    knock(settings)
    try:
        client = cast(Admin, _begun(options))
    except (KafkaTimeoutError, OSError) as error:
        raise unreachable(settings) from error
    try:
        yield client
    finally:
        client.close()


def _begun(options: dict[str, Any]) -> Any:
    """A client that is connected. One that isn't let in is closed, which it doesn't do by itself."""
    client: Any = KafkaAdminClient.__new__(KafkaAdminClient)
    try:
        client.__init__(**options)
    except BaseException:
        if hasattr(client, "_net"):
            client._client.close()  # noqa: SLF001 # there is no public way to one that never began
            client._net.stop()  # noqa: SLF001
        raise
    return client


def topics_of(agents: Iterable[Wired]) -> set[Topic]:
    """Every topic that these agents touch."""
    chosen = list(agents)
    touched = {topic for agent in chosen for topic in (*agent.reads, *agent.watches, *agent.emits)}
    return touched | {DEAD_LETTERS, POLICY_VERSIONS}


def ensure(settings: Settings, agents: Sequence[Wired]) -> list[str]:
    """Make the topics that are missing, and check all. Returns the names of those made; raises UserError."""
    with admin(settings) as client:
        wanted = _wanted(settings, agents)
        names = [*(want.name for want in wanted), *_foreign(settings, agents)]
        there = _look(client, names)
        _refuse(_absent(settings, agents, there))
        made = [want for want in wanted if want.name not in there]
        _create(client, settings, [_sized(want, settings, agents, there) for want in made])
        _refuse(problems(settings, agents, _look(client, names)))
    return [want.name for want in made]


def check(settings: Settings, agents: Sequence[Wired]) -> list[str]:
    """What is wrong with the topics, as sentences; empty where all is right. Changes nothing."""
    with admin(settings) as client:
        names = [*(want.name for want in _wanted(settings, agents)), *_foreign(settings, agents)]
        return problems(settings, agents, _look(client, names))


def problems(settings: Settings, agents: Sequence[Wired], there: dict[str, Found]) -> list[str]:
    """What is wrong with the topics as they are."""
    wanted = _wanted(settings, agents)
    said = [
        f"topic {want.name} is missing: `tradewind topics create` makes it" for want in wanted if want.name not in there
    ]
    for want in wanted:
        found = there.get(want.name)
        if found is not None and want.compacted and "compact" not in found.cleanup:
            said.append(
                f"topic {want.name} has cleanup.policy={found.cleanup} and would forget what is still in force: "
                "set it to compact"
            )
    for group in copartitioned(settings, agents):
        counts = {name: there[name].partitions for name in group if name in there}
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{name} has {count}" for name, count in sorted(counts.items()))
            said.append(
                f"these topics are read together and must have equally many partitions, but {listed}: "
                "make the smaller one anew with the larger number, or set TRADEWIND_PREFIX to use other topics"
            )
    return said + _absent(settings, agents, there) + _single(settings, agents, there)


def _foreign(settings: Settings, agents: Iterable[Wired]) -> list[str]:
    """The topics of the shop's own that are read: they are never made here."""
    return sorted(settings.topic(topic.name) for topic in topics_of(agents) if topic.name.startswith(FOREIGN))


def _absent(settings: Settings, agents: Iterable[Wired], there: dict[str, Found]) -> list[str]:
    return [
        f"topic {name} is missing, which the mapping reads from: make it, or correct {settings.mapping}"
        for name in _foreign(settings, agents)
        if name not in there
    ]


def _single(settings: Settings, agents: Sequence[Wired], there: dict[str, Found]) -> list[str]:
    return [
        f"topic {settings.topic(topic.name)} has {there[settings.topic(topic.name)].partitions} partitions and must "
        "have 1, since its reader needs the whole order: make it anew with one"
        for topic in sorted(topics_of(agents), key=str)
        if topic.single and there.get(settings.topic(topic.name), Found(partitions=1, cleanup="")).partitions != 1
    ]


def copartitioned(settings: Settings, agents: Iterable[Wired]) -> list[list[str]]:
    """The groups of topics whose partition counts must be equal: what a topic declares, what an agent reads together,
    and each agent's changelog with its inputs."""
    groups: defaultdict[str, set[str]] = defaultdict(set)
    chosen = list(agents)
    for topic in topics_of(chosen):
        if topic.copartition is not None:
            groups[topic.copartition].add(settings.topic(topic.name))
    for agent in chosen:
        key = next((topic.copartition for topic in agent.reads if topic.copartition), agent.name)
        groups[key] |= {settings.topic(topic.name) for topic in agent.reads}
        groups[key].add(changelog_topic(settings, agent.name))
    return [sorted(group) for _, group in sorted(groups.items())]


def _wanted(settings: Settings, agents: Sequence[Wired]) -> list[Wanted]:
    ours = [topic for topic in topics_of(agents) if not topic.name.startswith(FOREIGN)]
    wanted = [_want(settings, topic) for topic in sorted(ours, key=str)]
    for agent in agents:
        single = all(topic.single for topic in agent.reads)
        wanted.append(
            Wanted(
                name=changelog_topic(settings, agent.name),
                partitions=1 if single else settings.partitions,
                compacted=True,
                options=_COMPACTED | {"max.message.bytes": str(_CHANGELOG_RECORD)},
            )
        )
    return wanted


def make_compacted(client: Admin, settings: Settings, name: str) -> None:
    """Make a compacted topic of one partition. Raises UserError."""
    _create(client, settings, [Wanted(name=name, partitions=1, compacted=True, options=dict(_COMPACTED))])


def exists(client: Admin, name: str) -> bool:
    """Whether a topic is there. Raises UserError where this user may not know."""
    return bool(_look(client, [name]))


def _want(settings: Settings, topic: Topic) -> Wanted:
    options = dict(_COMPACTED) if topic.compacted else {}
    if topic is DEAD_LETTERS:
        options["max.message.bytes"] = str(ROOM)
    elif settings.max_record_bytes > _DEFAULT_RECORD:
        options["max.message.bytes"] = str(settings.max_record_bytes + _OVERHEAD)
    return Wanted(
        name=settings.topic(topic.name),
        partitions=1 if topic.single else settings.partitions,
        compacted=topic.compacted,
        options=options,
    )


def _sized(want: Wanted, settings: Settings, agents: Sequence[Wired], there: dict[str, Found]) -> Wanted:
    """A missing topic gets as many partitions as those that it must agree with already have."""
    for group in copartitioned(settings, agents):
        if want.name in group:
            counts = {there[name].partitions for name in group if name in there}
            if len(counts) == 1:
                return Wanted(name=want.name, partitions=counts.pop(), compacted=want.compacted, options=want.options)
    return want


def _create(client: Admin, settings: Settings, wanted: Sequence[Wanted]) -> None:
    if not wanted:
        return
    new = {
        want.name: {
            "num_partitions": want.partitions,
            "replication_factor": settings.replication_factor or -1,
            "configs": want.options,
        }
        for want in wanted
    }
    try:
        client.create_topics(new, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        return  # another worker that starts at the same time was faster: what it made is checked next
    except KafkaError as error:
        raise UserError(
            f"the topics can't be created: {error}. Look at TRADEWIND_REPLICATION_FACTOR, TRADEWIND_PARTITIONS and "
            "the rights of the user"
        ) from error


def _look(client: Admin, names: Sequence[str]) -> dict[str, Found]:
    found = client.describe_topics(names)
    _refuse_hidden(topic["name"] for topic in found if topic["error_code"] == TopicAuthorizationFailedError.errno)
    there = [topic for topic in found if topic["error_code"] == 0]
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic["name"]) for topic in there]
    configs: dict[str, Any] = client.describe_configs(resources, config_filter="all")["topic"] if there else {}
    # Where that isn't allowed, it comes back empty.
    _refuse_hidden(topic["name"] for topic in there if "cleanup.policy" not in configs.get(topic["name"], {}))
    return {
        topic["name"]: Found(
            partitions=len(topic["partitions"]), cleanup=str(configs[topic["name"]]["cleanup.policy"]["value"])
        )
        for topic in there
    }


def _refuse_hidden(names: Iterable[str]) -> None:
    if hidden := ", ".join(sorted(names)):
        raise UserError(f"the brokers refuse this user: grant it {_LOOKING} on topic {hidden}")


def _refuse(said: list[str]) -> None:
    if said:
        raise UserError("; ".join(said))
