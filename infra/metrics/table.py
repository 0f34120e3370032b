"""Every metric by name, as data: what is exported, what dashboards and alerts may name, what the reference says.

Seconds and counts only, as Prometheus has it: a counter ends in `_total`, a time in `_seconds`.
"""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]
Name = Literal[
    "tradewind_records_total",
    "tradewind_actions_total",
    "tradewind_dead_letters_total",
    "tradewind_ignored_total",
    "tradewind_transactions_total",
    "tradewind_step_seconds",
    "tradewind_event_to_action_seconds",
    "tradewind_lag_records",
    "tradewind_commit_age_seconds",
    "tradewind_partitions",
    "tradewind_state_entries",
    "tradewind_ready",
    "tradewind_broker_answers",
    "tradewind_event_time_seconds",
    "tradewind_policy_version",
    "tradewind_policy_info",
    "tradewind_policy_age_seconds",
    "tradewind_policy_versions_refused_total",
    "tradewind_decisions_total",
    "tradewind_decision_propensity",
    "tradewind_uniform_weights_total",
    "tradewind_uniform_weights_squared_total",
    "tradewind_outcomes_total",
    "tradewind_reward_mean",
    "tradewind_reward_drifts_total",
    "tradewind_learner_experiences_total",
    "tradewind_gate_verdicts_total",
    "tradewind_gate_gain",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric. `learner` tells what only a process that runs the learner has."""

    name: Name
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    learner: bool = False

    @property
    def series(self) -> tuple[str, ...]:
        """The names that queries may use: a histogram has three."""
        return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count")) if self._is_many else (self.name,)

    @property
    def _is_many(self) -> bool:
        return self.kind == "histogram"


_TABLE: Final = (
    Metric(
        name="tradewind_records_total",
        kind="counter",
        labels=("topic", "agent"),
        help="Records handled, those that could not be read included.",
    ),
    Metric(
        name="tradewind_actions_total",
        kind="counter",
        labels=("topic",),
        help="Records put out by the steps, by the topic they went to; dead letters are counted apart.",
    ),
    Metric(
        name="tradewind_dead_letters_total",
        kind="counter",
        labels=("topic", "reason"),
        help="Records that could not be read, by the topic they came from and why.",
    ),
    Metric(
        name="tradewind_ignored_total",
        kind="counter",
        labels=("reason",),
        help="Records that were read and deliberately not acted on, such as duplicates.",
    ),
    Metric(name="tradewind_transactions_total", kind="counter", help="Transactions committed: one per batch."),
    Metric(
        name="tradewind_step_seconds",
        kind="histogram",
        labels=("agent",),
        help="Time an agent's pure step took for one batch.",
    ),
    Metric(
        name="tradewind_event_to_action_seconds",
        kind="histogram",
        labels=("agent",),
        help="From a record's timestamp in the log to the commit of the transaction that handled it.",
    ),
    Metric(
        name="tradewind_lag_records",
        kind="gauge",
        labels=("topic", "partition"),
        help="Offsets between what has been handled and the end of the log; 0 where no record waits.",
    ),
    Metric(
        name="tradewind_commit_age_seconds",
        kind="gauge",
        labels=("agent", "partition"),
        help="For how long records have waited without a commit; 0 where none waits.",
    ),
    Metric(
        name="tradewind_partitions", kind="gauge", labels=("agent",), help="Partition numbers that this process runs."
    ),
    Metric(name="tradewind_state_entries", kind="gauge", labels=("agent",), help="Entries of state in this process."),
    Metric(
        name="tradewind_ready",
        kind="gauge",
        help="1 where partitions are assigned and restored and the brokers answer; what /readyz says.",
    ),
    Metric(name="tradewind_broker_answers", kind="gauge", help="1 while the brokers answer this process."),
    Metric(
        name="tradewind_event_time_seconds",
        kind="gauge",
        help="The greatest event time seen, in seconds since the epoch.",
    ),
    Metric(name="tradewind_policy_version", kind="gauge", help="The number of the version that serves; 0 is shipped."),
    Metric(
        name="tradewind_policy_info",
        kind="gauge",
        labels=("version", "sha256"),
        help="Always 1; its labels name the version of the policy that serves.",
    ),
    Metric(
        name="tradewind_policy_age_seconds",
        kind="gauge",
        help="Event time since the version that serves was made; absent for the shipped one.",
    ),
    Metric(
        name="tradewind_policy_versions_refused_total",
        kind="counter",
        labels=("reason",),
        help="Versions in the log that could not serve.",
    ),
    Metric(
        name="tradewind_decisions_total",
        kind="counter",
        labels=("domain", "kind"),
        help="Decisions, by kind: drawn with a propensity below 1, certain, or a shadow's.",
    ),
    Metric(
        name="tradewind_decision_propensity",
        kind="histogram",
        labels=("domain",),
        help="Propensity of the first choice of each drawn decision: its mean near 1 means no exploration is left.",
    ),
    Metric(
        name="tradewind_uniform_weights_total",
        kind="counter",
        labels=("domain",),
        help="Sum of the importance weights w = (1/K)/p of drawn first choices against a uniform one of K candidates.",
    ),
    Metric(
        name="tradewind_uniform_weights_squared_total",
        kind="counter",
        labels=("domain",),
        help="Sum of w²: (Σw)²/Σw² is the effective sample size (Kish 1965) of what was logged.",
    ),
    Metric(
        name="tradewind_outcomes_total", kind="counter", labels=("domain",), help="Outcomes matured, corrections apart."
    ),
    Metric(
        name="tradewind_reward_mean",
        kind="gauge",
        labels=("domain",),
        help="Mean reward of the outcomes since the last change that ADWIN found.",
    ),
    Metric(
        name="tradewind_reward_drifts_total",
        kind="counter",
        labels=("domain",),
        help="Changes of the mean reward that ADWIN found (Bifet & Gavaldà 2007).",
    ),
    Metric(
        name="tradewind_learner_experiences_total",
        kind="counter",
        labels=("domain",),
        learner=True,
        help="Experiences that the learner has taken in, over its whole life.",
    ),
    Metric(
        name="tradewind_gate_verdicts_total",
        kind="counter",
        labels=("domain", "verdict"),
        learner=True,
        help="Candidates that the gate has published or rejected, over the learner's whole life.",
    ),
    Metric(
        name="tradewind_gate_gain",
        kind="gauge",
        labels=("domain", "measure", "bound"),
        learner=True,
        help="What the last candidate gained over what serves: its mean, and its lower bound at 95%.",
    ),
)
METRICS: Final = {metric.name: metric for metric in _TABLE}
