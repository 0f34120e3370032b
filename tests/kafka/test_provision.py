"""Topics are made as they must be, and those that are there are checked."""

from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from agents.wiring import FLOWS
from infra import provision
from infra.errors import UserError
from infra.settings import Settings

BIDDING = [FLOWS["bidding"]]


@pytest.fixture
def settings(broker: str, prefix: str) -> Settings:
    return Settings(bootstrap_servers=broker, prefix=prefix, partitions=2)


def make(settings: Settings, name: str, partitions: int, **configs: str) -> None:
    client: Any = KafkaAdminClient(bootstrap_servers=settings.servers)
    topic = {"num_partitions": partitions, "replication_factor": 1, "configs": configs}
    client.create_topics({settings.topic(name): topic}, wait_for_metadata=True)
    client.close()


def test_what_is_missing_is_made_once(settings: Settings) -> None:
    made = provision.ensure(settings, list(FLOWS.values()))
    assert settings.topic("user-events") in made
    assert settings.topic("tradewind-bidding-changelog") in made
    assert provision.ensure(settings, list(FLOWS.values())) == []
    assert provision.check(settings, list(FLOWS.values())) == []


def test_changelogs_are_compacted_and_keep_deletions_for_a_week(settings: Settings) -> None:
    provision.ensure(settings, BIDDING)
    name = settings.topic("tradewind-bidding-changelog")
    client: Any = KafkaAdminClient(bootstrap_servers=settings.servers)
    found = client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)], config_filter="all")
    client.close()
    config = {key: row["value"] for key, row in found["topic"][name].items()}
    assert config["cleanup.policy"] == "compact"
    assert int(config["delete.retention.ms"]) >= 7 * 86_400_000


def test_unequal_partition_counts_are_refused_by_name(settings: Settings) -> None:
    make(settings, "ad-events", 2)
    make(settings, "campaigns", 3, **{"cleanup.policy": "compact"})
    with pytest.raises(UserError, match=r"ad-events has 2, .*campaigns has 3"):
        provision.ensure(settings, BIDDING)


def test_a_missing_topic_gets_the_partitions_of_those_it_is_read_with(settings: Settings) -> None:
    make(settings, "ad-events", 5)
    provision.ensure(settings, BIDDING)
    assert provision.check(settings, BIDDING) == []


def test_a_topic_that_forgets_what_is_in_force_is_refused(settings: Settings) -> None:
    make(settings, "campaigns", 2)
    with pytest.raises(UserError, match=r"campaigns has cleanup\.policy=delete"):
        provision.ensure(settings, BIDDING)


def test_a_topic_read_in_one_order_must_have_one_partition(settings: Settings) -> None:
    make(settings, "experiences", 2)
    assert any("experiences has 2 partitions and must have 1" in said for said in provision.check(settings, BIDDING))
