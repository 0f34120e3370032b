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

SESSION: Final = 10 * MINUTE  # purchases this close to the first one are one basket
NARROWER: Final = "product_type"  # a catalog attribute that is taken for the kind before the category is

Purchase = tuple[int, str, str]  # at, household, item


@dataclass(slots=True)
class Recorded:
    """Purchases as events tell them, and as orders do: the latter count only where there are none of the former."""

    purchases: list[Purchase] = field(default_factory=list[Purchase])
    ordered: list[Purchase] = field(default_factory=list[Purchase])
    kinds: dict[str, str] = field(default_factory=dict[str, str])

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
    """All that a file holds. Raises UserError, which names the line."""
    found, entrance = Recorded(), entrance_of(load())
    number = 0
    with messages(files([events])) as history, Progress() as progress:
        one_more = progress.watching(history)
        for number, each in enumerate(entered(history, entrance), start=1):
            one_more()
            if isinstance(each, Rejected):
                _check(events, each)
                continue
            try:
                found.add(each)
            except MalformedRecord as error:
                raise UserError(f"--events: {events}, message {number}: {error}") from error
    if not number:
        raise UserError(f"--events: {events} is empty: record some with `tradewind export`")
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


def _check(events: Path, rejected: Rejected) -> None:
    """A line of a topic that nobody knows is passed over; any other that is no message ends it."""
    letter: DeadLetter = decode(DEAD_LETTERS, rejected.letter.key, rejected.letter.value, rejected.letter.timestamp)[1]
    if letter.reason != "unknown-topic":
        raise UserError(
            f"--events: {events}, line {letter.offset}: {letter.reason}: {letter.detail}; a line must be as "
            'export writes it, {"topic": …, "key": …, "value": …}'
        )
