"""What decisions and outcomes say of the policy as they go by: exploration left, effective sample size, drift.

Sums and one ADWIN a domain; no record is kept. A certain decision (propensity 1) tells nothing of other policies and
is counted apart, as off-policy estimates leave it out; so is a shadow's, about which nothing is done.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from river.drift import ADWIN

from agents.contract import Output
from infra.metrics.buckets import SHARE, Buckets
from policies.experiments import SHADOW
from streams.records import Decision, Outcome
from streams.topics import DECISIONS, OUTCOMES


def _shares() -> Buckets:
    return Buckets(SHARE)


@dataclass(slots=True)
class Quality:
    """Totals since the start, by domain."""

    decisions: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])  # by domain and kind
    propensities: defaultdict[str, Buckets] = field(default_factory=lambda: defaultdict[str, Buckets](_shares))
    weights: defaultdict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    squares: defaultdict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    outcomes: Counter[str] = field(default_factory=Counter[str])
    drifts: Counter[str] = field(default_factory=Counter[str])
    levels: dict[str, ADWIN] = field(default_factory=dict[str, ADWIN])

    def look(self, outputs: Iterable[Output]) -> None:
        """Take in what a step has put out."""
        for made in outputs:
            if made.topic is DECISIONS:
                self._decided(made.record)
            elif made.topic is OUTCOMES:
                self._matured(made.record)

    def _decided(self, one: Decision) -> None:
        if one.arm.startswith(SHADOW):
            self.decisions[one.domain, "shadow"] += 1
            return
        first = one.slot_propensities[0] if one.slot_propensities else one.propensity
        certain = one.propensity == 1.0 or first <= 0.0
        self.decisions[one.domain, "certain" if certain else "drawn"] += 1
        if certain:
            return
        self.propensities[one.domain].add(first)
        if one.candidates:
            weight = 1.0 / (len(one.candidates) * first)
            self.weights[one.domain] += weight
            self.squares[one.domain] += weight * weight

    def _matured(self, one: Outcome) -> None:
        if one.label != "final":
            return
        self.outcomes[one.domain] += 1
        level = self.levels.get(one.domain)
        if level is None:
            level = self.levels[one.domain] = ADWIN()
        level.update(one.reward)
        self.drifts[one.domain] += level.drift_detected
