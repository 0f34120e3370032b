"""How fast `tradewind replay` judges a history that lies in Kafka, against how fast a worker wrote it, and its memory.

    python -m tests.benchmarks.replay [--history FILE] [--policy serving,shipped,uniform] [--repeats 3] [--json]

The history is a file of `tradewind export`; without one, the demo is played first and exported. Its messages are put on
an embedded broker with the partitions and times that they had. Then, each in a process of its own:

- live: a worker with all agents, given the history's inputs at once, for as long as it puts anything out;
- replay: the command from its start to the evidence. It reads decisions and outcomes, or with every topic of the
  history (`--topics`) all that there is;
- memory: the same with ten times the decisions and outcomes, each copy later and with ids of its own.

A rate is messages of the whole history a second, by the clock and by processor time of the process; the median of runs.
Where only decisions and outcomes were read, it is told of those messages too.
"""

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import orjson
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import TopicPartition

from infra.broker.server import running
from infra.history.files import files
from infra.history.message import Message
from infra.history.reading import messages
from infra.provision import admin
from infra.settings import Settings, load
from streams.topics import CATALOG, DECISIONS, OUTCOMES, POLICY_VERSIONS, TOPICS

TIMES: Final = 10
QUIET_S: Final = 8.0  # without anything new from the worker, it is through
GIVE_UP_S: Final = 1800.0
JUDGED: Final = (DECISIONS, OUTCOMES)
_ENTRY: Final = "from infra.cli import main; main()"


class Ran(NamedTuple):
    """A process that has ended: seconds by the clock and of the processor, largest resident set in MB, what it said."""

    wall_s: float
    cpu_s: float
    mb: float
    said: str


def command(*arguments: str, **settings: str) -> "subprocess.Popen[str]":
    """Start `tradewind …`."""
    environment = {**os.environ, **{f"TRADEWIND_{name.upper()}": value for name, value in settings.items()}}
    return subprocess.Popen(
        [sys.executable, "-c", _ENTRY, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def ran(*arguments: str) -> Ran:
    """Run `tradewind …` to its end. Raises SystemExit where it fails."""
    began, before = time.monotonic(), getrusage(RUSAGE_CHILDREN)
    process, mb, said = command(*arguments), 0.0, None
    while said is None:
        mb = max(mb, _peak_mb(process.pid))
        try:
            said, _ = process.communicate(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
    wall, used = time.monotonic() - began, getrusage(RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"tradewind {' '.join(arguments)} ended with {process.returncode}")
    return Ran(wall, used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime, mb, said)


def _peak_mb(pid: int) -> float:
    """Not `ru_maxrss`: that begins with the size of the process that started this one."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return 0.0
    return next((float(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)


# ---- Histories ------------------------------------------------------------------------------------------------------


def history(path: Path) -> Iterator[Message]:
    with messages(files([path])) as found:
        yield from (one for one in found if isinstance(one, Message))


def many(path: Path) -> Iterator[Message]:
    """What a judge reads, `TIMES` over: the copies are later, and their decisions have other ids."""
    read = [one for one in history(path) if one.topic in (*JUDGED, CATALOG, POLICY_VERSIONS)]
    judged = [one for one in read if one.topic in JUDGED]
    times = [_decided_at(one) for one in judged]
    span, logged = max(times) - min(times) + 1, judged[-1].timestamp - judged[0].timestamp + 1
    yield from (one for one in read if one.topic not in JUDGED)
    for copy in range(TIMES):
        yield from (_later(one, copy, copy * span, copy * logged) for one in judged)


def _decided_at(message: Message) -> int:
    return orjson.loads(message.value or b"")["decided_at"]


def _later(message: Message, copy: int, span: int, logged: int) -> Message:
    told: dict[str, Any] = orjson.loads(message.value or b"")
    told["decision_id"] += f"-{copy}"
    for name in ("decided_at", "matured_at"):
        if name in told:
            told[name] += span
    return message._replace(value=orjson.dumps(told), timestamp=message.timestamp + logged, offset=None)


def make(settings: Settings, partitions: Mapping[str, int]) -> None:
    """Topics of so many partitions."""
    wanted = {
        settings.topic(name): {"num_partitions": many, "replication_factor": 1} for name, many in partitions.items()
    }
    with admin(settings) as client:
        client.create_topics(wanted, wait_for_metadata=True)


def put(settings: Settings, given: Iterator[Message]) -> Counter[str]:
    """Put the messages there. How many, by topic."""
    producer: Any = KafkaProducer(bootstrap_servers=settings.servers, linger_ms=20, batch_size=256 * 1024)
    counts: Counter[str] = Counter()
    for one in given:
        counts[one.topic.name] += 1
        producer.send(
            settings.topic(one.topic.name),
            key=one.key,
            value=one.value,
            partition=one.partition,
            timestamp_ms=one.timestamp if one.timestamp > 0 else None,
        )
    producer.close()
    return counts


def partitions_of(path: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in history(path):
        found[one.topic.name] = max(found.get(one.topic.name, 1), one.partition + 1)
    return found


# ---- Live -----------------------------------------------------------------------------------------------------------


def live(settings: Settings, partitions: int) -> Ran:
    """A worker on inputs that are all there, until nothing more comes of them."""
    with TemporaryDirectory() as state:
        process = command(
            "worker",
            bootstrap_servers=settings.bootstrap_servers,
            prefix=settings.prefix,
            partitions=str(partitions),
            state_dir=state,
        )
        try:
            return _watched(process, settings)
        finally:
            process.terminate()
            process.wait()


def _watched(process: "subprocess.Popen[str]", settings: Settings) -> Ran:
    outputs = {settings.topic(topic.name) for topic in TOPICS if topic.role != "input"}
    client: Any = KafkaConsumer(bootstrap_servers=settings.servers, group_id=None)
    began = moved_at = time.monotonic()
    first, before, cpu = 0.0, 0, 0.0
    while time.monotonic() - moved_at < QUIET_S or not before:
        if process.poll() is not None or time.monotonic() - began > GIVE_UP_S:
            raise SystemExit("the worker ended, or went on for too long")
        there = client.topics() & outputs
        places = [TopicPartition(name, n) for name in there for n in client.partitions_for_topic(name)]
        now = sum(client.end_offsets(places).values()) if places else 0
        if now > before:
            moved_at, before, cpu = time.monotonic(), now, _cpu(process.pid)
            first = first or moved_at
        time.sleep(0.25)
    client.close()
    return Ran(moved_at - first, cpu, 0.0, "")


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ---- All of it ------------------------------------------------------------------------------------------------------


def measured(path: Path, folder: Path, policies: str, repeats: int) -> dict[str, Any]:
    partitions = partitions_of(path)
    inputs = {topic.name for topic in TOPICS if topic.role == "input"}
    with running(folder) as broker:
        at = {name: load(bootstrap_servers=broker.address, prefix=f"{name}.") for name in ("all", "live", "many")}
        make(at["all"], partitions)
        counts = put(at["all"], history(path))
        judged, total = counts[DECISIONS.name] + counts[OUTCOMES.name], counts.total()
        _say(f"{total:,} messages, {judged:,} of them decisions and outcomes")
        most = max(partitions.values())
        process = command("topics", "create", bootstrap_servers=broker.address, prefix="live.", partitions=str(most))
        process.communicate()
        put(at["live"], (one for one in history(path) if one.topic.name in inputs))
        worker = live(at["live"], most)
        _say(f"live: {worker.wall_s:.1f} s, {worker.cpu_s:.1f} s of CPU")
        make(at["many"], {name: partitions[name] for name in _read_names() if name in partitions})
        put(at["many"], many(path))
        where = ["replay", "--policy", policies, "--bootstrap-servers", broker.address, "--json", "--prefix"]
        runs: dict[str, list[Ran]] = {"all topics": [], "decisions and outcomes": []}
        for turn in range(repeats):
            runs["all topics"].append(ran(*where, "all.", "--topics", ",".join(counts)))
            runs["decisions and outcomes"].append(ran(*where, "all."))
            _say(f"turn {turn + 1}: " + ", ".join(f"{name} {of[-1].wall_s:.1f} s" for name, of in runs.items()))
        long = ran(*where, "many.")
    return {
        "messages": total,
        "judged_messages": judged,
        "policies": policies,
        "live": _told([worker], total),
        "replay": {name: _told(of, total) for name, of in runs.items()},
        "read_per_s": {"wall": judged / _wall(runs["decisions and outcomes"])},
        "times_live": {name: worker.wall_s / _wall(of) for name, of in runs.items()},
        "times_live_cpu": {name: worker.cpu_s / median(one.cpu_s for one in of) for name, of in runs.items()},
        "mb": [median(one.mb for one in runs["decisions and outcomes"]), long.mb],
        "long": _told([long], judged * TIMES),
    }


def _read_names() -> Iterator[str]:
    return (topic.name for topic in (*JUDGED, CATALOG, POLICY_VERSIONS))


def _wall(of: Sequence[Ran]) -> float:
    return median(one.wall_s for one in of)


def _told(of: Sequence[Ran], count: int) -> dict[str, float]:
    wall, cpu = _wall(of), median(one.cpu_s for one in of)
    return {"wall_s": wall, "cpu_s": cpu, "per_s": count / wall, "per_cpu_s": count / cpu}


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def demo(folder: Path, households: int, seconds: float) -> Path:
    """Play the demo on a broker of its own, and export all of it."""
    out = folder / "history.jsonl.gz"
    (folder / "demo").mkdir()
    with running(folder / "demo") as broker:
        on = ("--bootstrap-servers", broker.address, "--prefix", "demo.")
        ran("demo", "--json", "--households", str(households), "--seconds", str(seconds), *on)
        ran("export", "--out", str(out), *on)
    return out


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--history", type=Path)
    given.add_argument("--policy", default="serving,shipped,uniform")
    given.add_argument("--households", type=int, default=150, help="of the demo")
    given.add_argument("--seconds", type=float, default=100.0, help="that the demo takes")
    given.add_argument("--repeats", type=int, default=3)
    given.add_argument("--json", action="store_true")
    options = given.parse_args()
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        path = options.history or demo(folder, options.households, options.seconds)
        (folder / "broker").mkdir()
        found = measured(path, folder / "broker", options.policy, options.repeats)
    if options.json:
        sys.stdout.write(orjson.dumps(found).decode() + "\n")
        return
    show(found)


def show(found: Mapping[str, Any]) -> None:
    """As a table."""
    small, large = found["mb"]
    lines = [
        f"{found['messages']:,} messages, {found['judged_messages']:,} of them decisions and outcomes\n",
        "| | s | CPU s | messages/s | messages/s of CPU | × live | × live, CPU |\n|---|---|---|---|---|---|---|",
        _row("live worker", found["live"], 1.0, 1.0),
        *(
            _row(f"replay, {name} read", row, found["times_live"][name], found["times_live_cpu"][name])
            for name, row in found["replay"].items()
        ),
        f"\nof decisions and outcomes alone {found['read_per_s']['wall']:,.0f} messages/s, at most {small:.0f} MB",
        f"of {TIMES} × as many {found['long']['per_s']:,.0f} messages/s, at most {large:.0f} MB",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _row(name: str, row: Mapping[str, float], live: float, cpu: float) -> str:
    rates = f"{row['per_s']:,.0f} | {row['per_cpu_s']:,.0f}"
    return f"| {name} | {row['wall_s']:.1f} | {row['cpu_s']:.1f} | {rates} | {live:.1f} | {cpu:.1f} |"


if __name__ == "__main__":
    main()
