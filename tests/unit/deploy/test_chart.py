"""The Helm chart, as it was rendered: manifests that Kubernetes takes, and that say what Tradewind understands."""

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from agents.wiring import SERVING
from infra.serving.app import group_of
from infra.settings import load
from tests.unit.deploy.named import DEPLOY, METRICS_PORT, ROOT, check_command, check_environment, documents

CHART = DEPLOY / "helm/tradewind"
RENDERED = DEPLOY / "kubernetes"
CASES = sorted(path.name.removesuffix(".values.yaml") for path in RENDERED.glob("*.values.yaml"))
KUBERNETES = "1.30"
CUSTOM = {"ScaledObject", "ServiceMonitor", "PrometheusRule"}  # of operators: their schemas aren't Kubernetes's


def manifests(case: str) -> list[Any]:
    return documents(RENDERED / f"{case}.yaml")


def one(case: str, kind: str, name: str) -> Any:
    (found,) = [made for made in manifests(case) if (made["kind"], made["metadata"]["name"]) == (kind, name)]
    return found


def pods(case: str) -> list[Any]:
    return [made for made in manifests(case) if made["kind"] in {"StatefulSet", "Deployment"}]


def container(workload: Any) -> Any:
    (found,) = workload["spec"]["template"]["spec"]["containers"]
    return found


def environment(workload: Any) -> dict[str, str]:
    """What a container is given; what is known only in the cluster stands as `from-<where>`."""
    return {
        row["name"]: row.get("value", f"from-{next(iter(row.get('valueFrom', ['-'])))}")
        for row in container(workload)["env"]
    }


@pytest.mark.parametrize("case", CASES)
def test_kubernetes_takes_the_manifests(case: str) -> None:
    made = manifests(case)
    assert {manifest["kind"] for manifest in made} >= {"StatefulSet", "Service", "PodDisruptionBudget", "NetworkPolicy"}
    for manifest in made:
        if manifest["kind"] not in CUSTOM:
            kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_the_check_sees_a_wrong_manifest() -> None:
    wrong = one("plain", "StatefulSet", "tradewind-worker")
    wrong["spec"]["replica"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES, strict=True)


@pytest.mark.parametrize("case", CASES)
def test_every_variable_is_a_setting_and_every_command_is_there(case: str) -> None:
    for workload in pods(case):
        given = environment(workload)
        check_environment(given)
        check_command(container(workload)["args"])
        assert len(container(workload)["env"]) == len(given), "a variable is set twice"


@pytest.mark.parametrize("case", CASES)
def test_a_member_of_a_group_is_known_by_its_pod_and_keeps_its_state(case: str) -> None:
    for name in ("tradewind-worker", "tradewind-learner"):
        workload = one(case, "StatefulSet", name)
        rows = {row["name"]: row for row in container(workload)["env"]}
        assert rows["TRADEWIND_GROUP_INSTANCE_ID"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
        (claim,) = workload["spec"]["volumeClaimTemplates"]
        mounts = {mount["name"]: mount["mountPath"] for mount in container(workload)["volumeMounts"]}
        assert rows["TRADEWIND_STATE_DIR"]["value"].startswith(mounts[claim["metadata"]["name"]] + "/")


@pytest.mark.parametrize("case", CASES)
def test_ports_agree_and_probes_ask_what_answers(case: str) -> None:
    for name in ("tradewind-worker", "tradewind-learner"):
        workload = one(case, "StatefulSet", name)
        box = container(workload)
        assert box["ports"] == [{"name": "metrics", "containerPort": METRICS_PORT}]
        assert environment(workload)["TRADEWIND_METRICS_PORT"] == str(METRICS_PORT)
        assert one(case, "Service", name)["spec"]["ports"][0]["targetPort"] == "metrics"
        asked = {probe: box[f"{probe}Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")}
        assert {probe: get["path"] for probe, get in asked.items()} == {
            "startup": "/livez",
            "liveness": "/livez",
            "readiness": "/readyz",
        }
        assert {get["port"] for get in asked.values()} == {"metrics"}


@pytest.mark.parametrize("case", CASES)
def test_nothing_runs_with_more_rights_than_it_needs(case: str) -> None:
    for workload in pods(case):
        pod = workload["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert not pod["automountServiceAccountToken"]
        rights = container(workload)["securityContext"]
        assert rights["readOnlyRootFilesystem"]
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert not rights["allowPrivilegeEscalation"]


@pytest.mark.parametrize("case", CASES)
def test_selectors_find_the_pods_that_they_mean(case: str) -> None:
    labels = {made["metadata"]["name"]: made["spec"]["template"]["metadata"]["labels"] for made in pods(case)}
    for made in manifests(case):
        if made["kind"] in {"Service", "PodDisruptionBudget"}:
            selector = made["spec"]["selector"]
            wanted = selector.get("matchLabels", selector).items()
            assert [name for name, found in labels.items() if wanted <= found.items()] == [made["metadata"]["name"]]


def test_lag_is_asked_of_the_group_that_the_workers_are_in() -> None:
    given = check_environment(environment(one("keda", "StatefulSet", "tradewind-worker")))
    triggers = one("keda", "ScaledObject", "tradewind-worker")["spec"]["triggers"]
    assert {trigger["metadata"]["consumerGroup"] for trigger in triggers} == {group_of(given, SERVING, SERVING)}
    assert {trigger["metadata"]["bootstrapServers"] for trigger in triggers} == {given.bootstrap_servers}
    assert {trigger["metadata"]["topic"] for trigger in triggers} == {given.topic("user-events"), given.topic("orders")}
    target = one("hpa", "HorizontalPodAutoscaler", "tradewind-worker")["spec"]
    assert target["scaleTargetRef"]["name"] == "tradewind-worker"
    assert target["metrics"][0]["pods"]["metric"]["name"] == "tradewind_lag_records"
    assert "replicas" not in one("hpa", "StatefulSet", "tradewind-worker")["spec"]


def test_the_operators_get_the_same_alerts() -> None:
    rule = one("keda", "PrometheusRule", "tradewind")
    assert rule["spec"] == documents(DEPLOY / "prometheus/rules.yml")[0]
    monitor = one("keda", "ServiceMonitor", "tradewind")["spec"]
    service = one("keda", "Service", "tradewind-worker")["metadata"]["labels"]
    assert service[monitor["jobLabel"]] == "tradewind"
    assert monitor["selector"]["matchLabels"].items() <= service.items()


def test_the_charts_own_settings_are_tradewinds() -> None:
    values: Any = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    own = load(**values["settings"], **values["learner"]["settings"])
    assert own.partitions >= values["autoscaling"]["maxReplicas"]
    assert set(values["autoscaling"]["topics"]) <= {own.topic(t) for t in values["autoscaling"]["topics"]}


@pytest.mark.parametrize("case", CASES)
def test_what_is_rendered_is_of_this_chart(case: str) -> None:
    values = RENDERED / f"{case}.values.yaml"
    sources = sorted(
        (path for path in CHART.rglob("*") if path.is_file()), key=lambda path: str(path.relative_to(ROOT)).encode()
    )
    made_of = sha256(b"".join(path.read_bytes() for path in [*sources, values])).hexdigest()
    first = (RENDERED / f"{case}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert made_of in first, "the chart has changed: scripts/render-chart renders it anew"


@pytest.mark.skipif(shutil.which("helm") is None, reason="helm isn't installed")
def test_helm_renders_the_same(tmp_path: Path) -> None:
    subprocess.run([str(ROOT / "scripts/render-chart"), str(tmp_path)], check=True)
    for case in CASES:
        assert (tmp_path / f"{case}.yaml").read_text() == (RENDERED / f"{case}.yaml").read_text()


@pytest.mark.skipif(shutil.which("helm") is None, reason="helm isn't installed")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("settings.Partitions=3", "Partitions"),
        ("settings.state_dir=/x", "state_dir"),
        ("autoscaling.kind=often", "kind"),
        ("dashboard.enabled=true", "tokenSecret"),
    ],
)
def test_helm_refuses_wrong_values(given: str, said: str) -> None:
    command = ["helm", "template", "t", str(CHART), "--kube-version", "1.30.0", "--set", given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert said in done.stderr
