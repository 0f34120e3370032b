"""A drawn shop as a log: its records in order of time with slates asked for, and what live agents put out over it.

A slate of ten is asked for where a visit begins and, in shops that tell what users look at, again before the first
purchase. Nobody sees the slates, so the same purchases come whatever serves.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Final, NamedTuple

from agents.contract import Agent
from agents.wiring import AgentOptions, build
from infra.evaluate.tastes import catalog_of
from infra.history.message import Message
from infra.replay.in_process import InProcess
from policies.tasks.shop import Basket, ShopTask
from policies.tasks.shop import baskets as baskets_of
from policies.tasks.tastes import MINUTE, TasteShop, Touch, touches
from policies.version import SHIPPED, PolicyVersion
from streams.codec import encode
from streams.records import CatalogItem, UserEvent
from streams.times import DAY, EventTime
from streams.topics import CATALOG, USER_EVENTS

K: Final = 10  # items of a slate
FEW: Final = 5  # purchases up to which an item is new
COLD: Final = 2  # visits up to which a user is cold
_LEAST, _MOST = 200, 6_000  # touches of a drawn shop: one that has fewer or more is passed over
_WARM: Final = 0.3  # of a log's span in which nothing is asked
_BATCH: Final = 50


class Question(NamedTuple):
    """A slate asked for, what was bought then, and which of that was new."""

    event_id: str
    wanted: tuple[str, ...]
    new: tuple[str, ...]
    where: tuple[str, ...]


class Log(NamedTuple):
    """A shop's records in order of time, and what is asked of them."""

    catalog: list[tuple[int, CatalogItem]]  # epoch ms it was listed
    events: list[UserEvent]
    questions: list[Question]


def log_of(shop: TasteShop) -> Log | None:
    """The log of a drawn shop; None where it is too small or too large."""
    told = touches(shop)
    if not _LEAST < len(told) <= _MOST:
        return None
    events: list[UserEvent] = []
    questions: list[Question] = []
    sold, visits = Counter[int](), Counter[str]()
    begins = told[0].at + _WARM * (told[-1].at - told[0].at)
    for visit, of in groupby(sorted(told, key=lambda one: (one.visit, one.at)), key=lambda one: one.visit):
        touched = list(of)
        bought = [one for one in touched if one.kind == "purchase"]
        user = touched[0].user
        visits[user] += 1
        if bought and touched[0].at >= begins:
            wanted = tuple(f"i{one.item}" for one in bought)
            new = tuple(f"i{one.item}" for one in bought if sold[one.item] < FEW)
            cold = ("cold",) if visits[user] <= COLD else ()
            for name, at in (("begins", touched[0].at), ("within", bought[0].at)):
                events.append(_asked(f"{name}-{visit}", user, at - 1))
                questions.append(
                    Question(f"{name}-{visit}", wanted, new, (name, *(f"{name}, {each}" for each in cold)))
                )
        events += [_event(shop, one, place) for place, one in enumerate(touched)]
        sold.update(one.item for one in bought)
    listed = [(int(shop.listed[row]), item) for row, item in enumerate(catalog_of(shop))]
    return Log(sorted(listed, key=lambda one: one[0]), sorted(events, key=lambda one: one.occurred_at), questions)


def basket_log(task: ShopTask, seed: int) -> Log | None:
    """The log of a shop that tells baskets alone, of its first so many purchases; None where it is too small."""
    told: list[Basket] = []
    lines = 0
    for basket in baskets_of(task, seed):
        lines += len(basket.items)
        if lines > _MOST:
            break
        told.append(basket)
    if sum(len(one.items) for one in told) <= _LEAST:
        return None
    begins = told[0].at + _WARM * (told[-1].at - told[0].at)
    events: list[UserEvent] = []
    questions: list[Question] = []
    sold = Counter[str]()
    for number, (at, user, items) in enumerate(told):
        if at >= begins:
            events.append(_asked(f"begins-{number}", user, at - 1))
            new = tuple(item for item in items if sold[item] < FEW)
            questions.append(Question(f"begins-{number}", tuple(items), new, ("begins",)))
        events += [
            UserEvent(
                event_id=f"{number}-{place}",
                user_id=user,
                type="purchase",
                occurred_at=EventTime(at + place * MINUTE // 10),
                item_id=item,
            )
            for place, item in enumerate(items)
        ]
        sold.update(items)
    listed = [f"i{item}" for item in range(task.items)]
    catalog = [(told[0].at - 1, CatalogItem(item_id=item, category=task.kind_of(item))) for item in listed]
    return Log(catalog, sorted(events, key=lambda one: one.occurred_at), questions)


def _asked(name: str, user: str, at: int) -> UserEvent:
    return UserEvent(event_id=name, user_id=user, type="request", occurred_at=EventTime(at), slate_size=K)


def _event(shop: TasteShop, one: Touch, place: int) -> UserEvent:
    return UserEvent(
        event_id=f"{one.visit}-{place}",
        user_id=one.user,
        type=one.kind,
        occurred_at=EventTime(one.at),
        item_id=f"i{one.item}",
        price=round(float(shop.price[one.item]), 2),
    )


def played(log: Log, *, policy: PolicyVersion = SHIPPED, learner: Agent | None = None) -> Iterator[Message]:
    """All that the live agents put out over a log; with the `learner`, its versions too: each serves from then on."""
    options = AgentOptions(refresh_interval_ms=3_650 * DAY, attribution_window_ms=DAY, review_ms=DAY)
    agents = [build("recommendation", options), build("items", options), *([learner] if learner is not None else [])]
    play = InProcess(agents, policy)
    for batch in _batches(log):
        yield from play.feed(batch)


def _batches(log: Log) -> Iterator[list[Message]]:
    """The catalog as far as it was there from the start, and then all in order of time."""
    listed = [Message(CATALOG, item.item_id.encode(), encode(item), at) for at, item in log.catalog]
    heard = [
        Message(USER_EVENTS, event.user_id.encode(), encode(event), int(event.occurred_at)) for event in log.events
    ]
    opens = listed[0].timestamp
    yield [one for one in listed if one.timestamp <= opens]
    rest = sorted([*(one for one in listed if one.timestamp > opens), *heard], key=lambda message: message.timestamp)
    for begin in range(0, len(rest), _BATCH):
        yield rest[begin : begin + _BATCH]
