"""Baskets from recorded events: purchases of one household close together, and what the catalog says of the items."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from infra.errors import UserError
from infra.history.entering import entered
from infra.history.files import files
from infra.history.message import Message, Rejected
from infra.history.progress import Progress
from infra.history.reading import messages
from infra.mapping.entrance import entrance_of
from infra.settings import load
from policies.tasks.shop import Basket
from streams.codec import MalformedRecord, decode
from streams.records import CatalogItem, DeadLetter, Order, UserEvent
from streams.times import MINUTE
from streams.topics import CATALOG, DEAD_LETTERS, ORDERS, USER_EVENTS

MOST_BAD: Final = 0.1  # of a file's records: with more of them unreadable it is another kind of file
SESSION: Final = 10 * MINUTE  # purchases this close to the first one are one basket
NARROWER: Final = "product_type"  # a catalog attribute that is taken for the kind before the category is

Purchase = tuple[int, str, str]  # at, household, item


@dataclass(slots=True)
class Recorded:
    """Purchases as events tell them, and as orders do: the latter count only where there are none of the former."""

    purchases: list[Purchase] = field(default_factory=list[Purchase])
    ordered: list[Purchase] = field(default_factory=list[Purchase])
    kinds: dict[str, str] = field(default_factory=dict[str, str])
    records: int = 0
    bad: int = 0  # of them can't be read; `first_bad` says which is the first, and why
    first_bad: str = ""

    def refuse(self, what: str) -> None:
        """Count what can't be read, and go on."""
        self.bad += 1
        self.first_bad = self.first_bad or what

    def add(self, message: Message) -> None:
        """Raises MalformedRecord."""
        if message.topic not in (USER_EVENTS, ORDERS, CATALOG):
            return
        _, record = decode(message.topic, message.key, message.value, message.timestamp)
        match record:
            case UserEvent(type="purchase", item_id=str(item)):
                self.purchases.append((int(record.occurred_at), record.user_id, item))
            case Order(user_id=str(user)):
                self.ordered += [(int(record.occurred_at), user, line.item_id) for line in record.lines]
            case CatalogItem():
                narrower = record.attributes.get(NARROWER)
                kind = narrower if isinstance(narrower, str) and narrower else record.category
                if kind:
                    self.kinds[record.item_id] = kind
            case _:
                pass

    def baskets(self) -> list[Basket]:
        """In order of their first purchase."""
        return gathered(self.purchases or self.ordered)


def recorded(events: Path) -> Recorded:
    """All that a file holds; what can't be read is counted, the first is named. Raises UserError where that is much."""
    found, entrance = Recorded(), entrance_of(load())
    with messages(files([events])) as history, Progress() as progress:
        one_more = progress.watching(history)
        for each in entered(history, entrance):
            one_more()
            found.records += 1
            if isinstance(each, Rejected):
                _reject(found, each)
                continue
            try:
                found.add(each)
            except MalformedRecord as error:
                found.refuse(f"message {found.records}: {error}")
    if not found.records:
        raise UserError(f"--events: {events} is empty: record some with `tradewind export`")
    if found.bad > MOST_BAD * found.records:
        raise UserError(
            f"--events: {events}: {found.bad:,} of {found.records:,} records can't be read, the first is "
            f"{found.first_bad}; a line must be as "
            'export writes it, {"topic": …, "key": …, "value": …}'
        )
    return found


def gathered(purchases: list[Purchase]) -> list[Basket]:
    """Purchases of a household within ten minutes of the first one are one basket; an item counts once in it."""
    baskets: list[Basket] = []
    open_: dict[str, Basket] = {}
    for at, user, item in sorted(purchases, key=lambda each: each[0]):
        basket = open_.get(user)
        if basket is None or at > basket.at + SESSION:
            basket = open_[user] = Basket(at, user, [])
            baskets.append(basket)
        basket.items.append(item)
    return [basket._replace(items=list(dict.fromkeys(basket.items))) for basket in baskets]


def _reject(found: Recorded, rejected: Rejected) -> None:
    """A line of a topic that nobody knows is passed over; any other that is no message is a bad one."""
    letter: DeadLetter = decode(DEAD_LETTERS, rejected.letter.key, rejected.letter.value, rejected.letter.timestamp)[1]
    if letter.reason != "unknown-topic":
        found.refuse(f"line {letter.offset}: {letter.reason}: {letter.detail}")
