"""An export is what a read_committed reader sees, in the order of the log's time, and no byte of it is lost."""

import asyncio
import gzip
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from infra.errors import UserError
from infra.export import export, wanted
from infra.replay.lines import parse
from infra.replay.message import Message
from infra.settings import Settings, load
from streams.topics import BY_NAME, CATALOG, ORDERS, USER_EVENTS

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
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [parse(line) for line in raw.splitlines()]


@pytest.mark.parametrize("name", ["history.jsonl", "history.jsonl.gz"])
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

    written = asyncio.run(export(settings, [USER_EVENTS, CATALOG, ORDERS], out))

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


def test_empty_topics_end_at_once(settings: Settings, producer: Any, tmp_path: Path) -> None:
    assert asyncio.run(export(settings, [USER_EVENTS], tmp_path / "none.jsonl")) == 0


def test_no_topic_at_all_is_said_in_one_sentence(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none of the topics is there"):
        asyncio.run(export(settings, [USER_EVENTS], tmp_path / "none.jsonl"))


def test_no_broker_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no Kafka broker answers at localhost:1"):
        asyncio.run(export(load(bootstrap_servers="localhost:1"), [USER_EVENTS], tmp_path / "none.jsonl"))


def test_topics_are_chosen_by_name() -> None:
    assert wanted("orders, catalog", inputs_only=False) == [ORDERS, CATALOG]
    assert {topic.role for topic in wanted(None, inputs_only=True)} == {"input"}
    assert wanted(None, inputs_only=False) == list(BY_NAME.values())
    with pytest.raises(UserError, match="nope"):
        wanted("nope", inputs_only=False)
