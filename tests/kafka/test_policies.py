"""Versions of the policy on the real broker: learned, taken up, promoted, rolled back, refused; a learner killed."""

import json
import time
from base64 import b64encode
from collections.abc import Callable, Generator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kafka import KafkaProducer
from msgspec.structs import replace

from agents.versions import record_of
from agents.wiring import FLOWS
from infra import provision
from infra.cli import main
from infra.judging.evidence import Named
from infra.report import written
from infra.settings import load
from infra.state.changelog import changelog_topic
from policies.slates.recommend import DOMAIN, FEATURES, PRIOR
from policies.version import SHIPPED, PolicyVersion
from streams.codec import encode
from streams.records import Experience, PolicyVersionRecord, UserEvent
from streams.times import HOUR, EventTime
from streams.topics import EXPERIENCES, POLICY_VERSIONS, USER_EVENTS, Topic
from tests.kafka.harness import AT, LONG_S, Setting, committed, placed, values
from tests.unit.report.made import SLATES, candidate, evidence, logged
from tests.unit.report.made import judged as judgement

WORKER = ("-c", "from infra.cli import main; main(['worker', '--agents', 'recommendation'])")
LEARNER = ("-c", "from infra.cli import main; main(['learner', '--cpu-share', '1'])")


@pytest.fixture
def setting(broker: str, prefix: str, tmp_path: Path) -> Generator[Setting]:
    with placed(broker, prefix, tmp_path) as place:
        yield place


def tell(setting: Setting, topic: Topic, *records: Any) -> None:
    client: Any = KafkaProducer(bootstrap_servers=setting.address, max_request_size=2_000_000)
    for record in records:
        key = topic.key(record).encode()
        client.send(setting.prefix + topic.name, key=key, value=encode(record), partition=0)
    client.close()


def experiences(numbers: range) -> list[Experience]:
    """Ten slots each of forty people whose rewards the shipped prior doesn't foresee."""
    rng = np.random.default_rng(numbers.start)
    weights = np.array(PRIOR["mean"]) + 0.15
    made: list[Experience] = []
    for n in numbers:
        phi = rng.random((10, len(FEATURES)))
        told = Experience(
            experience_id=f"x{n}",
            domain=DOMAIN,
            entity=f"u{n % 40}",
            occurred_at=EventTime(AT + n * HOUR),
            contexts=phi.tolist(),
            outcomes=(phi @ weights + rng.normal(0.0, 0.1, 10)).tolist(),
            policy_version=0,
            propensities=[0.1] * 10,
        )
        made.append(told)
    return made


def version(number: int, noise: float = 0.2, parent: PolicyVersion = SHIPPED) -> PolicyVersion:
    priors = {DOMAIN: PRIOR | {"noise": noise}}
    return PolicyVersion(number=number, parent=parent.number, parent_sha256=parent.sha256, priors=priors)


def policies(setting: Setting, *arguments: str) -> int:
    try:
        main(["policies", *arguments, "--bootstrap-servers", setting.address, "--prefix", setting.prefix])
    except SystemExit as ended:
        return int(ended.code or 0)
    raise AssertionError("the command line ends by SystemExit")


def listed(setting: Setting, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    assert policies(setting, "list", "--json") == 0
    return json.loads(capsys.readouterr().out)


class Customer:
    """Asks for slates, and sees which version served them."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.asked = 0

    def served(self) -> tuple[int, str]:
        """The version that decided a slate asked for now, and its hash."""
        self.asked += 1
        name = f"ask{self.asked}"
        event = UserEvent(event_id=name, user_id="ann", type="request", occurred_at=EventTime(AT + self.asked))
        tell(self.setting, USER_EVENTS, event)
        give_up = time.monotonic() + LONG_S
        while time.monotonic() < give_up:
            for one in values(committed(self.setting.address, self.setting.prefix + "decisions", self.asked)):
                if name in one["event_ids"]:
                    return one["policy_version"], one["policy_hash"]
        raise AssertionError("no slate")

    def until(self, wanted: Callable[[int], bool]) -> tuple[int, str]:
        """The first version that is as wanted."""
        for _ in range(10):
            number, digest = self.served()
            if wanted(number):
                return number, digest
        raise AssertionError("another version goes on serving")


def test_a_learner_publishes_and_a_running_worker_takes_it_up(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    setting.start("worker", program=WORKER).wait_for("ready")
    learner = setting.start("learner", program=LEARNER)
    learner.wait_for("ready")
    customer = Customer(setting)
    assert customer.served() == (0, SHIPPED.sha256)
    tell(setting, EXPERIENCES, *experiences(range(300)))
    number, digest = customer.until(lambda number: number > 0)
    found = listed(setting, capsys)
    (row,) = (one for one in found["versions"] if one["number"] == number)
    assert (row["sha256"], row["by"], row["domain"]) == (digest, "learner", DOMAIN)
    assert row["evidence"]["log_likelihood"]["lower"] > 0

    learner.kill()
    learner = setting.start("learner", program=LEARNER)
    learner.wait_for("ready")
    tell(setting, EXPERIENCES, *experiences(range(300, 700)))
    give_up = time.monotonic() + LONG_S
    while time.monotonic() < give_up and _taken(setting) < 700:
        time.sleep(0.3)
    assert _taken(setting) == 700  # of these 300 were before the kill
    assert all(one["parent"] < one["number"] for one in listed(setting, capsys)["versions"])
    assert learner.stop() == 0


def _taken(setting: Setting) -> int:
    """How many experiences the learner's state counts."""
    import msgspec

    rows = committed(setting.address, changelog_topic(load(prefix=setting.prefix), "learner"), 1)
    counted = [row.value for row in rows if row.key == b"counts"]
    return msgspec.msgpack.decode(counted[-1])["taken"][DOMAIN] if counted else 0


def test_people_roll_back_and_hold_and_let_go_and_a_worker_follows(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    setting.start("worker", program=WORKER).wait_for("ready")
    customer = Customer(setting)
    first = version(1)
    second = version(2, noise=0.3, parent=first)
    tell(setting, POLICY_VERSIONS, *(record_of(one, "publish", by="learner") for one in (first, second)))
    assert customer.until(lambda number: number == 2) == (2, second.sha256)

    assert policies(setting, "rollback", "--reason", "clicks fell") == 0
    assert customer.until(lambda number: number == 1) == (1, first.sha256)
    late = version(3, noise=0.4, parent=first)
    tell(setting, POLICY_VERSIONS, record_of(late, "publish", by="learner"))
    assert customer.served()[0] == 1
    assert listed(setting, capsys)["held"]
    assert policies(setting, "promote", "2", "--force", "--reason", "a false alarm") == 0
    assert customer.until(lambda number: number == 2) == (2, second.sha256)


def test_evidence_promotes_a_version_and_is_kept_with_the_act(
    setting: Setting, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    provision.ensure(load(bootstrap_servers=setting.address, prefix=setting.prefix), [FLOWS["recommendation"]])
    first = version(1)
    second = version(2, noise=0.3, parent=first)
    tell(setting, POLICY_VERSIONS, *(record_of(one, "publish", by="learner") for one in (first, second)))
    assert policies(setting, "rollback", "--reason", "clicks fell") == 0
    assert policies(setting, "promote", "2", "--reason", "it is better") == 2
    assert "needs evidence" in capsys.readouterr().err
    for reach, ended in ((0.2, 2), (0.04, 0)):
        judged = candidate(Named(number=2, sha256=second.sha256), {SLATES: judgement(0.1, reach)})
        serving = Named(number=1, sha256=first.sha256)
        told = evidence(judged, serving=serving, logged={SLATES: logged({"1": 9})}, made_at=int(time.time() * 1000))
        path = tmp_path / "report.html"
        written.write(path, told)
        assert policies(setting, "promote", "2", "--evidence", str(path)) == ended
    said = capsys.readouterr()
    assert "version 2 earns 0.7 a decision at least, and version 1, which serves, 0.8" in said.err
    assert policies(setting, "show", "2") == 0
    kept = sha256(path.read_bytes()).hexdigest()[:12]
    assert f"on evidence report.html [evidence {kept}; {SLATES} +0.1 (+0.06 to +0.14)" in capsys.readouterr().out
    found = listed(setting, capsys)
    assert (found["serving"], found["held"]) == (2, False)


def test_a_file_is_promoted_and_what_ships_again_and_a_new_worker_agrees(
    setting: Setting, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    worker = setting.start("worker", program=WORKER)
    worker.wait_for("ready")
    customer, artefact = Customer(setting), tmp_path / "one.safetensors"
    artefact.write_bytes(version(1).raw)
    assert policies(setting, "promote", str(artefact), "--force", "--reason", "trained on last year") == 0
    number, _ = customer.until(lambda number: number > 0)
    capsys.readouterr()
    assert policies(setting, "show", "1") == 0
    assert "trained on last year" in capsys.readouterr().out
    assert policies(setting, "promote", "0", "--force", "--reason", "as shipped") == 0
    assert customer.until(lambda number: number == 0) == (0, SHIPPED.sha256)
    found = listed(setting, capsys)
    assert (found["serving"], found["previous"], found["held"]) == (0, number, False)
    assert worker.stop() == 0

    setting.start("worker", program=WORKER).wait_for("ready")  # it reads the log anew
    assert customer.served() == (0, SHIPPED.sha256)


def decided_by_a_new_worker(setting: Setting, turn: int, experiments: list[Any], users: list[str]) -> list[Any]:
    """All decisions so far, after a worker that has just started was asked once by each user, and has ended."""
    worker = setting.start(f"turn{turn}", program=WORKER, experiments=json.dumps(experiments))
    worker.wait_for("ready")
    at = EventTime(AT + 1000 * turn)
    tell(
        setting,
        USER_EVENTS,
        *(UserEvent(event_id=f"{turn}/{user}", user_id=user, type="request", occurred_at=at) for user in users),
    )
    made = values(committed(setting.address, setting.prefix + "decisions", len(users) * (turn + 1)))
    assert worker.stop() == 0
    return made


def test_what_is_offered_is_tried_and_never_serves_all_also_after_a_restart(
    setting: Setting, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provision.ensure(load(bootstrap_servers=setting.address, prefix=setting.prefix), [FLOWS["recommendation"]])
    artefact, one = tmp_path / "one.safetensors", version(1)
    artefact.write_bytes(one.raw)
    assert policies(setting, "offer", str(artefact), "--reason", "to be tried on half") == 0
    assert "Version 1 (offered) can be tried; no experiment takes it yet" in capsys.readouterr().out
    trial = {"name": "half", "domain": DOMAIN, "arms": {"control": 0.5, "v1": 0.5}}
    users = {f"user-{n}": load(experiments=[trial]).experiments[0].arm_of(f"user-{n}") for n in range(12)}
    assert set(users.values()) == {"control", "v1"}
    tried: list[dict[str, Any]] = []
    for turn, experiments in enumerate(([trial], [trial], [])):
        tried = decided_by_a_new_worker(setting, turn, experiments, list(users))
    number = {one["event_ids"][0]: one["policy_version"] for one in tried}
    for user, arm in users.items():
        assert [number[f"{turn}/{user}"] for turn in range(3)] == [arm == "v1", arm == "v1", 0]
    monkeypatch.setenv("TRADEWIND_EXPERIMENTS", json.dumps([{**trial, "shadow": [9]}]))
    found = listed(setting, capsys)
    assert (found["serving"], found["sha256"]) == (0, SHIPPED.sha256)
    (row,) = found["versions"]
    assert (row["status"], row["refused"]) == ("offered", "")
    assert row["arms"] == [{"experiment": "half", "domain": DOMAIN, "arm": "v1", "share": 0.5}]
    assert "takes version 9, which isn't there" in found["missing"][0]
    assert policies(setting, "promote", "1", "--force", "--reason", "the trial won") == 0
    assert listed(setting, capsys)["serving"] == 1


def test_what_cannot_serve_is_refused_with_the_reason_and_serving_goes_on(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = setting.start("worker", program=WORKER)
    worker.wait_for("ready")
    customer = Customer(setting)
    good = version(1)
    tell(setting, POLICY_VERSIONS, record_of(good, "publish", by="learner"))
    assert customer.until(lambda number: number == 1)[1] == good.sha256
    bad = record_of(version(5), "promote", by="ann")
    damaged = bytearray(version(5).raw)
    damaged[-3] ^= 1
    refused: list[PolicyVersionRecord] = [
        replace(bad, artefact=b64encode(damaged).decode()),
        replace(bad, artefact="not base64!", published_at=1),
        replace(bad, artefact="Bücher", published_at=3),
        replace(bad, schema="another/1", published_at=2),
        record_of(version(6, noise=float("nan")), "promote", by="ann"),
        record_of(version(1, noise=0.5), "publish", by="learner"),
    ]
    tell(setting, POLICY_VERSIONS, *refused)
    for _ in range(3):
        assert customer.served() == (1, good.sha256)
    said = worker.errors.read_text()
    for reason in ("was damaged or replaced", "base64", "another/1", "finite", "is older than version 1"):
        assert reason in said, reason
    assert said.count("is refused") == len(refused)
    assert policies(setting, "promote", "6", "--force", "--reason", "try") == 2
    assert "version 6 can't serve: " in capsys.readouterr().err
    assert worker.process.poll() is None
