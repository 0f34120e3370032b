"""An export is what a read_committed reader sees, in the order of the log's time, and no byte of it is lost."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from infra.errors import UserError
from infra.export import export, wanted
from infra.history.files import files
from infra.history.interrupt import InterruptedRun
from infra.history.message import Message
from infra.history.reading import messages
from infra.settings import Settings, load
from streams.topics import BY_NAME, CATALOG, ORDERS, USER_EVENTS

AT = 1_483_272_000_000
STRANGE = (b"\xff\xfe", b'"text"', b"null", b"", b'{\n"a": 1}', None, b"NaN", b'{"a":1}')


@pytest.fixture
def settings(broker: str, prefix: str) -> Settings:
    return load(bootstrap_servers=broker, prefix=prefix)


@pytest.fixture
def producer(broker: str, prefix: str, settings: Settings) -> Iterator[Any]:
    admin: Any = KafkaAdminClient(bootstrap_servers=broker)
    with closing(admin):
        names = (settings.topic(topic.name) for topic in (USER_EVENTS, CATALOG))
        admin.create_topics({name: {"num_partitions": 2, "replication_factor": 1} for name in names})
    made: Any = KafkaProducer(bootstrap_servers=broker, transactional_id=f"{prefix}export")
    with closing(made):
        made.init_transactions()
        yield made


def read(path: Path) -> list[Message]:
    with messages(files([path])) as found:
        return [one for one in found if isinstance(one, Message)]


@pytest.mark.parametrize("name", ["history.jsonl", "history.jsonl.gz", "history.jsonl.zst", "history.parquet"])
def test_committed_records_come_back_byte_for_byte_in_the_order_of_their_time(
    settings: Settings, producer: Any, tmp_path: Path, name: str
) -> None:
    sent = [
        Message([USER_EVENTS, CATALOG][place % 2], f"k{place}".encode(), value, 1_000 + place, place // 2 % 2)
        for place, value in enumerate(STRANGE * 300)
    ]
    for start in range(0, len(sent), 400):
        producer.begin_transaction()
        for one in reversed(sent[start : start + 400 : 3]):
            put(producer, settings, one._replace(timestamp=1, value=b"aborted"))
        producer.abort_transaction()
        producer.begin_transaction()
        for one in sent[start : start + 400]:
            put(producer, settings, one)
        producer.commit_transaction()
    out = tmp_path / name

    written = export(settings, [USER_EVENTS, CATALOG, ORDERS], out)

    got = read(out)
    assert written == len(got) == len(sent)
    assert [one._replace(offset=None) for one in got] == sent
    places = [(one.topic.name, one.partition, one.offset) for one in got]
    assert len(set(places)) == len(sent)


def put(producer: Any, settings: Settings, one: Message) -> None:
    producer.send(
        settings.topic(one.topic.name),
        key=one.key,
        value=one.value,
        partition=one.partition,
        timestamp_ms=one.timestamp,
    )


def test_a_range_is_a_part_of_it(settings: Settings, producer: Any, tmp_path: Path) -> None:
    producer.begin_transaction()
    for place in range(100):
        put(producer, settings, Message(USER_EVENTS, b"k", b"%d" % place, AT + place))
    producer.commit_transaction()
    assert export(settings, [USER_EVENTS], tmp_path / "some.jsonl", since=AT + 20, until=AT + 30) == 10
    assert [one.value for one in read(tmp_path / "some.jsonl")] == [b"%d" % place for place in range(20, 30)]
    with pytest.raises(UserError, match="nothing lies in --from"):
        export(settings, [USER_EVENTS], tmp_path / "none.jsonl", since=AT + 100)
    assert not (tmp_path / "none.jsonl").exists()


def test_a_signal_ends_it_and_leaves_what_was_there(settings: Settings, producer: Any, tmp_path: Path) -> None:
    producer.begin_transaction()
    for place in range(100):
        put(producer, settings, Message(USER_EVENTS, b"k", b"%d" % place, AT + place))
    producer.commit_transaction()
    out = tmp_path / "some.jsonl"
    out.write_bytes(b"before")

    def watch(_: object) -> Callable[[], None]:
        return lambda: os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(InterruptedRun, match="stopped after 1 records"):
        export(settings, [USER_EVENTS], out, watch=watch)
    assert out.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [out]


def test_empty_topics_end_at_once(settings: Settings, producer: Any, tmp_path: Path) -> None:
    assert export(settings, [USER_EVENTS], tmp_path / "none.jsonl") == 0


def test_no_topic_at_all_is_said_in_one_sentence(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none of the topics is there"):
        export(settings, [USER_EVENTS], tmp_path / "none.jsonl")


def test_no_broker_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no Kafka broker answers at localhost:1"):
        export(load(bootstrap_servers="localhost:1"), [USER_EVENTS], tmp_path / "none.jsonl")


def test_topics_are_chosen_by_name() -> None:
    assert wanted("orders, catalog", inputs_only=False) == [ORDERS, CATALOG]
    assert {topic.role for topic in wanted(None, inputs_only=True)} == {"input"}
    assert wanted(None, inputs_only=False) == list(BY_NAME.values())
    with pytest.raises(UserError, match="nope"):
        wanted("nope", inputs_only=False)
