"""A history from Kafka is a frozen cut of what was committed, by time; reading it leaves no trace on the cluster."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.structs import TopicPartition

from infra.errors import UserError
from infra.history.checkpoint import begun, resumed, save
from infra.history.cut import frozen
from infra.history.engine import run
from infra.history.job import Task
from infra.history.message import Found, Message
from infra.history.part import LogPart, pack, unpack
from infra.history.reading import messages
from infra.settings import Settings, load
from streams.topics import CATALOG, DECISIONS, ORDERS, OUTCOMES, USER_EVENTS, Topic

AT = 1_483_272_000_000
TALLY = Task(job="tests.unit.history.tally:Tally")


@pytest.fixture
def settings(broker: str, prefix: str) -> Settings:
    return load(bootstrap_servers=broker, prefix=prefix)


@pytest.fixture
def admin(broker: str, settings: Settings) -> Iterator[Any]:
    made: Any = KafkaAdminClient(bootstrap_servers=broker)
    with closing(made):
        names = (settings.topic(topic.name) for topic in (USER_EVENTS, DECISIONS, OUTCOMES))
        made.create_topics({name: {"num_partitions": 2, "replication_factor": 1} for name in names})
        yield made


@pytest.fixture
def producer(broker: str, prefix: str, admin: Any) -> Iterator[Any]:
    made: Any = KafkaProducer(bootstrap_servers=broker, transactional_id=f"{prefix}history")
    with closing(made):
        made.init_transactions()
        yield made


def one(number: int, topic: Topic = USER_EVENTS, partition: int = 0) -> Message:
    return Message(topic, f"k{number % 7}".encode(), b'{"n":%d}' % number, AT + number, partition)


def put(producer: Any, settings: Settings, given: Sequence[Message], *, commit: bool = True) -> None:
    """One transaction."""
    producer.begin_transaction()
    for it in given:
        name = settings.topic(it.topic.name)
        producer.send(name, key=it.key, value=it.value, partition=it.partition, timestamp_ms=it.timestamp)
    producer.commit_transaction() if commit else producer.abort_transaction()


def read(part: LogPart) -> list[Found]:
    with messages(part) as found:
        got = list(found)
        assert found.done == found.total
        return got


def told(found: Sequence[Found]) -> list[Message]:
    """Without offsets."""
    return [it._replace(offset=None) for it in found if isinstance(it, Message)]


def test_a_range_holds_what_the_log_got_in_that_time_and_outcomes_go_on_to_the_end(
    settings: Settings, producer: Any
) -> None:
    decisions = [one(number, DECISIONS, number % 2) for number in range(100)]
    outcomes = [one(number + 50, OUTCOMES, number % 2) for number in range(100)]
    put(producer, settings, decisions)
    put(producer, settings, outcomes)
    topics = [DECISIONS, OUTCOMES]

    inside = read(frozen(settings, topics, since=AT + 20, until=AT + 60).part)
    matured = read(frozen(settings, topics, since=AT + 20, until=AT + 60, beyond=[OUTCOMES]).part)

    expected = sorted((*decisions[20:60], *outcomes[:10]), key=lambda it: (it.timestamp, it.topic is OUTCOMES))
    assert told(inside) == expected
    assert told(matured) == sorted((*decisions[20:60], *outcomes), key=lambda it: (it.timestamp, it.topic is OUTCOMES))
    assert told(read(frozen(settings, topics).part)) == sorted(
        (*decisions, *outcomes), key=lambda it: (it.timestamp, it.topic is OUTCOMES)
    )


def test_an_empty_range_is_said_with_the_range_there_is(settings: Settings, producer: Any) -> None:
    put(producer, settings, [one(0), one(3_600_000)])
    with pytest.raises(UserError, match="from 2017-01-01T12:00:00Z to 2017-01-01T13:00:00Z"):
        frozen(settings, [USER_EVENTS], since=AT + 4_000_000)
    with pytest.raises(UserError, match=r"nothing lies in --from 2017-01-01T11.*--to 2017-01-01T11"):
        frozen(settings, [USER_EVENTS], since=AT - 3_600_000, until=AT - 1_800_000)
    with pytest.raises(UserError, match="no records at all"):
        frozen(settings, [DECISIONS], since=AT)


def test_a_copied_log_whose_transactions_end_today_is_cut_by_its_own_times(settings: Settings, producer: Any) -> None:
    given = [one(number) for number in range(100)]
    for start in range(0, 100, 10):
        put(producer, settings, given[start : start + 10])
    part = frozen(settings, [USER_EVENTS], since=AT + 35, until=AT + 75).part
    assert told(read(part)) == given[35:75]


def test_aborted_records_are_unseen_and_a_partition_of_markers_ends(settings: Settings, producer: Any) -> None:
    put(producer, settings, [one(number, partition=1) for number in range(300)], commit=False)
    put(producer, settings, [one(5)])
    put(producer, settings, [one(number) for number in range(300)], commit=False)
    cut = frozen(settings, [USER_EVENTS, ORDERS])
    assert cut.missing == [settings.topic("orders")]
    assert told(read(cut.part)) == [one(5)]


def test_the_end_is_frozen_before_open_transactions_and_what_comes_later(settings: Settings, producer: Any) -> None:
    put(producer, settings, [one(number) for number in range(10)])
    producer.begin_transaction()
    name = settings.topic(USER_EVENTS.name)
    producer.send(name, key=b"k", value=b"open", partition=0, timestamp_ms=AT + 11).get(10)
    part = frozen(settings, [USER_EVENTS]).part
    with messages(part) as found:
        first = list(islice(found, 3))
        producer.commit_transaction()
        put(producer, settings, [one(number, partition=number % 2) for number in range(20, 2000)])
        assert told([*first, *found]) == [one(number) for number in range(10)]


def test_reading_joins_no_group_and_writes_nothing(settings: Settings, producer: Any, admin: Any, broker: str) -> None:
    put(producer, settings, [one(number) for number in range(10)])
    places: list[Any] = [TopicPartition(settings.topic(USER_EVENTS.name), number) for number in range(2)]
    groups, ends = admin.list_groups(), admin.list_partition_offsets(dict.fromkeys(places, -1))
    assert len(read(frozen(settings, [USER_EVENTS]).part)) == 10
    assert admin.list_groups() == groups
    assert admin.list_partition_offsets(dict.fromkeys(places, -1)) == ends
    assert settings.topic(ORDERS.name) not in admin.list_topics()


def test_a_reading_goes_on_from_any_place_as_if_it_had_not_stopped(settings: Settings, producer: Any) -> None:
    given = [one(number * 7 % 60, [DECISIONS, OUTCOMES][number % 2], number // 2 % 2) for number in range(60)]
    for start in range(0, 60, 15):
        put(producer, settings, given[start : start + 15])
    part = frozen(settings, [DECISIONS, OUTCOMES]).part
    everything = read(part)
    assert len(everything) == 60
    for stop in range(0, 61, 12):
        with messages(part) as found:
            first = list(islice(found, stop))
            left = unpack(pack(found.rest()))
        assert isinstance(left, LogPart)
        assert [*first, *read(left)] == everything


def test_records_deleted_meanwhile_are_said_not_skipped(settings: Settings, producer: Any, admin: Any) -> None:
    put(producer, settings, [one(number) for number in range(10)])
    part = frozen(settings, [USER_EVENTS]).part
    admin.delete_records({TopicPartition(settings.topic(USER_EVENTS.name), 0): 5})
    with pytest.raises(UserError, match="from offset 0 on have been deleted"):
        read(part)
    assert told(read(frozen(settings, [USER_EVENTS]).part)) == [one(number) for number in range(5, 10)]


def test_any_number_of_workers_gives_the_same_figures(settings: Settings, producer: Any, tmp_path: Path) -> None:
    given = [one(number, [DECISIONS, OUTCOMES][number % 2], number // 2 % 2) for number in range(400)]
    put(producer, settings, given)
    part = frozen(settings, [DECISIONS, OUTCOMES], by="event").part
    results = [run(begun(part, TALLY, workers=workers)) for workers in (1, 2, 5)]
    assert len({ran.job.dump() for ran in results}) == 1
    assert {ran.messages for ran in results} == {400}
    save(begun(part, TALLY, workers=2), tmp_path / "run.json")
    assert run(resumed(tmp_path / "run.json", TALLY)).job.dump() == results[0].job.dump()


def test_on_a_local_ray_the_figures_are_the_same(
    settings: Settings, producer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray: Any = pytest.importorskip("ray", reason="the extra `ray` isn't installed")
    put(producer, settings, [one(number, [DECISIONS, OUTCOMES][number % 2], number // 2 % 2) for number in range(400)])
    part = frozen(settings, [DECISIONS, OUTCOMES]).part
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(num_cpus=2, include_dashboard=False, address="local", log_to_driver=False, logging_level="ERROR")
    try:
        ran = run(begun(part, TALLY, workers=2), engine="ray")
    finally:
        ray.shutdown()
    assert ran.messages == 400
    assert ran.job.dump() == run(begun(part, TALLY)).job.dump()


def test_a_compacted_topic_is_read_with_its_deletions_whatever_was_swept_away(
    settings: Settings, producer: Any, admin: Any
) -> None:
    name = settings.topic(CATALOG.name)
    admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1, "configs": COMPACTING}})
    rows = [Message(CATALOG, b"same", b"%d" % number, AT + number) for number in range(200)]
    for start in range(0, 200, 20):
        put(producer, settings, rows[start : start + 20])
    put(producer, settings, [Message(CATALOG, b"same", None, AT + 200)])
    found = told(read(frozen(settings, [CATALOG]).part))
    assert found[-1].value is None
    assert [it for it in [*rows, found[-1]] if it in found] == found


COMPACTING = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"}


def test_no_broker_and_no_topic_are_said_in_one_sentence(settings: Settings) -> None:
    with pytest.raises(UserError, match="no Kafka broker answers at localhost:1"):
        frozen(load(bootstrap_servers="localhost:1", start_timeout_s=1), [USER_EVENTS])
    with pytest.raises(UserError, match="none of the topics is there"):
        frozen(settings, [ORDERS])
