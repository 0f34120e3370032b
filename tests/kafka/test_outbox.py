"""One transaction per batch: whole or not at all, and only by the newest owner."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaError
from kafka import KafkaAdminClient

from infra.cluster.clients import Partition, producer
from infra.cluster.outbox import FencedError, Message, Outbox, _transactions  # pyright: ignore[reportPrivateUsage] # the client's book
from infra.settings import Settings
from infra.state.changelog import catch_up, changes
from infra.state.entries import Entries
from infra.state.mark import Progress
from tests.kafka.harness import committed

GROUP = "readers"


@pytest.fixture
def settings(broker: str, prefix: str) -> Settings:
    return Settings(bootstrap_servers=broker, prefix=prefix)


@pytest.fixture
def topic(broker: str, prefix: str) -> str:
    client: Any = KafkaAdminClient(bootstrap_servers=broker)
    name = f"{prefix}out"
    client.create_topics({name: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    client.close()
    return name


def outbox(settings: Settings) -> Outbox:
    return Outbox(settings, transactional_id=f"{settings.prefix}it", group=settings.prefix + GROUP)


def keys(settings: Settings, topic: str, count: int) -> list[bytes]:
    return [record.key for record in committed(settings.bootstrap_servers, topic, count)]


def test_an_older_owner_is_fenced_and_writes_nothing(settings: Settings, topic: str) -> None:
    async def take_over() -> None:
        old = await outbox(settings).start()
        await old.commit([Message(Partition(topic, 0), b"by the old one", b"1")], {})
        new = await outbox(settings).start()
        with pytest.raises(FencedError, match="taken over"):
            await old.commit([Message(Partition(topic, 0), b"too late", b"2")], {Partition(topic, 0): 5})
        await new.commit([Message(Partition(topic, 0), b"by the new one", b"3")], {})
        await asyncio.gather(old.stop(), new.stop())

    asyncio.run(take_over())
    assert keys(settings, topic, 2) == [b"by the old one", b"by the new one"]


def test_what_was_opened_ahead_holds_nobody_up(settings: Settings, topic: str) -> None:
    """Neither readers, while it is open; nor those who take over, when its owner is gone."""

    async def write() -> None:
        left = await outbox(settings).start()
        await left.commit([Message(Partition(topic, 0), b"first", b"1")], {})
        other = await Outbox(
            settings, transactional_id=f"{settings.prefix}other", group=settings.prefix + GROUP
        ).start()
        await other.commit([Message(Partition(topic, 0), b"second", b"2")], {})
        await other.rest()
        assert left.is_open
        assert not other.is_open
        assert await asyncio.to_thread(keys, settings, topic, 2) == [b"first", b"second"]
        heir = await outbox(settings).start()
        await heir.commit([Message(Partition(topic, 0), b"third", b"3")], {})
        with pytest.raises(FencedError, match="taken over"):
            await left.commit([Message(Partition(topic, 0), b"too late", b"4")], {})
        await asyncio.gather(left.stop(), other.stop(), heir.stop())

    asyncio.run(write())
    assert keys(settings, topic, 3) == [b"first", b"second", b"third"]


@pytest.mark.parametrize("then", ["commit", "rest"])
def test_what_goes_wrong_with_a_transaction_opened_ahead_does_no_harm(
    settings: Settings, topic: str, then: str
) -> None:
    async def write() -> None:
        box = await outbox(settings).start()
        await box.commit([Message(Partition(topic, 0), b"first", b"1")], {})
        book: Any = _transactions(box._producer)  # pyright: ignore[reportPrivateUsage] # as above
        await asyncio.sleep(1.0)  # until the coordinator has been told
        assert not book.partitions_to_add()
        book.error_transaction(KafkaError("the coordinator was away"))
        if then == "rest":
            await box.rest()
        await box.commit([Message(Partition(topic, 0), b"second", b"2")], {Partition(topic, 0): 1})
        await box.stop()

    asyncio.run(write())
    assert keys(settings, topic, 2) == [b"first", b"second"]


def test_messages_keep_their_order_over_the_size_of_a_batch(settings: Settings, topic: str) -> None:
    messages = [Message(Partition(topic, 0), b"%d" % number, bytes(200_000)) for number in range(12)]

    async def send() -> None:
        box = await outbox(settings).start()
        await box.commit(messages, {})
        await box.stop()

    asyncio.run(send())
    assert keys(settings, topic, 12) == [message.key for message in messages]


def test_a_state_is_restored_to_its_last_committed_transaction(settings: Settings, topic: str, tmp_path: Path) -> None:
    async def write_and_die() -> None:
        box = await outbox(settings).start()
        await box.commit(changes(topic, 0, {"a": b"1", "b": b"2"}, Progress(applied={"in": 1}, now=10)), {})
        await box.commit(changes(topic, 0, {"a": b"3", "b": None}, Progress(applied={"in": 7}, now=20)), {})
        await box.stop()
        dying = producer(settings, transactional_id=f"{settings.prefix}it")
        await dying.start()
        await dying.begin_transaction()
        batch = dying.create_batch()
        batch.append(timestamp=None, key=b"a", value=b"never", headers=[])
        await (await dying.send_batch(batch, topic, partition=0))
        await dying.stop()  # the transaction stays open, as after kill -9

    async def come_back() -> None:
        box = await outbox(settings).start()
        entries = Entries(tmp_path / "store")
        await catch_up(settings, topic, 0, entries)
        await box.stop()
        assert (entries.get("a"), entries.get("b"), len(entries)) == (b"3", None, 1)
        assert entries.mark.progress == Progress(applied={"in": 7}, now=20)
        await entries.close()

    asyncio.run(write_and_die())
    asyncio.run(come_back())


def test_an_empty_changelog_is_an_empty_state(settings: Settings, topic: str, tmp_path: Path) -> None:
    async def read() -> int:
        entries = Entries(tmp_path / "store")
        await catch_up(settings, topic, 0, entries)
        await entries.close()
        return len(entries)

    assert asyncio.run(read()) == 0


async def _told(
    settings: Settings, topic: str, entries: Entries, *steps: tuple[dict[str, bytes | None], Progress]
) -> None:
    """Commit these steps to the changelog, and catch up with it."""
    box = await outbox(settings).start()
    for writes, progress in steps:
        await box.commit(changes(topic, 0, writes, progress), {})
    await catch_up(settings, topic, 0, entries)
    await box.stop()


def test_what_lies_on_the_disk_is_built_on(settings: Settings, topic: str, tmp_path: Path) -> None:
    async def live() -> None:
        entries = Entries(tmp_path / "store")
        await _told(settings, topic, entries, ({"a": b"1", "b": b"2"}, Progress(now=1, lineage="x")))
        await entries.save()
        at = entries.mark.at
        await entries.close()
        entries = Entries(tmp_path / "store")
        assert entries.mark.at == at >= 0
        await _told(settings, topic, entries, ({"b": None, "c": b"3"}, Progress(now=2, lineage="x")))
        assert [entries.get(key) for key in "abc"] == [b"1", None, b"3"]
        assert (len(entries), entries.mark.progress.now) == (2, 2)
        assert entries.mark.at > at
        await entries.close()

    asyncio.run(live())


@pytest.mark.parametrize(("lineage", "at"), [("another", 1), ("x", 10_000)])
def test_what_was_kept_of_another_changelog_is_discarded(
    settings: Settings, topic: str, tmp_path: Path, lineage: str, at: int
) -> None:
    """The topic was made anew, or lost its end: the same name, and other records."""

    async def live() -> None:
        entries = Entries(tmp_path / "store")
        entries.apply({"stale": b"1"}, Progress(now=9, lineage=lineage), at)
        await _told(
            settings, topic, entries, ({"a": b"1"}, Progress(now=1, lineage="x")), ({}, Progress(now=2, lineage="x"))
        )
        assert (entries.get("stale"), entries.get("a"), len(entries)) == (None, b"1", 1)
        assert entries.mark.progress.now == 2
        await entries.close()

    asyncio.run(live())
