"""The result for a person: a table, and sentences."""

from collections.abc import Iterator
from math import isfinite

from infra.ope.evaluate import Found


def written(found: Found) -> Iterator[str]:
    """Its lines."""
    judged = found.judgement
    yield f"{found.lines:,} lines, {judged.n:,} decisions used"
    yield f"effective sample size {judged.ess:,.1f}, largest weight {judged.max_weight:.4g}"
    yield ""
    yield f"{'estimator':<14}{'value':>14}{f'{judged.confidence:.0%} interval':>32}{'ESS':>12}"
    for name, estimate in judged.estimators.items():
        ess = f"{estimate.ess:,.1f}" if isfinite(estimate.ess) else "-"
        between = f"[{estimate.low:.6g}, {estimate.high:.6g}]"
        yield f"{name:<14}{estimate.value:>14.6g}{between:>32}{ess:>12}"
    yield ""
    yield f"verdict: {judged.verdict}"
    yield from (f"  - {reason}" for reason in (*judged.reasons, *found.remarks))
