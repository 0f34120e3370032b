"""The reference job's input, made once from real baskets and kept; the same bytes every time.

600 households of the Complete Journey. What they bought in the first 60% of the year makes the item statistics; what
they do after it is the input: a request for a slate a minute before each basket, and then its purchases.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from agents.wiring import AgentOptions, build
from infra.demo.cache import load
from infra.demo.journey import Journey, Subset
from infra.demo.shelf import Shelf
from infra.demo.till import Till
from infra.history.message import Message
from infra.replay.in_process import InProcess
from streams.codec import encode
from streams.records import UserEvent
from streams.times import DAY
from streams.topics import ITEM_STATS, USER_EVENTS
from tests.benchmarks.engine.job import Job, Pair

SUBSET: Final = Subset(households=600)
CUT: Final = 0.6  # of the span
_BATCH: Final = 1_000


def prepared(folder: Path) -> Job:
    """The job's files, made now unless they are there."""
    job = Job.at(folder)
    if not job.item_stats.exists():  # the last one made
        folder.mkdir(parents=True, exist_ok=True)
        _make(job, load(SUBSET))
    return job


def events_of(journey: Journey) -> list[UserEvent]:
    """All that the households do, in order of time. Nobody has seen a slate: there are no clicks."""
    till = Till(journey, Shelf())
    found: list[UserEvent] = []
    for basket in range(len(journey.at)):
        found.append(till.ask(basket))
        found += till.ring_up(basket, None).events
    return sorted(found, key=lambda event: event.occurred_at)


def _make(job: Job, journey: Journey) -> None:
    events = events_of(journey)
    first, last = int(events[0].occurred_at), int(events[-1].occurred_at)
    cut = first + CUT * (last - first)
    _write(job.events, ((event.user_id.encode(), encode(event)) for event in events if event.occurred_at >= cut))
    _write(job.catalog, ((item.item_id.encode(), encode(item)) for item in journey.catalog_items()))
    _write(job.item_stats, statistics(event for event in events if event.occurred_at < cut and event.type != "request"))


def statistics(events: Iterable[UserEvent]) -> list[Pair]:
    """The item statistics in force after these events, as the product's own agents make them."""
    options = AgentOptions(refresh_interval_ms=3_650 * DAY, attribution_window_ms=DAY, review_ms=DAY)
    play = InProcess([build("recommendation", options), build("items", options)])
    latest: dict[bytes, bytes] = {}
    for batch in _batches(events):
        for made in play.feed(batch):
            if made.topic is ITEM_STATS and made.key is not None and made.value is not None:
                latest[made.key] = made.value
    return list(latest.items())


def _batches(events: Iterable[UserEvent]) -> Iterator[list[Message]]:
    batch: list[Message] = []
    for event in events:
        batch.append(Message(USER_EVENTS, event.user_id.encode(), encode(event), int(event.occurred_at)))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


def _write(path: Path, messages: Iterable[Pair]) -> None:
    """Whole or not at all."""
    part = path.with_suffix(".part")
    part.write_bytes(b"".join(b"%b\t%b\n" % pair for pair in messages))
    part.replace(path)
