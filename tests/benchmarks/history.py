"""How fast a history is read, by where it lies, and that memory doesn't grow with it.

    python -m tests.benchmarks.history [--messages 100000] [--repeats 5] [--json]

Times are CPU seconds of this process: sources take turns, and what is told is the median. The ratio is that of each
source to kafka-python's own consumer, paired by turn. Memory is the largest resident set of a process of its own, on
Linux.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any, Final

import orjson
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import TopicPartition
from msgspec.structs import replace

from infra.broker.server import running
from infra.history.cut import frozen
from infra.history.files import files
from infra.history.message import Message
from infra.history.part import By, LogPart, Part, pack, unpack
from infra.history.reading import messages
from infra.history.writing import opened
from infra.provision import admin
from infra.settings import Settings, load
from streams.topics import DECISIONS, OUTCOMES

AT: Final = 1_483_272_000_000
TOPICS: Final = (DECISIONS, OUTCOMES)
PARTITIONS: Final = 4
NAMES: Final = {"JSONL": "h.jsonl", "gzip": "h.jsonl.gz", "zstd": "h.jsonl.zst", "Parquet": "h.parquet"}
PYTHON: Final = "kafka-python"
TIMES: Final = 10  # how much longer the long history is


def story(count: int) -> Iterator[Message]:
    """A decision of some 900 bytes, and its outcome of some 250, for many entities in turn."""
    decision: dict[str, Any] = {
        "decision_id": "",
        "entity": "",
        "decided_at": 0,
        "candidates": [f"item-{n}" for n in range(60)],
    }
    outcome: dict[str, Any] = {"decision_id": "", "entity": "", "reward": 1.0, "decided_at": 0, "matured_at": 0}
    for number in range(count):
        entity = f"user-{number // 2 % 5000}"
        topic, made = (DECISIONS, decision) if number % 2 == 0 else (OUTCOMES, outcome)
        made |= {"decision_id": f"{entity}-{number // 2:08}", "entity": entity, "decided_at": AT + number}
        if topic is OUTCOMES:
            made["matured_at"] = AT + number
        yield Message(topic, entity.encode(), orjson.dumps(made), AT + number, number // 2 % PARTITIONS)


def produce(settings: Settings, given: Iterable[Message]) -> None:
    with admin(settings) as client:
        wanted = {
            settings.topic(topic.name): {"num_partitions": PARTITIONS, "replication_factor": 1} for topic in TOPICS
        }
        client.create_topics(wanted, wait_for_metadata=True)
    producer: Any = KafkaProducer(bootstrap_servers=settings.servers, linger_ms=20, batch_size=256 * 1024)
    for one in given:
        producer.send(
            settings.topic(one.topic.name),
            key=one.key,
            value=one.value,
            partition=one.partition,
            timestamp_ms=one.timestamp,
        )
    producer.close()


def by_kafka_python(part: LogPart) -> int:
    """The same slices, read and no more by kafka-python's consumer: what its users would have."""
    client: Any = KafkaConsumer(
        bootstrap_servers=part.bootstrap_servers,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        max_poll_records=5000,
    )
    ends = {TopicPartition(part.prefix + one.topic, one.partition): one.end for one in part.slices}
    client.assign(list(ends))
    client.seek_to_beginning(*ends)
    count = 0
    while any(client.position(place) < end for place, end in ends.items()):
        count += sum(map(len, client.poll(timeout_ms=200).values()))
    client.close()
    return count


def read(part: Part) -> int:
    with messages(part) as found:
        return sum(1 for _ in found)


def sources(folder: Path, log: LogPart) -> dict[str, Callable[[], int]]:
    made: dict[str, Callable[[], int]] = {PYTHON: lambda: by_kafka_python(log)}
    clocks: tuple[By, ...] = ("log", "event")
    for by in clocks:
        made[f"Kafka, by {by} time"] = partial(read, replace(log, by=by))
    for name, file in NAMES.items():
        made[name] = partial(read, files([folder / file]))
    return made


def measured(made: dict[str, Callable[[], int]], count: int, repeats: int) -> dict[str, list[float]]:
    """CPU seconds of every source, by turn."""
    spent: dict[str, list[float]] = {name: [] for name in made}
    for turn in range(repeats):
        for name, run in made.items():
            began = process_time()
            found = run()
            spent[name].append(process_time() - began)
            if found != count:
                raise SystemExit(f"{name}: {found} messages of {count}")
            sys.stderr.write(f"turn {turn + 1}, {name}: {count / spent[name][-1]:,.0f}/s\n")
    return spent


def memory(part: Part, folder: Path) -> float:
    """MB of a process that reads this part."""
    (folder / "part.json").write_bytes(pack(part))
    command = [sys.executable, "-m", "tests.benchmarks.history", "--read", str(folder / "part.json")]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--messages", type=int, default=100_000)
    given.add_argument("--repeats", type=int, default=5)
    given.add_argument("--json", action="store_true")
    given.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    options = given.parse_args()
    if options.read is not None:
        read(unpack(options.read.read_bytes()))
        # Not getrusage: a child's begins with that of the process that started it.
        sys.stdout.write(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0])
        return
    with TemporaryDirectory() as temporary:
        result = compared(Path(temporary), options.messages, options.repeats)
    if options.json:
        sys.stdout.write(orjson.dumps(result).decode() + "\n")
        return
    sys.stdout.write("| source | messages/s of CPU | ratio to kafka-python | MB, MB at 10 × |\n|---|---|---|---|\n")
    for name, row in result.items():
        grown = ", ".join(f"{size:.0f}" for size in row.get("mb", []))
        sys.stdout.write(f"| {name} | {row['per_s']:,.0f} | {row['ratio']:.1f} | {grown} |\n")


def compared(folder: Path, count: int, repeats: int) -> dict[str, dict[str, Any]]:
    parts: dict[int, dict[str, Part]] = {}
    (folder / "broker").mkdir()
    with running(folder / "broker") as broker:
        for size in (count, count // TIMES):
            place = folder / str(size)
            place.mkdir()
            settings = load(bootstrap_servers=broker.address, prefix=f"h{size}.")
            produce(settings, story(size))
            for file in NAMES.values():
                with opened(place / file) as sink:
                    for one in story(size):
                        sink.put(one)
            log = frozen(settings, TOPICS).part
            parts[size] = {"Kafka, by event time": replace(log, by="event")}
            parts[size] |= {name: files([place / file]) for name, file in NAMES.items()}
        log = frozen(load(bootstrap_servers=broker.address, prefix=f"h{count}."), TOPICS).part
        spent = measured(sources(folder / str(count), log), count, repeats)
        grown = {name: [memory(parts[size][name], folder) for size in (count // TIMES, count)] for name in parts[count]}
    return {
        name: {
            "per_s": count / median(times),
            "ratio": median(base / time for base, time in zip(spent[PYTHON], times, strict=True)),
            **({"mb": grown[name]} if name in grown else {}),
        }
        for name, times in spent.items()
    }


if __name__ == "__main__":
    main()
