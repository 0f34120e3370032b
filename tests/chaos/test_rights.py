"""A broker that lets the worker do too little: it says what is missing, does nothing, and goes on once it may."""

import re
import shutil
import time
from collections.abc import Generator, Iterable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, Final

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType

from infra.broker import config, server
from tests.chaos.conftest import Form
from tests.chaos.events import steady
from tests.chaos.own_broker import OwnBroker, running
from tests.chaos.supervisor import Supervisor
from tests.chaos.trial import HEALED_S, PARTITIONS, Trial, trials
from tests.kafka.harness import placed

EVENTS: Final = 500
PASSWORD: Final = "for-this-test-only"  # noqa: S105 # of a broker that lives as long as the test

Right = tuple[ResourceType, str, ACLOperation]
_KINDS: Final = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional id": ResourceType.TRANSACTIONAL_ID,
}
_SENTENCE: Final = re.compile(r"^tradewind: the brokers refuse this user: grant it ([A-Z_ and]+) on (.*?) ([^ ]+)$")


def _rights() -> Iterator[Right]:
    """All that the ledger's worker needs."""
    topic, identity = ResourceType.TOPIC, "tradewind"
    changelog = f"{identity}-ledger-changelog"
    for name in ("user-events", "bookings", "dead-letters", "policy-versions", changelog):
        yield topic, name, ACLOperation.DESCRIBE
        yield topic, name, ACLOperation.DESCRIBE_CONFIGS
    for name in ("user-events", "policy-versions", changelog):
        yield topic, name, ACLOperation.READ
    for name in ("bookings", changelog):
        yield topic, name, ACLOperation.WRITE
    yield ResourceType.GROUP, identity, ACLOperation.READ
    for number in range(PARTITIONS):
        yield ResourceType.TRANSACTIONAL_ID, f"{identity}-ledger-{number}", ACLOperation.WRITE
        yield ResourceType.TRANSACTIONAL_ID, f"{identity}-ledger-{number}", ACLOperation.DESCRIBE


ALL: Final = frozenset(_rights())
NEEDED: Final = frozenset(right for right in ALL if right[-1] is not ACLOperation.DESCRIBE)  # the others imply that one


@pytest.fixture
def sasl_port() -> int:
    return server.free_port()


@pytest.fixture
def strict_broker(tmp_path: Path, sasl_port: int) -> Generator[OwnBroker]:
    """A broker whose users have to log in and may do nothing; the test itself comes in by a door where all is free."""
    login = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_tradewind="{PASSWORD}";'
    addition = config.Addition(
        listeners=(f"SASL_PLAINTEXT://127.0.0.1:{sasl_port}",),
        properties={
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.sasl_plaintext.plain.sasl.jaas.config": login,
        },
    )
    with running(tmp_path / "broker", addition) as started:
        yield started


def named(sentence: str) -> list[Right]:
    """The rights that a worker says it lacks."""
    found = _SENTENCE.match(sentence.replace(", ", ","))
    assert found is not None, sentence
    operations, kind, names = found.groups()
    return [
        (_KINDS[kind], name, ACLOperation[operation])
        for name in names.split(",")
        for operation in operations.split(" and ")
    ]


def grant(address: str, rights: Iterable[Right]) -> None:
    client: Any = KafkaAdminClient(bootstrap_servers=address)
    acls = [
        ACL("User:tradewind", "*", operation, ACLPermissionType.ALLOW, ResourcePattern(kind, name))
        for kind, name, operation in rights
    ]
    assert client.create_acls(acls)["failed"] == []
    client.close()


def test_a_worker_names_the_rights_that_it_lacks_until_it_has_them(
    strict_broker: OwnBroker, sasl_port: int, seed: int, form: Form, tmp_path: Path
) -> None:
    with placed(strict_broker.address, "", tmp_path) as setting, trials(setting, seed) as begin:
        run = begin("rights missing")
        withheld = ALL if form.full else frozenset(run.rng.sample(sorted(NEEDED), 3))
        granted = set(ALL - withheld)
        grant(strict_broker.address, granted)
        worker = run.supervise(
            bootstrap_servers=f"127.0.0.1:{sasl_port}",
            security_protocol="SASL_PLAINTEXT",
            sasl_username="tradewind",
            sasl_password=PASSWORD,
        )
        run.send(steady(run.rng, EVENTS))
        granted |= obey(run, worker, granted)
        # Only a changelog with something in it is read, and only once it isn't to be had from the disk.
        with worker.down():
            shutil.rmtree(setting.folder / "state")
        run.send(steady(run.rng, EVENTS, first=EVENTS))
        granted |= obey(run, worker, granted)
        run.faults = len(withheld & granted)
        assert run.finish().booked == 2 * EVENTS
        assert withheld & NEEDED <= granted <= ALL


def obey(run: Trial, worker: Supervisor, granted: AbstractSet[Right]) -> set[Right]:
    """Grant what the worker names as missing, each time it ends, until it has handled everything."""
    given: set[Right] = set()
    handled, give_up = len(worker.ends), time.monotonic() + HEALED_S
    while run.behind() and time.monotonic() < give_up:
        if handled == len(worker.ends):
            time.sleep(0.1)
            continue
        lacking = (
            set(named(worker.ends[handled].last)) - granted - given
        )  # empty, where it was started before the grant
        grant(run.setting.address, lacking)
        given |= lacking
        handled += 1
    return given
