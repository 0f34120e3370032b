"""The reference job's input as files: user events, and the catalog and item statistics that the views are made of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streams.codec import decode
from streams.topics import CATALOG, ITEM_STATS
from streams.views import Views

FORMAT: Final = 2  # raise it whenever what is made changes
PARTITIONS: Final = 4  # of every topic of the benchmark
SHARED: Final = "bench."  # the prefix of the topics that all contestants read

Pair = tuple[bytes, bytes]  # key and value of one message


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Where the job's messages lie, one a line: key, tab, value."""

    events: Path
    catalog: Path
    item_stats: Path

    @classmethod
    def at(cls, folder: Path) -> "Job":
        """The names in a folder."""
        names = {name: folder / f"{name}-{FORMAT}.tsv" for name in ("events", "catalog", "item_stats")}
        return cls(**names)


def pairs(path: Path) -> list[Pair]:
    """The messages of one file."""
    lines = path.read_bytes().splitlines()
    return [(key, value) for key, _, value in (line.partition(b"\t") for line in lines)]


def views(job: Job) -> Views:
    """The views as a worker has them once it has read both topics."""
    made = Views()
    for topic, path in ((CATALOG, job.catalog), (ITEM_STATS, job.item_stats)):
        for key, value in pairs(path):
            made.apply(topic, *decode(topic, key, value, 0))
    return made
