"""What the dashboard knows: fed with every message that a reader of the topics sees. No client, no page, no clock.

Memory is bounded on any length: counts by second go back five minutes, every table has a size, and what is beyond it
is forgotten. What is kept of a user goes with their erasure.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from infra.dashboard.ads import Ads
from infra.dashboard.baskets import Baskets
from infra.dashboard.entities import Entities, Head
from infra.dashboard.letters import Letters
from infra.dashboard.rings import Ring
from infra.dashboard.shelves import Shelves
from infra.dashboard.versions import Versions
from infra.dashboard.waits import Waits
from infra.mapping.entrance import PLAIN, Entrance, Original, Read
from infra.mapping.fields import Left
from infra.measures.recent import Recent
from policies.experiments import SHADOW
from streams.codec import MalformedRecord, decode
from streams.records import (
    AdEvent,
    BidAdjustment,
    Campaign,
    CatalogItem,
    DeadLetter,
    Erasure,
    Order,
    Outcome,
    PolicyVersionRecord,
    Recommendation,
    ReplenishmentOrder,
    StockUpdate,
    UserEvent,
)
from streams.topics import CAMPAIGNS, CATALOG, DECISIONS, POLICY_VERSIONS, RECOMMENDATIONS, TOPICS, Topic

WHOLE: Final = (CATALOG, CAMPAIGNS, POLICY_VERSIONS)  # read from their beginning, wherever the others start
READ: Final = tuple(topic for topic in TOPICS if topic.role != "internal")
ACTIONS: Final = tuple(topic for topic in TOPICS if topic.role == "action")
INPUTS: Final = tuple(topic for topic in READ if topic.role == "input")

_REMEMBERED: Final = 100_000  # event ids by which a second copy is known
_NAMED: Final = 100_000  # items whose category is kept
_head: Final = msgspec.json.Decoder(Head)


class Place(NamedTuple):
    """Where a message lay, and what lay beside it: what a mapping may ask for."""

    partition: int = 0
    offset: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


NOWHERE: Final = Place()


@dataclass(slots=True)
class Model:
    """Feed `observe` in the order in which messages were read."""

    entrance: Entrance = PLAIN  # how workers read what comes in, as the settings say
    totals: Counter[str] = field(default_factory=Counter[str])
    rings: dict[str, Ring] = field(default_factory=lambda: {topic.name: Ring() for topic in READ})
    newest: dict[str, int] = field(default_factory=dict[str, int])  # by topic: the log's time of its last message
    unreadable: int = 0
    duplicates: int = 0
    now: int = 0  # event time, the greatest seen in what came in
    waits: Waits = field(default_factory=Waits)
    letters: Letters = field(default_factory=Letters)
    baskets: Baskets = field(default_factory=Baskets)
    ads: Ads = field(default_factory=Ads)
    shelves: Shelves = field(default_factory=Shelves)
    entities: Entities = field(default_factory=Entities)
    versions: Versions = field(default_factory=Versions)
    categories: dict[str, str] = field(default_factory=dict[str, str])
    _readers: dict[Topic, Read] = field(init=False)  # of the topics that the codec doesn't read by itself
    _seen: Recent[None] = field(default_factory=lambda: Recent[None](_REMEMBERED))

    def __post_init__(self) -> None:
        self._readers = {topic: read for topic in READ if (read := self.entrance.of(topic)) is not None}

    def observe(
        self,
        topic: Topic,
        key: bytes | None,
        value: bytes | None,
        logged_at: int,
        received: int,
        place: Place = NOWHERE,
    ) -> None:
        """Take in one message: `logged_at` is the log's own time, `received` when it was readable; epoch ms.

        What can't be read is counted, not raised: the worker sends it to dead letters.
        """
        self.totals[topic.name] += 1
        self.rings[topic.name].add(logged_at)
        self.newest[topic.name] = max(logged_at, self.newest.get(topic.name, 0))
        try:
            if topic is DECISIONS and value:
                self._decided(value, received)
            else:
                read = self._readers.get(topic)
                if read is None:
                    name, record = decode(topic, key, value, logged_at)
                else:
                    original = Original(place.offset, logged_at, key, value, place.headers)
                    name, record = read(place.partition, original)
                if topic is RECOMMENDATIONS and value:
                    self.entities.sent(name, value)
                self._take(name, record, topic, logged_at, received)
        except Left:
            pass  # as the mapping says
        except (MalformedRecord, msgspec.DecodeError, UnicodeDecodeError):
            self.unreadable += 1

    def _decided(self, raw: bytes, received: int) -> None:
        head = _head.decode(raw)
        if head.arm.startswith(SHADOW):
            return  # nothing was done about it
        self.entities.decided(head, raw)
        if head.domain == "bidding" and head.event_ids:
            self.waits.answered(f"ad/{head.event_ids[0]}", received)

    def _take(self, name: str, record: Any, topic: Topic, logged_at: int, received: int) -> None:
        if topic.role == "action":
            self._acted(record, received)
        elif topic.role == "log":
            self._told(record, logged_at)
        elif topic.compacted:
            self._announced(name, record, topic)
        elif self._is_new(record):
            self.now = max(self.now, int(record.occurred_at))
            self._came_in(record, logged_at)
        else:
            self.duplicates += 1

    def _acted(self, record: Recommendation | BidAdjustment | ReplenishmentOrder, received: int) -> None:
        match record:
            case Recommendation():
                self.baskets.slate(record)
                self.waits.answered(record.event_id, received)
            case BidAdjustment():
                self.ads.adjusted(record)
            case ReplenishmentOrder():
                self.shelves.ordered(record)

    def _told(self, record: Outcome | DeadLetter | PolicyVersionRecord | None, logged_at: int) -> None:
        match record:
            case Outcome():
                self.entities.came_of(record)
            case DeadLetter():
                self.letters.add(record, logged_at)
            case PolicyVersionRecord():
                self.versions.add(record)
            case None:
                pass

    def _announced(self, name: str, record: CatalogItem | Campaign | None, topic: Topic) -> None:
        if topic is CAMPAIGNS and not isinstance(record, CatalogItem):
            self.ads.plan(name, record)
        elif record is None:
            self.categories.pop(name, None)
        elif isinstance(record, CatalogItem) and (name in self.categories or len(self.categories) < _NAMED):
            self.categories[name] = record.category

    def _came_in(self, record: UserEvent | AdEvent | Order | StockUpdate | Erasure, logged_at: int) -> None:
        match record:
            case UserEvent():
                self.waits.asked(record.event_id, logged_at)
                self.baskets.event(record)
            case AdEvent():
                self.waits.asked(f"ad/{record.event_id}", logged_at)
                self.ads.event(record)
            case Order():
                self.shelves.order(record)
            case StockUpdate():
                self.shelves.update(record)
            case Erasure():
                self.entities.forget(record.user_id)
                self.baskets.forget(record.user_id)

    def _is_new(self, record: Any) -> bool:
        named = getattr(record, "event_id", None) or getattr(record, "order_id", None)
        return named is None or self._seen.put(f"{type(record).__name__}/{named}", None)
