"""`tradewind forget` beside a running worker: the person's state goes, nobody else's, and it says so."""

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from agents.wiring import FLOWS
from infra import provision
from infra.cli import main
from infra.cluster.partitioner import partition_for
from infra.settings import load
from infra.state.changelog import changelog_topic
from streams.codec import encode
from streams.records import Erasure, UserEvent
from streams.times import DAY, HOUR, EventTime
from tests.kafka.harness import AT, ROOT, Setting, committed, placed, values

WORKER = ("-c", "from infra.cli import main; main(['worker', '--agents', 'recommendation,learner'])")
USERS = [f"u{n}" for n in range(6)]
WHO = "u1"
Keys = dict[str, bytes | None]  # the last value by key


@pytest.fixture
def setting(broker: str, prefix: str, tmp_path: Path) -> Generator[Setting]:
    with placed(broker, prefix, tmp_path) as place:
        yield place


def tell(setting: Setting, topic: str, *records: Any) -> None:
    client: Any = KafkaProducer(bootstrap_servers=setting.address)
    for record in records:
        key = record.user_id.encode()
        client.send(setting.prefix + topic, key=key, value=encode(record), partition=partition_for(key, 2))
    client.close()


def event(user: str, name: str, at: int, item_id: str | None = None) -> UserEvent:
    """A purchase where it has an item, else a request."""
    return UserEvent(
        event_id=f"{name}-{user}",
        user_id=user,
        type="purchase" if item_id else "request",
        occurred_at=EventTime(at),
        item_id=item_id,
    )


def shop(setting: Setting) -> int:
    """Everybody buys and asks for a slate on two days; the number of slates. The first day's have their outcome."""
    for day in range(2):
        at = AT + 2 * day * DAY
        tell(setting, "user-events", *(event(user, f"buy{day}", at, "milk") for user in USERS))
        tell(setting, "user-events", *(event(user, f"ask{day}", at + HOUR) for user in USERS))
    return 2 * len(USERS)


def slates(setting: Setting, count: int) -> list[Any]:
    return [one for one in read(setting, "recommendations", count) if one["event_id"].startswith("ask")]


def read(setting: Setting, topic: str, count: int) -> list[Any]:
    return values(committed(setting.address, setting.prefix + topic, count))


def state(setting: Setting, agent: str) -> tuple[Keys, list[str]]:
    """The last value of each key of an agent's changelog, and all keys in the order of their records."""
    topic = changelog_topic(load(prefix=setting.prefix), agent)
    rows = committed(setting.address, topic, 1)
    return {row.key.decode(): row.value for row in rows}, [row.key.decode() for row in rows]


def forget(setting: Setting, *arguments: str) -> int:
    given = ["forget", *arguments, "--bootstrap-servers", setting.address, "--prefix", setting.prefix]
    try:
        main(given)
    except SystemExit as ended:
        return int(ended.code or 0)
    raise AssertionError("the command line ends by SystemExit")


def test_one_user_goes_and_the_others_stay(setting: Setting, capsys: pytest.CaptureFixture[str]) -> None:
    setting.start(program=WORKER).wait_for("ready")
    assert len(slates(setting, shop(setting))) >= 2 * len(USERS)
    read(setting, "experiences", 1)
    before, _ = state(setting, "recommendation")
    assert before[f"user/{WHO}"]

    code = forget(setting, WHO, "--reason", "asked by letter")
    said = capsys.readouterr()

    assert code == 0, said.err
    assert f"Forgotten: {WHO}" in said.out
    assert "profile, open slates, beliefs: removed" in said.out
    assert "learned: removed" in said.out
    assert f"{setting.prefix}user-events: for ever, by retention.ms" in said.out
    after, keys = state(setting, "recommendation")
    assert f"user/{WHO}" in keys
    assert after[f"user/{WHO}"] is None
    others = [f"user/{user}" for user in USERS if user != WHO]
    assert {key: after[key] for key in others} == {key: before[key] for key in others}
    kept = {key: value for key, value in after.items() if value is not None}
    assert not [key for key, value in kept.items() if WHO in key or WHO.encode() in value]
    learned, _ = state(setting, "learner")
    assert learned[f"individual/{WHO}"] is None
    assert learned["individual/u2"]


def test_who_comes_back_starts_anew_and_a_copy_of_the_request_is_harmless(setting: Setting) -> None:
    setting.start(program=WORKER).wait_for("ready")
    count = len(slates(setting, shop(setting)))
    asked = Erasure(erasure_id="once", user_id=WHO, occurred_at=EventTime(AT + 3 * DAY))
    tell(setting, "erasures", asked)
    unlearn = [one for one in read(setting, "experiences", len(USERS) + 1) if one["kind"] == "erasure"]
    assert [one["entity"] for one in unlearn] == [WHO]

    tell(setting, "user-events", event(WHO, "buy0", AT, "milk"))  # an old one, again
    tell(setting, "user-events", event(WHO, "asknew", AT + 4 * DAY))
    assert len(slates(setting, count + 1)) == count + 1
    tell(setting, "erasures", asked)
    tell(setting, "user-events", event(WHO, "asklast", AT + 4 * DAY + HOUR))
    (last,) = [one for one in slates(setting, count + 2) if one["event_id"] == f"asklast-{WHO}"]

    kept, _ = state(setting, "recommendation")
    entry = kept[f"user/{WHO}"]
    assert entry
    assert last["decision_id"].encode() in entry
    assert b"milk" not in entry
    (before,) = [one for one in slates(setting, count + 2) if one["event_id"] == f"asknew-{WHO}"]
    assert before["decision_id"].encode() in entry  # the copy has not forgotten this one


def test_without_a_worker_it_says_so_and_the_request_is_met_later(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load(bootstrap_servers=setting.address, prefix=setting.prefix, partitions=2)
    provision.ensure(settings, [FLOWS["recommendation"], FLOWS["learner"]])
    tell(setting, "user-events", event(WHO, "ask0", AT))
    assert forget(setting, WHO, "--no-wait") == 0
    assert f"Recorded: {WHO}" in capsys.readouterr().out
    assert forget(setting, WHO, "--timeout-s", "1.5") == 1
    assert "is a `tradewind worker` running?" in capsys.readouterr().err
    setting.start(program=WORKER).wait_for("ready")
    assert len(slates(setting, 1)) == 1
    unlearn = [one for one in read(setting, "experiences", 2) if one["kind"] == "erasure"]
    assert len(unlearn) == 2
    kept, _ = state(setting, "recommendation")
    assert kept.get(f"user/{WHO}") is None


def test_on_a_cluster_without_the_topics_nothing_is_made(setting: Setting, capsys: pytest.CaptureFixture[str]) -> None:
    assert forget(setting, WHO) == 2
    assert f"topic {setting.prefix}erasures is missing" in capsys.readouterr().err
    assert forget(setting, WHO) == 2  # and not because of what the first try made


def test_no_broker_is_said_in_one_sentence() -> None:
    program = f"from infra.cli import main; main(['forget', {WHO!r}, '--bootstrap-servers', 'localhost:1'])"
    environment = {**os.environ, "TRADEWIND_START_TIMEOUT_S": "0.5"}
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert done.returncode == 2
    assert "tradewind: no Kafka broker answers at localhost:1" in done.stderr
    assert "Traceback" not in done.stderr
