"""`tradewind replay` on a real broker: run in any way, the figures are the same, and nothing is left there."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import CoordinatorNotAvailableError
from kafka.structs import OffsetAndMetadata, TopicPartition

from agents.versions import record_of
from infra.cli import main
from infra.cluster.partitioner import partition_for
from infra.history.checkpoint import begun
from infra.history.cut import frozen
from infra.history.engine import run
from infra.history.interrupt import InterruptedRun
from infra.history.job import Task
from infra.history.progress import Progress
from infra.judging.rivals import named
from infra.judging.run import JOB
from infra.judging.source import JUDGED
from infra.settings import load
from policies.artefact import pack
from policies.price_ladder import DOMAIN as PRICING
from policies.price_ladder import FLAT
from policies.slates.recommend import DOMAIN, PRIOR
from policies.version import SHIPPED, PolicyVersion, tensors_of
from streams.codec import encode
from streams.records import CatalogItem
from streams.topics import CATALOG, DECISIONS, OUTCOMES, POLICY_VERSIONS, USER_EVENTS
from tests.contract import world
from tests.kafka.harness import LONG_S
from tests.unit.judging.log import log

PARTITIONS = 2
TOPICS = (DECISIONS, OUTCOMES, CATALOG, POLICY_VERSIONS, USER_EVENTS)
POLICIES = "logged,shipped,uniform"


@dataclass(frozen=True)
class Cluster:
    """A decision log on a broker, beside a live group."""

    address: str
    prefix: str
    admin: Any

    @property
    def places(self) -> list[Any]:
        return [TopicPartition(self.prefix + topic.name, n) for topic in TOPICS for n in range(PARTITIONS)]

    def state(self) -> tuple[Any, ...]:
        """All that a reader could leave behind: groups, their offsets, and what lies on the topics."""
        ends = self.admin.list_partition_offsets(dict.fromkeys(self.places, -1))
        group = self.prefix + "live"
        there = {name for name in self.admin.list_topics() if name.startswith(self.prefix)}
        groups = {one for one in map(str, self.admin.list_groups()) if self.prefix in one}
        return ends, self.admin.list_group_offsets(group), there, groups

    def replay(self, *arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["replay", *arguments, "--bootstrap-servers", self.address, "--prefix", self.prefix])
        return int(ended.value.code or 0)


@pytest.fixture
def cluster(broker: str, prefix: str) -> Iterator[Cluster]:
    admin: Any = KafkaAdminClient(bootstrap_servers=broker)
    with closing(admin):
        made = Cluster(broker, prefix, admin)
        options = {"num_partitions": PARTITIONS, "replication_factor": 1}
        admin.create_topics({prefix + topic.name: options for topic in TOPICS}, wait_for_metadata=True)
        producer: Any = KafkaProducer(bootstrap_servers=broker)
        for one in (*log("recommendation", 600), *log("replenishment", 480), *log("pricing", 240)):
            place = partition_for(one.key or b"", PARTITIONS)
            name = prefix + one.topic.name
            producer.send(name, key=one.key, value=one.value, partition=place, timestamp_ms=one.timestamp)
        producer.send(prefix + USER_EVENTS.name, key=b"ann", value=b"{}").get(10)
        producer.close()
        _live_group(made)
        yield made


def _live_group(cluster: Cluster) -> None:
    """Be a group that has read something. On a new broker, groups take a moment."""
    give_up = time.monotonic() + LONG_S
    while True:
        try:
            offsets = {cluster.places[-1]: OffsetAndMetadata(1, "", -1)}
            cluster.admin.alter_group_offsets(cluster.prefix + "live", offsets)
        except CoordinatorNotAvailableError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.2)
        else:
            return


def figures(said: str) -> dict[str, Any]:
    """The evidence, but for what the clock says."""
    told: dict[str, Any] = json.loads(said.splitlines()[-1])
    return {name: value for name, value in told.items() if name not in {"made_at", "seconds", "events_per_second"}}


def judged(cluster: Cluster, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    code = cluster.replay("--policy", POLICIES, "--json", *arguments)
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return figures(captured.out)


def _ended(_progress: Progress, _done: int, _total: int, _messages: int) -> None:
    signal.raise_signal(signal.SIGTERM)


def interrupted(cluster: Cluster, checkpoint: Path) -> None:
    """The run that the command would make, ended by SIGTERM after its first look."""

    def stop(_done: int, _total: int, _messages: int) -> None:
        signal.raise_signal(signal.SIGTERM)

    rivals = msgspec.to_builtins(named(POLICIES, {}, SHIPPED))
    task = Task(job=JOB, options={"rivals": rivals, "versions": {}, "categories": {}})
    settings = load(bootstrap_servers=cluster.address, prefix=cluster.prefix)
    state = begun(frozen(settings, JUDGED, beyond=(OUTCOMES,)).part, task)
    with pytest.raises(InterruptedRun, match="to go on: again"):
        run(
            state,
            checkpoint=checkpoint,
            go_on="again",
            slice_s=0,
            on_progress=stop,
        )


def test_workers_give_the_figures_of_one_process_and_leave_the_cluster_as_it_was(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    before = cluster.state()
    assert before[1], "the live group has offsets"
    alone = judged(cluster, capsys)
    assert alone["judged"] > 100
    assert {name for one in alone["candidates"] for name in one["domains"]} >= {"recommendation", "replenishment"}
    assert judged(cluster, capsys, "--workers", "2") == alone
    every = judged(cluster, capsys, "--topics", "user-events")
    assert every["read"] == alone["read"] | {"user-events": 1}
    assert every["candidates"] == alone["candidates"]
    assert cluster.state() == before


def test_a_cluster_of_decisions_and_outcomes_alone_is_judged_and_without_them_it_says_what_is_missing(
    broker: str, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    admin: Any = KafkaAdminClient(bootstrap_servers=broker)
    with closing(admin):
        bare = Cluster(broker, prefix, admin)
        assert bare.replay("--policy", "logged") == 2
        assert f"none of the topics is there ({prefix}decisions, {prefix}outcomes)" in capsys.readouterr().err
        options = {"num_partitions": 1, "replication_factor": 1}
        admin.create_topics({prefix + topic.name: options for topic in JUDGED}, wait_for_metadata=True)
    producer: Any = KafkaProducer(bootstrap_servers=broker)
    for one in log("recommendation", 200):
        producer.send(prefix + one.topic.name, key=one.key, value=one.value, timestamp_ms=one.timestamp)
    producer.close()
    told = judged(bare, capsys)
    assert told["judged"] > 20
    assert told["range"]["missing"] == [prefix + CATALOG.name, prefix + POLICY_VERSIONS.name]
    assert bare.replay("--policy", "logged", "--to", "2001-01-01") == 2
    assert (
        "nothing lies in --to 2001-01-01T00:00:00Z: what there is was logged from 2017-03-02T"
        in capsys.readouterr().err
    )


def test_a_run_that_was_interrupted_goes_on_to_the_same_figures(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = judged(cluster, capsys)
    checkpoint = tmp_path / "run.json"
    interrupted(cluster, checkpoint)
    kept = json.loads(checkpoint.read_bytes())
    assert 0 < sum(one["messages"] for one in kept["units"]) < sum(alone["read"].values())

    assert cluster.replay("--policy", "popularity", "--checkpoint", str(checkpoint)) == 2
    assert "is of a run with other policies" in capsys.readouterr().err

    resumed = judged(cluster, capsys, "--checkpoint", str(checkpoint))
    assert not checkpoint.exists()
    for told in (resumed, alone):  # of what was left then
        del told["range"]["places"]
    assert resumed == alone


def test_a_version_that_comes_to_serve_meanwhile_changes_nothing_of_a_run_that_goes_on(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prior, checkpoint = tmp_path / "prior.safetensors", tmp_path / "run.json"
    tensors = {name.partition(".")[2]: x for name, x in tensors_of({PRICING: FLAT}).items()}
    prior.write_bytes(pack(tensors, {"schema": f"tradewind.{PRICING}-prior/1", "domain": PRICING}))
    asked = ("--policy", f"serving,{prior}", "--json")

    def told() -> dict[str, Any]:
        found = figures(capsys.readouterr().out)
        del found["range"]["places"]  # of what was left then
        return found

    assert cluster.replay(*asked) == 0
    whole = told()
    with monkeypatch.context() as at_once:
        at_once.setattr("infra.judging.run.run", partial(run, slice_s=0))
        at_once.setattr(Progress, "so_far", _ended)
        assert cluster.replay(*asked, "--checkpoint", str(checkpoint)) != 0
    assert checkpoint.exists()
    capsys.readouterr()

    other = PolicyVersion(number=1, parent=0, priors={DOMAIN: PRIOR | {"noise": 0.3}})
    producer: Any = KafkaProducer(bootstrap_servers=cluster.address, max_request_size=2_000_000)
    for topic, record in (
        (POLICY_VERSIONS, record_of(other, "publish", by="learner")),
        *((CATALOG, CatalogItem(item_id=item, category="moved")) for item in world.ITEMS),
    ):
        producer.send(cluster.prefix + topic.name, key=topic.key(record).encode(), value=encode(record), partition=0)
    producer.close()
    assert cluster.replay(*asked, "--checkpoint", str(checkpoint)) == 0
    resumed = told()
    assert resumed["serving"] == whole["serving"] == {"number": 0, "sha256": SHIPPED.sha256}
    assert resumed == whole
    assert cluster.replay(*asked) == 0
    assert told()["serving"]["number"] == 1  # one that begins now goes by what serves now


def test_on_a_local_ray_the_figures_are_the_same(
    cluster: Cluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ray: Any = pytest.importorskip("ray", reason="the extra `ray` isn't installed")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(num_cpus=2, include_dashboard=False, address="local", log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, OSError, RuntimeError) as error:
        pytest.skip(f"no local Ray can be started here: {error}")
    try:
        on_ray = judged(cluster, capsys, "--engine", "ray", "--workers", "2")
    finally:
        ray.shutdown()
    assert on_ray == judged(cluster, capsys)
