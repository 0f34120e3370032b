"""What a volume of events takes: partitions, workers, memory, changelog, restore time, cost. Reckoned, not run.

    python -m tests.benchmarks.sizing
    python -m tests.benchmarks.sizing --core-hour 0.05 --gib-hour 0.006 --peak 6
    python -m tests.benchmarks.sizing --write

What was measured comes from build/bench/*.json (`make bench`), and where that isn't there from
docs/reference/coefficients.json, which `--write` makes anew, with the table of docs/scale.md. All else is an
assumption, and an option.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec

ROOT: Final = Path(__file__).parents[2]
BENCH: Final = ROOT / "build/bench"
KEPT: Final = ROOT / "docs/reference/coefficients.json"
PAGE: Final = ROOT / "docs/scale.md"
BEGIN: Final = "<!-- made by python -m tests.benchmarks.sizing --write -->"
END: Final = "<!-- end -->"
VOLUMES: Final = tuple(10**power for power in range(3, 10))  # events a day
MOST_PARTITIONS: Final = 1_000
_DAY_S: Final = 86_400
_GIB: Final = 1024**3


class Coefficients(msgspec.Struct, frozen=True, kw_only=True):
    """What `make bench` measured, on one core. `users` is how many the last four were measured with."""

    measured_at: str
    machine: str
    kafka: str
    busy_us: float  # processor time of an event of the reference job: its users come again soon
    step_us: float  # of step and state alone, each event of another of `users` users
    carry_us: float  # of an event with an empty step: what the engine adds to that
    users: int
    entry_bytes: float  # of one user in the changelog, mean
    restore_s: float  # process start → ready, with nothing on the disk
    restart_s: float  # the same, with the state on the disk
    resident_gib: float  # of one worker, at most
    shared_us: dict[str, float] = {}  # of an event, by how many workers share the topic

    @property
    def event_us(self) -> float:
        """What is reckoned with: the dearer of the two ways an event can go."""
        return max(self.busy_us, self.step_us + self.carry_us)

    def restore_of(self, users: float) -> float:
        """Seconds until a worker that lost its disk is ready with so many users, growing as measured from a restart."""
        return self.restart_s + (self.restore_s - self.restart_s) * users / self.users


class Assumptions(msgspec.Struct, frozen=True, kw_only=True):
    """What isn't measured. Prices are in any currency."""

    events_per_user: float = 5.0  # a day, for each user that is kept, those included who come no more
    peak: float = 4.0  # the busiest hours against the mean of the day
    load: float = 0.5  # of a core, at the peak: what is left catches up after a standstill
    restore_limit_s: float = 600.0
    core_hour: float = 0.04
    gib_hour: float = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One line of the table."""

    events_a_day: int
    users: float
    workers: int
    partitions: int
    resident_gib: float  # of all workers, at most
    changelog_gib: float  # one copy, as compaction leaves it
    written_gib: float  # to the changelog in a day, at most
    restore_s: float
    cost: float  # per million events


def measured(folder: Path) -> Coefficients:
    """From what the benchmark left. Raises FileNotFoundError, or KeyError where it is of an older one."""
    job, growth, restore, empty = (
        msgspec.json.decode((folder / f"{name}.json").read_bytes())
        for name in ("job", "growth", "restore", "empty-step")
    )
    most = f"{restore['numbers']['users']:,} users"
    seconds = restore["numbers"]["seconds"]
    return Coefficients(
        measured_at=max(each["at"] for each in (job, growth, restore, empty)),
        machine=job["machine"],
        kafka=job["kafka"],
        busy_us=_cpu(job, "tradewind"),
        step_us=round(median(each[most] for each in growth["numbers"]["us_an_event"]), 1),
        carry_us=_cpu(empty, "empty-step"),
        users=restore["numbers"]["users"],
        entry_bytes=restore["numbers"]["bytes_of_an_entry"]["mean"],
        restore_s=round(seconds["from the changelog"], 1),
        restart_s=round(seconds["with the state on disk"], 1),
        resident_gib=round(restore["numbers"]["resident_gib"], 2),
        shared_us=_shared(folder / "workers.json"),
    )


def _shared(path: Path) -> dict[str, float]:
    """Processor time of an event by the number of workers, where that was measured."""
    if not path.exists():
        return {}
    rounds = msgspec.json.decode(path.read_bytes())["numbers"]["cpu_us"]
    return {workers: round(median(each[workers] for each in rounds), 1) for workers in rounds[0]}


def _cpu(found: dict[str, Any], name: str) -> float:
    return round(median(each[name]["cpu_us"] for each in found["numbers"]["rounds"]), 1)


def size(events: int, by: Coefficients, given: Assumptions) -> Size:
    """What so many events a day take.

    >>> by = Coefficients(measured_at="", machine="", kafka="", busy_us=86.4, step_us=0, carry_us=0, users=1_000_000,
    ...                   entry_bytes=1024, restore_s=60, restart_s=10, resident_gib=2)
    >>> found = size(10**9, by, Assumptions(events_per_user=100, peak=2, load=0.5, core_hour=1, gib_hour=0))
    >>> found.workers, found.partitions, found.restore_s, found.cost
    (4, 8, 135.0, 0.096)
    """
    users = events / given.events_per_user
    cores = events / _DAY_S * given.peak * by.event_us * 1e-6 / given.load
    a_user = (by.restore_s - by.restart_s) / by.users
    room = given.restore_limit_s - by.restart_s
    if room <= 0:
        raise ValueError(f"a restart alone takes {by.restart_s} s: --restore-limit-s must be above it")
    workers = max(1, ceil(round(cores, 9)), ceil(users * a_user / room))
    hourly = workers * (given.core_hour + given.gib_hour * by.resident_gib)
    return Size(
        events_a_day=events,
        users=users,
        workers=workers,
        partitions=_partitions(workers),
        resident_gib=workers * by.resident_gib,
        changelog_gib=users * by.entry_bytes / _GIB,
        written_gib=events * by.entry_bytes / _GIB,
        restore_s=by.restore_of(users / workers),
        cost=24 * hourly / (events / 1e6),
    )


def _partitions(workers: int) -> int:
    """Room to double the workers, in a power of two: partitions can't be added later without moving keys."""
    return min(MOST_PARTITIONS, max(4, 1 << (2 * workers - 1).bit_length()))


def section(by: Coefficients, given: Assumptions) -> str:
    """The table and what it rests on, as Markdown."""
    rows = [size(events, by, given) for events in VOLUMES]
    return "\n".join([*_table(rows), "", *_measured(by), "", *_assumed(given), "", _marginal(by, given)])


def _table(rows: Iterable[Size]) -> Iterable[str]:
    yield (
        "| events a day | users kept | partitions | workers | memory of all | changelog | written to it a day, at most "
        "| restore of a worker | cost per million events |"
    )
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    for row in rows:
        cells = (
            f"{row.events_a_day:,}",
            f"{row.users:,.0f}",
            f"{row.partitions}",
            f"{row.workers}",
            _bytes(row.resident_gib),
            _bytes(row.changelog_gib),
            _bytes(row.written_gib),
            _seconds(row.restore_s),
            _money(row.cost),
        )
        yield f"| {' | '.join(cells)} |"


def _measured(by: Coefficients) -> Iterable[str]:
    yield f"Measured (`make bench`, {by.measured_at[:10]}, {by.machine}, Kafka {by.kafka}):"
    yield ""
    yield "| | |"
    yield "|---|---:|"
    yield f"| an event of the reference job, whose users come again soon | {by.busy_us:.0f} µs of processor time |"
    yield f"| an event of any of {by.users:,} users, step and state | {by.step_us:.0f} µs |"
    yield f"| what the engine adds to a step | {by.carry_us:.0f} µs |"
    if by.shared_us:
        told = ", ".join(f"{us:.0f}" for us in by.shared_us.values())
        yield f"| an event where {', '.join(by.shared_us)} workers share the topic | {told} µs |"
    yield f"| a user in the changelog, mean | {by.entry_bytes:,.0f} bytes |"
    yield f"| {by.users:,} users from the changelog, process start → ready | {by.restore_s:.1f} s |"
    yield f"| the same with the state on the disk | {by.restart_s:.1f} s |"
    yield f"| a worker with {by.users:,} users, resident, at most | {by.resident_gib:.2f} GiB |"


def _assumed(given: Assumptions) -> Iterable[str]:
    yield "Assumed (options of the command):"
    yield ""
    yield "| | |"
    yield "|---|---:|"
    yield f"| `--events-per-user`: events a day for each user that is kept | {given.events_per_user:g} |"
    yield f"| `--peak`: the busiest hours against the mean of the day | {given.peak:g} × |"
    yield f"| `--load`: of a core, at the peak | {given.load:.0%} |"
    yield f"| `--restore-limit-s`: a worker that lost its disk is ready within | {given.restore_limit_s:g} s |"
    yield f"| `--core-hour`: price of a core for an hour | {given.core_hour:g} |"
    yield f"| `--gib-hour`: price of a GiB of memory for an hour | {given.gib_hour:g} |"


def _marginal(by: Coefficients, given: Assumptions) -> str:
    cost = by.event_us * given.core_hour / 3600
    return (
        f"Reckoned with {by.event_us:.0f} µs an event. The processor time of a million events alone costs "
        f"{_money(cost)};\nthe rest of the last column is room for peaks, memory, and at small volumes the one worker "
        "that always runs."
    )


def _bytes(gib: float) -> str:
    for unit, least in (("TiB", 1024.0), ("GiB", 1.0), ("MiB", 1 / 1024)):
        if gib >= least:
            return f"{gib / least:,.1f} {unit}"
    return f"{gib * 1024**2:,.1f} KiB"


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _money(amount: float) -> str:
    return f"{amount:,.2f}" if amount >= 1 else f"{amount:.2g}"


def page(before: str, made: str) -> str:
    """The page with the section between its marks replaced. Raises ValueError where they are missing."""
    if BEGIN not in before or END not in before:
        raise ValueError(f"the page needs a line {BEGIN} and a line {END}")
    head, _, rest = before.partition(BEGIN)
    return f"{head}{BEGIN}\n\n{made}\n\n{END}{rest.partition(END)[2]}"


def found() -> Coefficients:
    """What was measured here, else what is kept."""
    try:
        return measured(BENCH)
    except (FileNotFoundError, KeyError):
        return kept()


def kept() -> Coefficients:
    """What stands beside the documentation."""
    return msgspec.json.decode(KEPT.read_bytes(), type=Coefficients)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.sizing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name in Assumptions.__struct_fields__:
        default = getattr(Assumptions(), name)
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=_positive, default=default, metavar="N", help=f"[{default:g}]"
        )
    parser.add_argument("--write", action="store_true", help="the coefficients, and the page, by the defaults above")
    return parser.parse_args(arguments)


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def main() -> None:
    given = parse()
    by = found()
    chosen = Assumptions(**{name: getattr(given, name) for name in Assumptions.__struct_fields__})
    sys.stdout.write(section(by, chosen) + "\n")
    if given.write:
        KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(by), indent=2) + b"\n")
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), section(by, Assumptions())), encoding="utf-8")


if __name__ == "__main__":
    main()
