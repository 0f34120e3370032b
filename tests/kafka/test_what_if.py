"""A what-if of a range on Kafka is that of the same records in a file."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from infra.errors import UserError
from infra.settings import load
from infra.whatif.source import Source
from infra.whatif.stock import what_if
from infra.whatif.stock_wish import Wish
from streams.topics import CATALOG, ORDERS, REPLENISHMENT_ORDERS, STOCK_UPDATES
from tests.unit.whatif.recording import source
from tests.unit.whatif.test_stock import recording, saved


def test_kafka_and_a_file_say_the_same(broker: str, prefix: str, tmp_path: Path) -> None:
    settings, made = load(bootstrap_servers=broker, prefix=prefix), recording(3.0, days=15).run()
    admin: Any = KafkaAdminClient(bootstrap_servers=broker)
    with closing(admin):
        names = [settings.topic(topic.name) for topic in (ORDERS, STOCK_UPDATES, REPLENISHMENT_ORDERS, CATALOG)]
        admin.create_topics({name: {"num_partitions": 2, "replication_factor": 1} for name in names})
    producer: Any = KafkaProducer(bootstrap_servers=broker)
    with closing(producer):
        for one in made:
            producer.send(settings.topic(one.topic.name), key=one.key, value=one.value, timestamp_ms=one.timestamp)
        producer.flush()
    there, here = what_if(Source(settings=settings), Wish()), what_if(source(saved(tmp_path / "h.jsonl", made)), Wish())
    for part in ("policies", "recorded", "check", "assumptions"):
        assert there[part] == here[part]
    assert there["check"]["share"] == 1.0
    with pytest.raises(UserError, match="nothing lies in"):
        what_if(Source(settings=settings, since=1_900_000_000_000), Wish())
