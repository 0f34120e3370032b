"""The embedded broker is a real Kafka: what Tradewind's guarantees rest on holds there."""

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from time import sleep
from typing import Any, Literal

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError, ProducerFencedError
from kafka.structs import TopicPartition

from infra.broker import probe, server
from infra.broker.home import Home
from infra.broker.process import alive, end
from infra.errors import UserError

Isolation = Literal["read_committed", "read_uncommitted"]

# kafka-python has no stubs: here its clients are Any, and what comes back is checked by the asserts.


@pytest.fixture
def topic(broker: str, prefix: str) -> str:
    """A topic of one partition."""
    make_topic(broker, name := f"{prefix}events")
    return name


def make_topic(address: str, name: str) -> None:
    admin: Any = KafkaAdminClient(bootstrap_servers=address)
    with closing(admin):
        admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1}})


def producer(address: str, **settings: Any) -> Any:
    return KafkaProducer(bootstrap_servers=address, **settings)


def read_all(address: str, topic: str, isolation: Isolation = "read_committed") -> list[bytes]:
    """Every value up to the end as it stands now."""
    partition = TopicPartition(topic, 0)
    consumer: Any = KafkaConsumer(bootstrap_servers=address, isolation_level=isolation, auto_offset_reset="earliest")
    values: list[bytes] = []
    with closing(consumer):
        consumer.assign([partition])
        end = consumer.end_offsets([partition])[partition]
        consumer.seek_to_beginning(partition)
        while consumer.position(partition) < end:
            for records in consumer.poll(timeout_ms=200).values():
                values += [record.value for record in records]
    return values


def test_what_is_produced_is_read_in_order(broker: str, topic: str) -> None:
    with closing(producer(broker)) as sender:
        for number in range(100):
            sender.send(topic, value=b"%d" % number, partition=0)
        sender.flush()
    assert read_all(broker, topic) == [b"%d" % number for number in range(100)]


def test_an_aborted_transaction_is_invisible_to_read_committed(broker: str, topic: str) -> None:
    with closing(producer(broker, transactional_id=f"{topic}-writer")) as sender:
        sender.init_transactions()
        for value, keep in ((b"kept", True), (b"dropped", False), (b"kept too", True)):
            sender.begin_transaction()
            sender.send(topic, value=value)
            sender.flush()
            sender.commit_transaction() if keep else sender.abort_transaction()
    assert read_all(broker, topic) == [b"kept", b"kept too"]
    assert read_all(broker, topic, "read_uncommitted") == [b"kept", b"dropped", b"kept too"]


def test_a_new_owner_fences_the_old_one(broker: str, topic: str) -> None:
    name = f"{topic}-owner"
    with (
        closing(producer(broker, transactional_id=name)) as old,
        closing(producer(broker, transactional_id=name)) as new,
    ):
        old.init_transactions()
        old.begin_transaction()
        old.send(topic, value=b"from the old owner")
        old.flush()
        new.init_transactions()
        with pytest.raises(ProducerFencedError):
            old.commit_transaction()
    assert read_all(broker, topic) == []


def test_offsets_are_found_by_time(broker: str, topic: str) -> None:
    with closing(producer(broker)) as sender:
        for at in (1_000, 2_000, 3_000):
            sender.send(topic, value=b"x", partition=0, timestamp_ms=at)
        sender.flush()
    consumer: Any = KafkaConsumer(bootstrap_servers=broker)
    partition = TopicPartition(topic, 0)
    with closing(consumer):
        found = {at: consumer.offsets_for_times({partition: at})[partition] for at in (0, 1_500, 3_000, 3_001)}
    assert {at: None if offset is None else offset.offset for at, offset in found.items()} == {
        0: 0,
        1_500: 1,
        3_000: 2,
        3_001: None,
    }


def test_no_topic_is_made_by_accident(broker: str, prefix: str) -> None:
    misspelt = f"{prefix}misspelt"
    with closing(producer(broker, max_block_ms=2_000)) as sender, pytest.raises(KafkaError):
        sender.send(misspelt, value=b"x").get(2)
    admin: Any = KafkaAdminClient(bootstrap_servers=broker)
    with closing(admin):
        assert misspelt not in admin.list_topics()


def test_a_restart_keeps_the_data_and_a_second_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with server.running(tmp_path) as first:
        make_topic(first.address, "kept")
        with closing(producer(first.address)) as sender:
            sender.send("kept", value=b"still here")
            sender.flush()
    with server.running(tmp_path) as second:
        assert second.cluster_id == first.cluster_id
        assert read_all(second.address, "kept") == [b"still here"]
        with pytest.raises(UserError, match=f"a broker runs on {tmp_path} already"):
            server.up(Home(tmp_path))


def test_a_second_broker_is_refused_on_a_taken_port(broker: str, tmp_path: Path) -> None:
    port = int(broker.rpartition(":")[2])
    with pytest.raises(UserError, match=f"--port: {port} can't be used"):
        server.up(Home(tmp_path / "other"), port)
    assert Home(tmp_path / "other").running() is None


def tradewind(*arguments: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-m", "infra.cli", *arguments], check=False, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_up_status_down_as_a_person_does_it(tmp_path: Path) -> None:
    where = ("--data-dir", str(tmp_path))
    assert tradewind("broker", "status", *where) == (1, f"down: no broker runs on {tmp_path}\n")
    try:
        code, said = tradewind("broker", "up", "--port", "0", *where)
        assert (code, said[:4]) == (0, "up: ")
        assert tradewind("broker", "up", *where) == (0, f"already {said}")
        assert tradewind("broker", "status", *where) == (0, f"{said}topics: 0\n")
    finally:
        stopped = tradewind("broker", "down", *where)
    assert stopped == (0, "down\n")
    assert tradewind("broker", "down", *where)[0] == 0
    assert tradewind("broker", "status", *where)[0] == 1


def test_a_foreground_broker_stops_in_order_when_asked(tmp_path: Path) -> None:
    process, said = in_foreground(tmp_path)
    assert probe.ask(said.split()[1]) is not None
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate()
    assert (process.returncode, rest) == (0, "down\n")
    assert Home(tmp_path).running() is None


def test_a_foreground_broker_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    process, _ = in_foreground(tmp_path)
    started = Home(tmp_path).running()
    assert started is not None
    process.kill()
    process.communicate()
    assert ends(started.pid, named=str(Home(tmp_path).properties))


def ends(pid: int, named: str) -> bool:
    for _ in range(600):
        if not alive(pid, named=named):
            return True
        sleep(0.05)
    return end(pid, named=named, patience_s=10) and False


def in_foreground(path: Path) -> tuple["subprocess.Popen[str]", str]:
    command = [
        sys.executable,
        "-m",
        "infra.cli",
        "broker",
        "up",
        "--foreground",
        "--port",
        "0",
        "--data-dir",
        str(path),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline()
