"""What an event costs with a thousand, a hundred thousand and a million users: the step and the state, in this process.

Each visit is given to a user drawn evenly, which is the worst for whatever keeps the latest at hand. Stores are filled
with real entries under made-up names first; then the three sizes take turns, and time goes on from turn to turn.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from msgspec.structs import replace

from agents.contract import Agent, Input
from infra.serving import tuning
from infra.settings import Settings
from infra.state.changelog import changelog_topic
from infra.state.hot import Hot
from infra.state.memory import Memory
from policies.version import SHIPPED
from streams.records import UserEvent
from streams.times import EventTime
from streams.topics import Topic
from tests.benchmarks.engine import place
from tests.benchmarks.engine.agents import agent_of
from tests.benchmarks.engine.bench import Bench, Findings, say
from tests.benchmarks.engine.job import pairs
from tests.benchmarks.engine.profiles import USER, inputs, real_entries, shared_views
from tests.benchmarks.engine.spread import Spread, ratios
from tests.benchmarks.engine.table import Row

SIZES: Final = (1_000, 100_000, 1_000_000)
QUICK_SIZES: Final = (1_000, 10_000, 100_000)
TARGET: Final = 1.5
_FILL: Final = 5_000  # entries put in at once
_SETTLE: Final = 2_000  # events of each turn that are not counted


@dataclass(slots=True, kw_only=True)
class Shop:
    """One size: its state and how far its events have come."""

    users: int
    memory: Memory
    agent: Agent
    now: int = 0
    offset: int = 0


def measure(bench: Bench) -> Findings:
    """Microseconds of processor time an event, by number of users."""
    return asyncio.run(_measure(bench))


async def _measure(bench: Bench) -> Findings:
    sizes = QUICK_SIZES if bench.quick else SIZES
    found: list[dict[str, float]] = []
    with TemporaryDirectory(dir=bench.folder) as folder:
        shops = [await _open(bench, users, Path(folder)) for users in sizes]
        tuning.settle()
        for number in range(1, bench.repeats + 1):
            costs = {f"{shop.users:,} users": await _turn(bench, shop, number) for shop in shops}
            found.append(costs)
            say(f"round {number}/{bench.repeats}: " + ", ".join(f"{name} {us:.0f} µs" for name, us in costs.items()))
        for shop in shops:
            await shop.memory.close()
    names = list(found[0])
    rows = [
        Row(
            measure=f"an event with {name}",
            target="",
            measured=Spread.of(each[name] for each in found).text(".0f", " µs"),
        )
        for name in names
    ]
    for name in names[1:]:
        growth = Spread.of(ratios(found, name, names[0]))
        rows.append(
            Row(
                measure=f"growth from {names[0]} to {name}",
                target=f"≤ {TARGET}×",
                measured=growth.text(".2f", "×"),
                reached=growth.median <= TARGET,
            )
        )
    size = Spread.of(map(len, real_entries(bench.job)))
    return Findings(rows=rows, numbers={"us_an_event": found, "bytes_of_an_entry": size.text(",.0f")})


async def _open(bench: Bench, users: int, folder: Path) -> Shop:
    """A store that holds so many users."""
    settings = Settings(bootstrap_servers=bench.address, prefix=f"g{users}.{time.monotonic_ns():x}.")
    name = changelog_topic(settings, "recommendation")
    topic = Topic(name=name, record=object, key=str, role="internal", compacted=True, single=True)
    place.create(bench.address, "", [topic])
    memory = Memory(settings, name, 0, folder=folder, hot=Hot(settings.hot_state_mb * 1024 * 1024))
    await memory.open()
    store: Any = memory._opened  # pyright: ignore[reportPrivateUsage] # what is behind the memory is filled, not what is at hand
    for part in _parts(users, real_entries(bench.job)):
        store.apply(part, memory.progress, -1)
        await store.settled()
    await store.save()
    say(f"a store of {users:,} users is ready")
    return Shop(users=users, memory=memory, agent=agent_of("recommendation", place.Placed()))


def _parts(users: int, entries: list[bytes]) -> Iterator[dict[str, bytes]]:
    numbers = iter(range(users))
    while part := {f"{USER}u{number}": entries[number % len(entries)] for number in islice(numbers, _FILL)}:
        yield part


async def _turn(bench: Bench, shop: Shop, number: int) -> float:
    """Microseconds an event over one turn; what saving costs included."""
    count = 6_000 if bench.quick else 20_000
    events = drawn(inputs(pairs(bench.job.events)[-count:], shop.offset), shop.users, turn=number)
    shop.offset += len(events)
    await _steps(bench, shop, events[:_SETTLE])
    before = time.process_time()
    await _steps(bench, shop, events[_SETTLE:])
    return 1e6 * (time.process_time() - before) / (len(events) - _SETTLE)


def drawn(events: list[Input], users: int, turn: int) -> list[Input]:
    """The same visits, each of a user drawn evenly, later by as much as they last in all, once for each turn."""
    random = np.random.default_rng(turn)
    later = turn * (1 + events[-1].record.occurred_at - events[0].record.occurred_at)
    of_visit: dict[str, str] = {}
    made: list[Input] = []
    for given in events:
        event: UserEvent = given.record
        visit = event.event_id.split("-")[1]  # ask-VISIT, buy-VISIT-ITEM
        if visit not in of_visit:
            of_visit[visit] = f"u{random.integers(users)}"
        moved = replace(
            event,
            user_id=of_visit[visit],
            event_id=f"{event.event_id}-{turn}",
            occurred_at=EventTime(event.occurred_at + later),
        )
        made.append(replace(given, key=moved.user_id, record=moved))
    return made


async def _steps(bench: Bench, shop: Shop, events: list[Input]) -> None:
    size = Settings().batch_max_records
    for start in range(0, len(events), size):
        batch = events[start : start + size]
        step = shop.agent.step(shop.memory.state(shared_views(bench.job)), batch, SHIPPED, shop.now)
        shop.now = step.now
        await shop.memory.commit(step, shop.memory.after(step, {}), -1)
        await asyncio.sleep(0)
    store: Any = shop.memory._opened  # pyright: ignore[reportPrivateUsage]
    await store.settled()
