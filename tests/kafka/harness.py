"""What the tests of the runtime share: worker processes, orders to count, and a reader of what was committed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import orjson
from kafka import KafkaConsumer, KafkaProducer

ROOT = Path(__file__).parents[2]
LONG_S = 60  # a test that waits so long has failed: nothing here takes a tenth of it on a free machine
AT = 1_483_272_000_000  # 2017-01-01T12:00Z
COUNTER = (str(ROOT / "tests/kafka/counter.py"),)
TRADEWIND = ("-c", "from infra.cli import main; main(['worker'])")


@dataclass
class Worker:
    """A worker process, and what it has announced."""

    process: subprocess.Popen[str]
    errors: Path
    _said: Queue[str] = field(default_factory=Queue[str])

    def __post_init__(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            self._said.put(line.strip())

    def wait_for(self, text: str) -> str:
        """The first announcement from now on that has `text` in it."""
        give_up = time.monotonic() + LONG_S
        while time.monotonic() < give_up:
            try:
                line = self._said.get(timeout=0.2)
            except Empty:
                if self.process.poll() is not None:
                    break
            else:
                if text in line:
                    return line
        raise AssertionError(f"the worker never said {text!r}; its log:\n{self.errors.read_text()[-4000:]}")

    def kill(self) -> None:
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(LONG_S)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LONG_S)


@dataclass
class Setting:
    """A test's place on the broker."""

    address: str
    prefix: str
    folder: Path
    workers: list[Worker] = field(default_factory=list[Worker])

    def start(self, name: str = "only", program: Sequence[str] = COUNTER, **settings: str) -> Worker:
        """Start a worker process; by default it runs the counter. Under one `name` it is back at once after a kill."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TRADEWIND_BOOTSTRAP_SERVERS": self.address,
            "TRADEWIND_PREFIX": self.prefix,
            "TRADEWIND_PARTITIONS": "2",
            "TRADEWIND_GROUP_INSTANCE_ID": name,
            "TRADEWIND_STATE_DIR": str(self.folder / "state"),
            **{f"TRADEWIND_{key.upper()}": value for key, value in settings.items()},
        }
        errors = self.folder / f"{name}-{len(self.workers)}.log"
        with errors.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, *program],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.workers.append(Worker(process, errors))
        return self.workers[-1]

    def close(self) -> None:
        """End what is still running."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill()
            if worker.process.stdout is not None:
                worker.process.stdout.close()


@contextmanager
def placed(address: str, prefix: str, folder: Path) -> Generator[Setting]:
    """A setting whose workers are gone at the end."""
    setting = Setting(address, prefix, folder)
    try:
        yield setting
    finally:
        setting.close()


def order(number: int, keys: int = 20) -> tuple[bytes, bytes]:
    """The number-th order, as key and value."""
    name = f"o{number % keys}"
    line = {"item_id": f"n{number}", "location": "here", "quantity": 1}
    return name.encode(), orjson.dumps({"order_id": name, "occurred_at": AT + number, "lines": [line]})


def produce(address: str, topic: str, numbers: Iterable[int], *, pause_s: float = 0) -> None:
    """Send these orders, with a pause after each hundred."""
    client: Any = KafkaProducer(bootstrap_servers=address, linger_ms=5)
    for number in numbers:
        key, value = order(number)
        client.send(topic, key=key, value=value)
        if pause_s and number % 100 == 99:
            time.sleep(pause_s)
    client.close()


def send(address: str, topic: str, messages: Iterable[tuple[bytes, bytes | None]]) -> list[int]:
    """Put these keys and values on partition 0, and return their offsets."""
    client: Any = KafkaProducer(bootstrap_servers=address)
    offsets = [client.send(topic, key=key, value=value, partition=0).get(LONG_S).offset for key, value in messages]
    client.close()
    return offsets


def committed(address: str, topic: str, count: int) -> list[Any]:
    """What a read_committed reader sees in a topic: it waits for `count` records, then for none to follow."""
    return list(_read(address, topic, count))


def _read(address: str, topic: str, count: int) -> Iterator[Any]:
    client: Any = KafkaConsumer(
        topic,
        bootstrap_servers=address,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        group_id=None,
        enable_auto_commit=False,
    )
    give_up = time.monotonic() + LONG_S
    quiet_since = time.monotonic()
    seen = 0
    while time.monotonic() < give_up and (seen < count or time.monotonic() - quiet_since < 1.5):
        for records in client.poll(timeout_ms=200).values():
            quiet_since = time.monotonic()
            seen += len(records)
            yield from records
    client.close()


def values(records: Iterable[Any]) -> list[Any]:
    """The records' JSON."""
    return [orjson.loads(record.value) for record in records]


def check_each_once(said: list[Any], numbers: Iterable[int]) -> None:
    """Every order was counted once, in order: totals per key run 1, 2, 3 … with the producer's numbers ascending."""
    wanted = list(numbers)
    assert sorted(int(one["event_id"][1:]) for one in said) == wanted
    totals: dict[str, list[tuple[float, int]]] = {}
    for one in said:
        totals.setdefault(one["order_id"], []).append((one["quantity"], int(one["event_id"][1:])))
    for counted in totals.values():
        assert [total for total, _ in counted] == list(range(1, len(counted) + 1))
        assert [number for _, number in counted] == sorted(number for _, number in counted)
