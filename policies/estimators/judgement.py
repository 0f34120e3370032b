"""What a judged log says: values with intervals, and whether it can be relied on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from policies.estimators.overlap import Overlap

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One estimator's. `low` and `high` are those of the interval that covers best; the others are in `intervals`."""

    value: float
    low: float
    high: float
    ess: float
    intervals: Mapping[str, Interval]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: null for what can't be told."""
        return {
            "value": _number(self.value),
            "low": _number(self.low),
            "high": _number(self.high),
            "ess": _number(self.ess),
            "intervals": {name: [_number(end) for end in ends] for name, ends in self.intervals.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The result on one target policy."""

    n: int
    ess: float
    max_weight: float
    verdict: Literal["ok", "refused"]
    reasons: Sequence[str]
    excluded: Mapping[str, int]
    estimators: Mapping[str, Estimate]
    overlap: Overlap
    confidence: float
    reward_range: tuple[float, float]
    clusters: int  # about: buckets in use, where there are more clusters than buckets

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "n": self.n,
            "ess": self.ess,
            "max_weight": self.max_weight,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "excluded": dict(sorted(self.excluded.items())),
            "estimators": {name: estimate.as_dict() for name, estimate in self.estimators.items()},
            "overlap": self.overlap.as_dict(),
            "confidence": self.confidence,
            "reward_range": [_number(end) for end in self.reward_range],
        }


def _number(x: float) -> float | None:
    return x if isfinite(x) else None
