"""Dashboard and alerts go by metrics that exist, and what an alert asks for is written down."""

import json
import re
import shutil
import subprocess
from itertools import combinations
from typing import Any

import pytest

from infra.metrics.table import METRICS
from tests.unit.deploy.named import DEPLOY, METRICS_PORT, ROOT, documents, labels_in, names_in

SERIES = {series: metric for metric in METRICS.values() for series in metric.series}
EVERYWHERE = {"instance", "job"}
PROMETHEUS = DEPLOY / "prometheus"


def dashboard() -> Any:
    return json.loads((DEPLOY / "grafana/tradewind.json").read_text(encoding="utf-8"))


def charts() -> list[Any]:
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def alerts() -> list[Any]:
    (rules,) = documents(PROMETHEUS / "rules.yml")
    return [rule for group in rules["groups"] for rule in group["rules"]]


def queries() -> list[str]:
    return [rule["expr"] for rule in alerts()] + [one["expr"] for panel in charts() for one in panel["targets"]]


@pytest.mark.parametrize("query", queries())
def test_a_query_names_metrics_and_labels_that_exist(query: str) -> None:
    assert names_in(query) <= set(SERIES)
    for name, labels in labels_in(query):
        assert labels <= {*SERIES[name].labels, *EVERYWHERE, *(["le"] if name.endswith("_bucket") else [])}
    known = {label for name in names_in(query) for label in SERIES[name].labels} | EVERYWHERE | {"le"}
    grouped = {label.strip() for found in re.findall(r"\bby \(([^)]*)\)", query) for label in found.split(",")}
    assert grouped <= known


def test_every_metric_is_shown_or_alerted_on() -> None:
    seen = {SERIES[name].name for query in queries() for name in names_in(query)}
    assert set(METRICS) - seen == {"tradewind_event_time_seconds", "tradewind_transactions_total"}


def test_no_panel_lies_over_another() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for a, b in combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]


def test_an_alert_says_how_bad_it_is_and_the_playbook_what_to_do() -> None:
    playbook = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^### (Tradewind\w+)", playbook, re.MULTILINE))
    names = [rule["alert"] for rule in alerts()]
    assert len(set(names)) == len(names)
    assert headings == set(names)
    for rule in alerts():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "description"}


def test_each_alert_is_tried() -> None:
    (tried,) = documents(PROMETHEUS / "rules_test.yml")
    text = str(tried)
    assert [rule["alert"] for rule in alerts() if rule["alert"] not in text] == []


def test_prometheus_scrapes_the_port_of_the_image() -> None:
    (config,) = documents(PROMETHEUS / "prometheus.yml")
    (job,) = config["scrape_configs"]
    assert job["job_name"] == "tradewind"  # by which rules and dashboard go
    assert {found["port"] for found in job["dns_sd_configs"]} == {METRICS_PORT}
    assert config["rule_files"] == ["rules.yml"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool isn't installed: it comes with Prometheus")
@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "rules.yml"), ("check", "config", "prometheus.yml"), ("test", "rules", "rules_test.yml")],
)
def test_prometheus_itself_takes_them(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)  # noqa: S607
    assert done.returncode == 0, done.stdout + done.stderr
