"""A worker whose changelog holds a million users: how long until it is ready, and how much memory it takes then."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from infra.cluster.partitioner import partition_for
from infra.state.changelog import PROGRESS
from infra.state.mark import Progress
from streams.topics import USER_EVENTS, Topic
from tests.benchmarks.engine import place
from tests.benchmarks.engine.bench import Bench, Findings, say
from tests.benchmarks.engine.contest import end
from tests.benchmarks.engine.job import PARTITIONS, Pair, pairs
from tests.benchmarks.engine.profiles import USER, real_entries
from tests.benchmarks.engine.serving import Place, Serving
from tests.benchmarks.engine.spread import Spread
from tests.benchmarks.engine.table import Row

USERS: Final = 1_000_000
QUICK_USERS: Final = 100_000
TARGET_S: Final = 60.0
TARGET_GIB: Final = 2.5
_EVENTS: Final = 20_000  # handled after the restore, of users drawn evenly
CHANGELOG: Final = Topic(
    name="tradewind-recommendation-changelog", record=object, key=str, role="internal", compacted=True
)


def measure(bench: Bench) -> Findings:
    """From the changelog alone, and once more with what the first start left on the disk."""
    users = QUICK_USERS if bench.quick else USERS
    where = Place(bench, extra=(CHANGELOG,))
    entries = real_entries(bench.job)
    asyncio.run(place.fill_placed(bench.address, where.prefix + CHANGELOG.name, changelog(users, entries)))
    say(f"a changelog of {users:,} users is filled: {sum(map(len, entries)) / len(entries):,.0f} bytes each")
    bench.send(where.prefix, list(_events(bench, users)))
    try:
        first, resident = _start(where)
        again, _ = _start(where)
    finally:
        where.clear()
    rows = [
        Row(
            measure=f"restore of {users:,} users, process start → ready",
            target=f"< {TARGET_S:.0f} s",
            measured=f"{first:.1f} s",
            reached=first < TARGET_S,
        ),
        Row(measure="the same, with the state on disk", target="", measured=f"{again:.1f} s"),
        Row(
            measure=f"resident with {users:,} users, at most",
            target=f"≤ {TARGET_GIB} GiB",
            measured=f"{resident:.2f} GiB",
            reached=resident <= TARGET_GIB,
        ),
    ]
    size = Spread.of(map(len, entries))
    return Findings(
        rows=rows,
        numbers={
            "users": users,
            "bytes_of_an_entry": {"median": size.median, "mean": sum(map(len, entries)) / len(entries)},
            "seconds": {"from the changelog": first, "with the state on disk": again},
            "resident_gib": resident,
        },
    )


def changelog(users: int, entries: list[bytes]) -> Iterator[tuple[int, Pair]]:
    """What compaction leaves: each entry once, and one progress at each partition's end."""
    for number in range(users):
        name = f"u{number}"
        key = f"{USER}{name}".encode()
        yield partition_for(name.encode(), PARTITIONS), (key, entries[number % len(entries)])
    for partition in range(PARTITIONS):
        yield partition, (PROGRESS.encode(), msgspec.msgpack.encode(Progress(lineage=f"bench-{partition}")))


def _events(bench: Bench, users: int) -> Iterator[Pair]:
    """Real events of made-up users: every `users / _EVENTS`-th of them has one."""
    for number, (key, value) in enumerate(pairs(bench.job.events)[:_EVENTS]):
        name = b"u%d" % (number * users // _EVENTS)
        yield name, value.replace(b'"user_id":"%b"' % key, b'"user_id":"%b"' % name)


def _start(where: Place) -> tuple[float, float]:
    """Seconds until ready, and GiB resident at most, some events later."""
    began = time.monotonic()
    serving = where.start({})
    try:
        said = serving.wait_until_ready()
        took = time.monotonic() - began
        say(f"{said} after {took:.1f} s")
        _await_quiet(serving, where)
        return took, peak_gib(serving.process.pid)
    finally:
        end(serving.process)


def _await_quiet(serving: Serving, where: Place) -> None:
    """Until the worker is done with its input."""
    group = f"{where.prefix}tradewind.recommendation"
    with place.admin(where.bench.address) as client:
        give_up = time.monotonic() + 120
        while place.handled(client, group, where.prefix + USER_EVENTS.name) < _EVENTS:
            if time.monotonic() > give_up or serving.process.poll() is not None:
                raise RuntimeError(f"the worker isn't done; its log:\n{serving.log.read_text()[-4000:]}")
            time.sleep(0.2)


def peak_gib(pid: int) -> float:
    """The greatest resident size so far."""
    told: dict[str, Any] = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
    )
    return int(str(told["VmHWM"]).split()[0]) / 1024**2
