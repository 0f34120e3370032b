"""Which topics hold records that name a user, and how long the brokers keep them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from kafka.admin import ConfigResource, ConfigResourceType

from infra import provision
from infra.settings import Settings
from infra.state.changelog import changelog_topic
from streams.times import DAY, HOUR, MINUTE, SECOND
from streams.topics import (
    DEAD_LETTERS,
    DECISIONS,
    ERASURES,
    EXPERIENCES,
    ORDERS,
    OUTCOMES,
    RECOMMENDATIONS,
    USER_EVENTS,
    Topic,
)

# Appended to, never rewritten. Orders may name their user; a dead letter may hold the bytes of an event that did.
NAMING_USERS: Final[tuple[Topic, ...]] = (
    USER_EVENTS,
    ERASURES,
    ORDERS,
    RECOMMENDATIONS,
    DECISIONS,
    OUTCOMES,
    EXPERIENCES,
    DEAD_LETTERS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How long one topic keeps a record, or, where it is compacted, what was overwritten or removed."""

    topic: str
    how_long: str


def retention(settings: Settings) -> list[Kept]:
    """The topics whose records name users, with what their own settings say. Those that aren't there are left out."""
    there = _configs(settings, [settings.topic(topic.name) for topic in NAMING_USERS])
    return [Kept(topic=name, how_long=kept_for(config)) for name, config in there.items()]


def compaction(settings: Settings) -> list[Kept]:
    """The changelogs that held the user's entries: how long old values may stay on the brokers' disks."""
    there = _configs(settings, [changelog_topic(settings, agent) for agent in ("recommendation", "learner")])
    return [Kept(topic=name, how_long=_compacted_after(config)) for name, config in there.items()]


def _configs(settings: Settings, names: Sequence[str]) -> dict[str, dict[str, str]]:
    with provision.admin(settings) as client:
        there = {topic["name"] for topic in client.describe_topics(names) if topic["error_code"] == 0}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names if name in there]
        found: dict[str, Any] = client.describe_configs(resources, config_filter="all")["topic"] if there else {}
    return {name: {key: str(row["value"]) for key, row in found[name].items()} for name in names if name in found}


def kept_for(config: dict[str, str]) -> str:
    """How long a topic with these settings keeps a record.

    >>> kept_for({"cleanup.policy": "delete", "retention.ms": "604800000", "retention.bytes": "-1"})
    '7 days, then until its segment is deleted'
    >>> kept_for({"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "1000000"})
    'for ever, by retention.ms, or until a partition is over 1,000,000 bytes'
    """
    if "delete" not in config["cleanup.policy"]:
        return "for ever: its cleanup.policy is compact"
    kept = int(config["retention.ms"])
    text = "for ever, by retention.ms" if kept < 0 else f"{duration(kept)}, then until its segment is deleted"
    limit = int(config["retention.bytes"])
    return text if limit < 0 else f"{text}, or until a partition is over {limit:,} bytes"


def _compacted_after(config: dict[str, str]) -> str:
    dirty, tombstone = int(config["max.compaction.lag.ms"]), int(config["delete.retention.ms"])
    lag = "when the cleaner gets to it" if dirty > 1000 * 365 * DAY else f"within {duration(dirty)}"
    return f"old values go {lag}, the tombstones {duration(tombstone)} later"


def duration(ms: int) -> str:
    """A time span in its largest whole unit.

    >>> duration(604_800_000), duration(90_000), duration(1)
    ('7 days', '90 s', '1 ms')
    """
    for size, name in ((DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes"), (SECOND, "s")):
        if ms >= size and ms % size == 0:
            return f"{ms // size:,} {name if ms != size or name == 's' else name.removesuffix('s')}"
    return f"{ms:,} ms"
