"""From the counts of a process to Prometheus's families: read when somebody scrapes, so that counting stays cheap."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from time import monotonic
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from agents.versions import LEARNER
from infra.metrics.buckets import Buckets
from infra.metrics.inside import Inside
from infra.metrics.learning import gains, totals
from infra.metrics.table import METRICS, Name

Row = tuple[tuple[str, ...], float]
_COUNTED: Final = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily}


class InsideCollector(Collector):
    """Every metric of the table, from one process; those of the learner where it runs."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside

    def collect(self) -> Iterator[Metric]:
        for name, read in _READ.items():
            yield _counted(name, read(self._inside))
        for name, histograms in _HISTOGRAMS.items():
            yield _histogram(name, histograms(self._inside))
        if any(task.agent.name == LEARNER for task in self._inside.tasks()):
            for name, rows in _learning(self._inside).items():
                yield _counted(name, rows)


def _counted(name: Name, rows: Iterable[Row]) -> Metric:
    about = METRICS[name]
    family = _COUNTED[about.kind](name, about.help, labels=about.labels)
    for labels, value in rows:
        family.add_metric(labels, value)
    return family


def _histogram(name: Name, filled: Mapping[str, Buckets]) -> Metric:
    about = METRICS[name]
    family = HistogramMetricFamily(name, about.help, labels=about.labels)
    for label, buckets in filled.items():
        family.add_metric((label,), buckets.cumulative(), buckets.total)
    return family


def _single(value: float) -> list[Row]:
    return [((), float(value))]


def _by_one(counts: Mapping[str, float]) -> list[Row]:
    return [((label,), value) for label, value in counts.items()]


def _lag(inside: Inside) -> Iterator[Row]:
    for task, places in inside.pulse.lag.items():
        for where, behind in places.items():
            yield (task.inputs[where.topic].name, str(where.partition)), behind


def _commit_ages(inside: Inside) -> Iterator[Row]:
    now = monotonic()
    for task in inside.tasks():
        place = task.agent.name, task.partition
        committed = inside.observed.committed.get(place, float("-inf"))
        yield (place[0], str(place[1])), inside.pulse.commit_age(task, committed, now)


def _by_agent(inside: Inside, of: Callable[[Any], int]) -> list[Row]:
    sums: dict[str, int] = {}
    for task in inside.tasks():
        sums[task.agent.name] = sums.get(task.agent.name, 0) + of(task)
    return _by_one(sums)


def _policy_info(inside: Inside) -> list[Row]:
    current = inside.serving.current
    return [((str(current.number), current.sha256), 1.0)]


def _policy_age(inside: Inside) -> list[Row]:
    current, latest = inside.serving.current, inside.latest()
    if not current.number or not latest:
        return []
    return _single(max(0, latest - current.published_at) / 1000)


def _learning(inside: Inside) -> dict[Name, list[Row]]:
    (task, *_) = (task for task in inside.tasks() if task.agent.name == LEARNER)
    taken, verdicts = totals(task.entry("counts") if task.begun else None)
    return {
        "tradewind_learner_experiences_total": _by_one(taken),
        "tradewind_gate_verdicts_total": list(verdicts),
        "tradewind_gate_gain": list(gains(inside.verdicts)),
    }


_READ: Final[dict[Name, Callable[[Inside], Iterable[Row]]]] = {
    "tradewind_records_total": lambda x: list(x.tally.records.items()),
    "tradewind_actions_total": lambda x: _by_one(x.tally.outputs),
    "tradewind_dead_letters_total": lambda x: list(x.tally.letters.items()),
    "tradewind_ignored_total": lambda x: _by_one(x.tally.ignored),
    "tradewind_transactions_total": lambda x: _single(x.tally.transactions),
    "tradewind_lag_records": _lag,
    "tradewind_commit_age_seconds": _commit_ages,
    "tradewind_partitions": lambda x: _by_agent(x, lambda _: 1),
    "tradewind_state_entries": lambda x: _by_agent(x, lambda task: task.entries),
    "tradewind_ready": lambda x: _single(not x.health.unready()),
    "tradewind_broker_answers": lambda x: _single(x.pulse.answered(monotonic())),
    "tradewind_event_time_seconds": lambda x: _single(x.latest() / 1000),
    "tradewind_policy_version": lambda x: _single(x.serving.current.number),
    "tradewind_policy_info": _policy_info,
    "tradewind_policy_age_seconds": _policy_age,
    "tradewind_policy_versions_refused_total": lambda x: _by_one(x.serving.refused),
    "tradewind_decisions_total": lambda x: list(x.observed.quality.decisions.items()),
    "tradewind_uniform_weights_total": lambda x: _by_one(x.observed.quality.weights),
    "tradewind_uniform_weights_squared_total": lambda x: _by_one(x.observed.quality.squares),
    "tradewind_outcomes_total": lambda x: _by_one(x.observed.quality.outcomes),
    "tradewind_reward_mean": lambda x: _by_one({d: level.estimation for d, level in x.observed.quality.levels.items()}),
    "tradewind_reward_drifts_total": lambda x: _by_one(x.observed.quality.drifts),
}
_HISTOGRAMS: Final[dict[Name, Callable[[Inside], Mapping[str, Buckets]]]] = {
    "tradewind_step_seconds": lambda x: x.observed.steps,
    "tradewind_event_to_action_seconds": lambda x: x.observed.ages,
    "tradewind_decision_propensity": lambda x: x.observed.quality.propensities,
}
