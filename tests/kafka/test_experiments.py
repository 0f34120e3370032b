"""An experiment on the real broker: a worker decides by arm, says so in the log, and a shadow does nothing."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from agents.versions import record_of
from infra.cli import main
from infra.settings import load
from policies.slates.recommend import DOMAIN, PRIOR
from policies.version import PolicyVersion
from streams.codec import encode
from streams.records import CatalogItem, UserEvent
from streams.times import EventTime
from streams.topics import CATALOG, POLICY_VERSIONS, USER_EVENTS, Topic
from tests.contract import world
from tests.kafka.harness import AT, LONG_S, Setting, committed, placed, values

WORKER = ("-c", "from infra.cli import main; main(['worker', '--agents', 'recommendation'])")
TRIAL = {"name": "warm", "domain": "recommendation", "arms": {"control": 0.6, "v7": 0.4}, "shadow": [8]}
USERS = [f"user-{n}" for n in range(30)]


@pytest.fixture
def setting(broker: str, prefix: str, tmp_path: Path) -> Generator[Setting]:
    with placed(broker, prefix, tmp_path) as place:
        yield place


def version(number: int) -> PolicyVersion:
    priors = {DOMAIN: PRIOR | {"temperature": 0.01 * number}}
    return PolicyVersion(number=number, parent=6, parent_sha256="0" * 64, priors=priors)


def tell(setting: Setting, topic: Topic, *records: Any) -> None:
    client: Any = KafkaProducer(bootstrap_servers=setting.address, max_request_size=2_000_000)
    for record in records:
        client.send(setting.prefix + topic.name, key=topic.key(record).encode(), value=encode(record)).get(LONG_S)
    client.close()


def replayed(setting: Setting, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["replay", "--verify", "--json", "--bootstrap-servers", setting.address, "--prefix", setting.prefix])
    assert not ended.value.code
    return json.loads(capsys.readouterr().out)


def test_both_arms_act_and_say_so_and_a_shadow_decides_for_the_log_alone(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    setting.start("first", program=WORKER).wait_for("ready")  # it makes the topics
    tell(setting, CATALOG, *(CatalogItem(item_id=item, category="c") for item in world.ITEMS))
    # Neither comes to serve: they follow a version that isn't the one that serves, and are there to be tried.
    tell(setting, POLICY_VERSIONS, *(record_of(version(number), "publish", by="learner") for number in (7, 8)))
    assert setting.workers[0].stop() == 0
    setting.start("second", program=WORKER, experiments=json.dumps([TRIAL])).wait_for("ready")
    asked = [
        UserEvent(event_id=f"e-{user}", user_id=user, type="request", occurred_at=EventTime(AT + n))
        for n, user in enumerate(USERS)
    ]
    tell(setting, USER_EVENTS, *asked)

    decisions = values(committed(setting.address, setting.prefix + "decisions", 2 * len(USERS)))
    slates = values(committed(setting.address, setting.prefix + "recommendations", len(USERS)))
    real = {one["decision_id"]: one for one in decisions if not one["arm"].startswith("shadow:")}
    shadows = [one for one in decisions if one["arm"].startswith("shadow:")]
    (trial,) = load(experiments=[TRIAL]).experiments
    for one in real.values():
        arm = trial.arm_of(one["entity"])
        assert (one["arm"], one["policy_version"]) == (f"warm/{arm}", 7 if arm == "v7" else 0)
        assert one["exploration"]["experiment"] == {"name": "warm", "shares": {"control": 0.6, "v7": 0.4}}
    assert {one["arm"] for one in real.values()} == {"warm/control", "warm/v7"}
    assert {one["decision_id"]: one["policy_version"] for one in slates} == {
        name: one["policy_version"] for name, one in real.items()
    }
    assert {one["exploration"]["shadow_of"] for one in shadows} == set(real)
    assert {(one["arm"], one["policy_version"]) for one in shadows} == {("shadow:8", 8)}

    evidence = replayed(setting, capsys)
    assert evidence["verified"]["recomputed_share"] == 1.0
    assert evidence["verified"]["reproduced_share"] == 1.0
    assert evidence["left_out"]["shadow"] == len(USERS)
    (shadow,) = evidence["shadows"]
    assert (shadow["version"], shadow["decisions"]) == (8, len(USERS))
