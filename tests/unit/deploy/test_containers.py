"""The image and the compose file name settings, commands, ports and files that are there."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.cli import COMMANDS
from infra.settings import Settings
from tests.unit.deploy.named import DEPLOY, METRICS_PORT, ROOT, check_command, check_environment, documents, settings_in

IMAGE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
COMPOSE: Any = documents(DEPLOY / "compose.yaml")[0]
OURS = ("worker", "learner", "dashboard")
GIVEN = {"TRADEWIND_DASHBOARD_TOKEN": "0123456789abcdef0123"}


def image_environment() -> dict[str, str]:
    return dict(re.findall(r"(TRADEWIND_\w+)=(\S+)", IMAGE))


def test_the_image_sets_what_is_a_setting_and_listens_where_it_says() -> None:
    settings = check_environment(image_environment())
    assert settings.metrics_port == METRICS_PORT
    assert f"EXPOSE {METRICS_PORT}" in IMAGE
    assert f"127.0.0.1:{METRICS_PORT}/livez" in IMAGE
    check_command(["worker"])
    assert 'ENTRYPOINT ["tradewind"]' in IMAGE
    assert 'CMD ["worker"]' in IMAGE


def test_the_image_runs_as_nobody_in_particular() -> None:
    last = IMAGE[IMAGE.rindex("\nFROM ") :]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "COPY --from=build" in last


def test_what_the_image_copies_is_there_and_let_through() -> None:
    let_through = {line[1:] for line in (DEPLOY / "Containerfile.dockerignore").read_text().split() if line[0] == "!"}
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", IMAGE, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists()
            assert source.split("/")[0] in let_through


def test_an_image_is_not_built_without_being_told_which_torch(tmp_path: Path) -> None:
    install = DEPLOY / "install"
    done = subprocess.run([str(install), "dependencies"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("TORCH_INDEX: ")
    assert list(tmp_path.iterdir()) == []


def test_no_index_is_named_by_host() -> None:
    for path in (DEPLOY / "Containerfile", DEPLOY / "install", DEPLOY / "compose.yaml"):
        assert not re.search(r"https?://(?!localhost|127\.0\.0\.1|prometheus)", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", OURS)
def test_a_service_sets_settings_and_runs_a_command(name: str) -> None:
    service = COMPOSE["services"][name]
    environment = {
        **image_environment(),
        **service["environment"],
        **{k: v for k, v in GIVEN.items() if k in service["environment"]},
    }
    check_environment(environment)
    check_command([str(one) for one in service["command"]])
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert (
        settings_in(environment)["bootstrap_servers"]
        in COMPOSE["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    )


def test_what_it_mounts_is_there_and_images_are_pinned() -> None:
    for service in COMPOSE["services"].values():
        assert re.fullmatch(r"[\w./-]+:v?\d+(\.\d+)+", service["image"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]


def test_nothing_is_open_to_other_machines() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_prometheus_looks_for_the_services_that_there_are() -> None:
    (job,) = documents(DEPLOY / "prometheus/prometheus.yml")[0]["scrape_configs"]
    assert set(job["dns_sd_configs"][0]["names"]) <= set(COMPOSE["services"])


def has_compose() -> bool:
    docker = shutil.which("docker")
    return (
        docker is not None
        and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not has_compose(), reason="docker compose isn't installed")
def test_compose_itself_takes_it() -> None:
    given = {**os.environ, "TORCH_INDEX": "default", "GRAFANA_PASSWORD": "x", **GIVEN}
    command = ["docker", "compose", "-f", "compose.yaml", "config", "--quiet"]
    done = subprocess.run(command, cwd=DEPLOY, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", ["operate.md", "deploy.md"])
def test_the_pages_name_settings_and_commands_that_there_are(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert {name.lower() for name in re.findall(r"TRADEWIND_(\w+)", text)} <= set(Settings.model_fields)
    assert set(re.findall(r"`tradewind ([a-z][a-z-]+)[` ]", text)) <= set(COMMANDS)
