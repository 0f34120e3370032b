"""The table of metrics: named as Prometheus wants it, told of in the reference, and collected whole."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agents.learner import Counts
from agents.versions import Serving
from infra.cluster.clients import Partition
from infra.metrics import table
from infra.metrics.collector import InsideCollector
from infra.metrics.health import Health
from infra.metrics.inside import Inside
from infra.metrics.observed import Observed
from infra.metrics.pulse import Pulse
from infra.metrics.reference import PATH, page
from infra.serving.tally import Tally
from policies.version import PolicyVersion
from streams.topics import EXPERIENCES, Topic

ROOT = Path(__file__).parents[4]


@dataclass(eq=False)
class Named:
    name: str = "learner"
    reads: tuple[Topic, ...] = (EXPERIENCES,)
    watches: tuple[Topic, ...] = ()
    emits: tuple[Topic, ...] = ()
    step: Any = None


@dataclass(eq=False)
class Work:
    """A task of the learner."""

    agent: Named = field(default_factory=Named)
    partition: int = 3
    begun: bool = True
    entries: int = 7
    inputs: dict[str, Topic] = field(default_factory=lambda: {"eu.experiences": EXPERIENCES})
    unread: dict[Partition, int] = field(default_factory=lambda: {Partition("eu.experiences", 3): 10})

    def entry(self, key: str, /) -> bytes | None:
        counts = Counts(taken={"bidding": 900}, published={"bidding": 2}, rejected={"bidding": 5})
        return msgspec.msgpack.encode(counts) if key == "counts" else None


class Log:
    """Logs that all end at 25."""

    async def ends(self, unread: Any) -> dict[Partition, int]:
        return dict.fromkeys(unread, 25)

    async def answers(self) -> None:
        pass


def inside(*tasks: Work) -> Inside:
    """A process that has seen a little of everything."""
    pulse = Pulse(lambda: tasks, Log())
    observed = Observed()
    observed.steps["learner"].add(0.02)
    observed.ages["learner"].add(0.3, 4)
    quality = observed.quality
    quality.decisions["bidding", "drawn"] = 4
    quality.propensities["bidding"].add(0.5)
    quality.weights["bidding"] = quality.squares["bidding"] = 1.5
    tally = Tally()
    tally.records["experiences", "learner"] = 11
    tally.letters["experiences", "not-json"] = 1
    tally.ignored["duplicate"] = 2
    serving = Serving(current=PolicyVersion(number=4, parent=3, priors={}, published_at=5_000))
    serving.refused["older"] = 3
    verdict = {"log_likelihood": {"entities": 9, "gain": 0.25, "lower": -0.5}, "reward": None}
    return Inside(
        tasks=lambda: tasks,
        latest=lambda: 65_000,
        serving=serving,
        verdicts={"bidding": verdict},
        tally=tally,
        observed=observed,
        pulse=pulse,
        health=Health(
            failed=lambda: False,
            standstills=list[str],
            assigned=lambda: True,
            warm=lambda: True,
            tasks=lambda: tasks,
            answered=lambda: True,
        ),
    )


def collected(given: Inside) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    registry = CollectorRegistry()
    registry.register(InsideCollector(given))
    families: Any = text_string_to_metric_families(generate_latest(registry).decode())
    return {(row.name, frozenset(row.labels.items())): row.value for one in families for row in one.samples}


def test_every_name_has_its_line_and_is_named_by_the_rules() -> None:
    assert set(table.METRICS) == set(get_args(table.Name))
    for metric in table.METRICS.values():
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.kind != "histogram" or metric.name.endswith("_seconds") or "propensity" in metric.name
        assert metric.help.endswith(".")


def test_the_reference_is_made_of_the_table() -> None:
    assert (ROOT / PATH).read_text(encoding="utf-8") == page(), "python -m infra.metrics.reference writes it anew"


def test_a_scrape_says_what_there_is() -> None:
    found = collected(inside(Work()))

    def value(name: str, **labels: str) -> float:
        return found[name, frozenset(labels.items())]

    assert value("tradewind_records_total", topic="experiences", agent="learner") == 11
    assert value("tradewind_dead_letters_total", topic="experiences", reason="not-json") == 1
    assert value("tradewind_ignored_total", reason="duplicate") == 2
    assert value("tradewind_event_to_action_seconds_bucket", agent="learner", le="0.25") == 0
    assert value("tradewind_event_to_action_seconds_bucket", agent="learner", le="0.5") == 4
    assert value("tradewind_event_to_action_seconds_sum", agent="learner") == pytest.approx(1.2)
    assert value("tradewind_state_entries", agent="learner") == 7
    assert value("tradewind_policy_age_seconds") == 60
    assert value("tradewind_policy_versions_refused_total", reason="older") == 3
    assert value("tradewind_learner_experiences_total", domain="bidding") == 900
    assert value("tradewind_gate_verdicts_total", domain="bidding", verdict="rejected") == 5
    assert value("tradewind_gate_gain", domain="bidding", measure="log_likelihood", bound="lower") == -0.5
    assert value("tradewind_commit_age_seconds", agent="learner", partition="3") == 0
    assert value("tradewind_ready") == 1


def test_only_what_is_in_the_table_is_told_and_with_its_labels() -> None:
    series = {name: metric for metric in table.METRICS.values() for name in metric.series}
    for name, labels in collected(inside(Work())):
        assert {label for label, _ in labels} - {"le"} == set(series[name].labels)


def test_without_the_learner_nothing_is_told_of_it() -> None:
    names = {name for name, _ in collected(inside(Work(agent=Named(name="items"))))}
    learners = {name for metric in table.METRICS.values() if metric.learner for name in metric.series}
    assert not names & learners
    assert learners & {name for name, _ in collected(inside(Work()))} == learners
