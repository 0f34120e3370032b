"""What a history says beside its decisions, read ahead of them: the versions of the policy, and items' categories."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

from agents.versions import Refused, Serving, version_of
from infra.history.message import Found, Message
from policies.version import SHIPPED, PolicyVersion
from streams.codec import MalformedRecord, decode
from streams.records import CatalogItem, PolicyVersionRecord
from streams.topics import CATALOG, POLICY_VERSIONS


@dataclass(slots=True)
class Context:
    """Versions by sha256, with what ships; the category of each item; which version the log has serve at its end."""

    versions: dict[str, PolicyVersion] = field(default_factory=lambda: {SHIPPED.sha256: SHIPPED})
    categories: dict[str, str] = field(default_factory=dict[str, str])
    serving: Serving = field(default_factory=Serving)
    unreadable: int = 0  # versions that can't be read

    def read(self, history: Iterable[Found]) -> None:
        """Go through a history once; topics other than those two are passed over."""
        for found in history:
            if isinstance(found, Message) and (found.topic is POLICY_VERSIONS or found.topic is CATALOG):
                self._take(found)

    def _take(self, message: Message) -> None:
        try:
            key, record = decode(message.topic, message.key, message.value, message.timestamp)
        except MalformedRecord:
            return
        if message.topic is CATALOG:
            item = cast(CatalogItem | None, record)
            if item is not None:
                self.categories[key] = item.category
        elif record is not None:
            self._version(cast(PolicyVersionRecord, record))

    def _version(self, record: PolicyVersionRecord) -> None:
        if record.act == "reject":
            return
        try:
            version = version_of(record)
            self.versions[version.sha256] = version
            self.serving.take(record)
        except Refused as refused:
            self.unreadable += refused.reason == "unreadable"
