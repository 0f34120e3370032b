"""Where a shop's bytes become our records: by its mapping where one is set, else by the codec alone.

Here users lose their own ids too, where the settings ask for it: what lies behind knows pseudonyms only.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from infra.cluster.clients import Bare
from infra.mapping.fields import Left
from infra.mapping.load import rules_of
from infra.mapping.paths import Scope
from infra.mapping.rules import Rule, Rules, arrived, first, spread
from infra.names import FOREIGN
from infra.privacy.pseudonyms import NAMING, Pseudonyms, pseudonyms
from infra.settings import Settings
from streams.codec import decode, decode_key
from streams.topics import Topic

Read = Callable[[int, Bare], tuple[str, Any]]  # partition, message → key, record; raises MalformedRecord, Left


class Original(NamedTuple):
    """A message as it lay in its log."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Mapped:
    """All that one message of a shop's own topic has become."""

    __slots__ = ("made",)

    def __init__(self, made: list[tuple[Topic, Any]]) -> None:
        self.made = made

    @property
    def event_ids(self) -> list[str]:
        """The ids of the records: what traces are handed on by."""
        names = ("event_id", "order_id", "decision_id")
        found = [getattr(record, name, None) for _, record in self.made for name in names]
        return [one for one in found if isinstance(one, str)]


@dataclass(frozen=True, slots=True)
class Entrance:
    """How each topic's messages are read."""

    rules: Rules = field(default_factory=Rules)
    users: Pseudonyms | None = None

    def of(self, topic: Topic) -> Read | None:
        """What reads this topic; None where it is the codec by itself."""
        if topic.name.startswith(FOREIGN):
            return _spreading(topic, self.rules.sources[topic.name.removeprefix(FOREIGN)])
        rules = self.rules.edge.get(topic.name)
        read = None if rules is None else _mapping(topic, rules)
        return read if self.users is None or topic.name not in NAMING else _pseudonymous(topic, read, self.users)


PLAIN: Final = Entrance()  # every message is one of our records already


def entrance_of(settings: Settings) -> Entrance:
    """As the settings have it. Raises UserError."""
    return Entrance(rules_of(settings), pseudonyms(settings))


def _pseudonymous(topic: Topic, inner: Read | None, users: Pseudonyms) -> Read:
    """What `inner` reads (the codec where it is None), its user under a pseudonym. The key was compared before."""

    def read(partition: int, raw: Bare) -> tuple[str, Any]:
        found = decode(topic, raw.key, raw.value, raw.timestamp) if inner is None else inner(partition, raw)
        return users.enter(topic, *found)

    return read


def _mapping(topic: Topic, rules: tuple[Rule, ...]) -> Read:
    def read(partition: int, raw: Bare) -> tuple[str, Any]:
        if raw.value is None:
            return decode(topic, raw.key, None, raw.timestamp)
        place = f"{topic.name}-{partition}-{raw.offset}"
        message = arrived(topic.name, raw.key, raw.value, raw.timestamp, place, raw.headers)
        scope = Scope(message.root, message)
        rule = first(rules, scope)
        if rule is None:
            raise Left
        key = None if rule.trusts_key else decode_key(topic, raw.key)
        record = rule.make(scope, key, raw.timestamp)[0]
        return topic.key(record), record

    return read


def _spreading(topic: Topic, rules: dict[str, tuple[Rule, ...]]) -> Read:
    name = topic.name.removeprefix(FOREIGN)

    def read(partition: int, raw: Bare) -> tuple[str, Any]:
        if raw.value is None:
            raise Left  # what a deletion of the shop's means, no rule can say
        message = arrived(name, raw.key, raw.value, raw.timestamp, f"{name}-{partition}-{raw.offset}", raw.headers)
        made = spread(rules, message)
        if not made:
            raise Left
        return name, Mapped(made)

    return read
