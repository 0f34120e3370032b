"""What every measure is given: the broker, the folder, the job, and how often and how long to measure."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streams.topics import CATALOG, ITEM_STATS, USER_EVENTS
from tests.benchmarks.engine import place
from tests.benchmarks.engine.contestants import MANY
from tests.benchmarks.engine.job import PARTITIONS, SHARED, Job, Pair, pairs
from tests.benchmarks.engine.table import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One run of the benchmark."""

    address: str
    folder: Path
    job: Job
    repeats: int
    quick: bool
    settings: Mapping[str, str] = field(default_factory=dict[str, str])  # of Tradewind's workers: TRADEWIND_…

    @property
    def events(self) -> int:
        """Of the reference job, in one run."""
        return 12_000 if self.quick else 40_000

    @property
    def many(self) -> int:
        """Of the empty step, in one run."""
        return 120_000 if self.quick else 400_000

    def reference(self) -> list[Pair]:
        """The reference job's events."""
        return pairs(self.job.events)[: self.events]

    def fill(self) -> None:
        """What all contestants read, once."""
        events = pairs(self.job.events)
        long = (events * (self.many // len(events) + 1))[: self.many]
        self.furnish(SHARED)
        place.create(self.address, MANY, place.READ)
        self.send(SHARED, events[: self.events])
        self.send(MANY, long)

    def furnish(self, prefix: str) -> None:
        """The topics that a worker reads, with the catalog and the item statistics in them."""
        place.create(self.address, prefix, place.READ)
        for topic, path in ((CATALOG, self.job.catalog), (ITEM_STATS, self.job.item_stats)):
            asyncio.run(place.fill(self.address, prefix + topic.name, pairs(path), partitions=PARTITIONS))

    def send(self, prefix: str, events: list[Pair]) -> None:
        asyncio.run(place.fill(self.address, prefix + USER_EVENTS.name, events, partitions=PARTITIONS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a measure found: lines for the table, and all the numbers."""

    rows: list[Row]
    numbers: dict[str, Any]


Measure = Callable[[Bench], Findings]


def say(text: str) -> None:
    """Progress, to stderr."""
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()
