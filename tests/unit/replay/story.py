"""Agents that are small enough to know what they must do, and what happens to them."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from agents.contract import Draft, Input, Output, State, Step
from agents.fold import Clock
from agents.versions import record_of
from infra.history.files import files
from infra.history.lines import write
from infra.history.message import Found, Message
from infra.history.reading import messages
from policies.version import PolicyVersion
from streams.codec import encode
from streams.records import CatalogItem, ItemActivity, PolicyVersionRecord, Recommendation, ScoredItem, UserEvent
from streams.times import EventTime
from streams.topics import CATALOG, ITEM_ACTIVITY, POLICY_VERSIONS, RECOMMENDATIONS, USER_EVENTS, Topic

AT = 1_483_272_000_000


@dataclass(frozen=True)
class Echo:
    """Answers a request with what the catalog holds, and passes every item on; counts events in its entries."""

    name: str = "echo"
    reads: tuple[Topic, ...] = (USER_EVENTS,)
    watches: tuple[Topic, ...] = (CATALOG,)
    emits: tuple[Topic, ...] = (RECOMMENDATIONS, ITEM_ACTIVITY)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        draft = Draft(state.entries)
        clock = draft.edit("events", Clock)
        made: list[Output] = []
        for one in batch:
            clock.now += 1
            event: UserEvent = one.record
            now = max(now, event.occurred_at)
            if event.type == "request":
                made.append(Output(RECOMMENDATIONS, slate(event, sorted(state.views.catalog), policy, clock.now)))
            elif event.item_id is not None:
                made.append(Output(ITEM_ACTIVITY, activity(event)))
        return Step(draft.writes(), made, now, {"nothing to do": sum(not one.record.item_id for one in batch)})


@dataclass(frozen=True)
class Promoter:
    """Publishes a new policy version for every item activity; the second one with a hash that is wrong."""

    name: str = "promoter"
    reads: tuple[Topic, ...] = (ITEM_ACTIVITY,)
    watches: tuple[Topic, ...] = ()
    emits: tuple[Topic, ...] = (POLICY_VERSIONS,)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        draft = Draft(state.entries)
        made = [version(policy, broken=policy.number == 1) for _ in batch]
        return Step(draft.writes(), [Output(POLICY_VERSIONS, one) for one in made], now)


def slate(event: UserEvent, items: list[str], policy: PolicyVersion, seen: int) -> Recommendation:
    return Recommendation(
        decision_id=f"d-{event.event_id}-{seen}",
        event_id=event.event_id,
        user_id=event.user_id,
        placement="home",
        items=[ScoredItem(item_id=item, score=1.0) for item in items],
        policy_version=policy.number,
        decided_at=int(event.occurred_at),
    )


def activity(event: UserEvent) -> ItemActivity:
    item = event.item_id or ""
    return ItemActivity(event_id=event.event_id, item_id=item, type=event.type, occurred_at=event.occurred_at)


def version(policy: PolicyVersion, *, broken: bool) -> PolicyVersionRecord:
    priors = {"bidding": {"log_mu": 0.1 * (policy.number + 1)}}
    made = PolicyVersion(number=policy.number + 1, parent=policy.number, parent_sha256=policy.sha256, priors=priors)
    record = record_of(made, "publish", by="promoter", at=AT)
    return replace(record, sha256="0" * 64) if broken else record


def told(topic: Topic, record: Any, *, at: int = AT * 2) -> Message:
    return Message(topic, topic.key(record).encode(), encode(record), at)


def event(number: int, kind: Any = "request", item: str | None = None) -> Message:
    made = UserEvent(
        event_id=f"e{number}", user_id=f"u{number % 3}", type=kind, occurred_at=EventTime(AT + number), item_id=item
    )
    return told(USER_EVENTS, made)


def item(name: str) -> Message:
    return told(CATALOG, CatalogItem(item_id=name, category="c"))


def records(messages: list[Message], topic: Topic) -> list[Any]:
    return [json.loads(message.value or b"null") for message in messages if message.topic is topic]


def saved(path: Path, *lines: bytes | Message) -> Path:
    raw = b"".join(write(line) if isinstance(line, Message) else line for line in lines)
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def read(path: Path) -> list[Found]:
    with messages(files([path])) as found:
        return list(found)


def contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}
