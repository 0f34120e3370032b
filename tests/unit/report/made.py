"""Evidence made up for tests: a serving version, one that earns more, one that can't be told, and a rule."""

from math import sin
from typing import Any

from infra.judging.evidence import (
    ArmRead,
    Bin,
    Calibration,
    Candidate,
    Difference,
    Estimate,
    Evidence,
    ExperimentRead,
    Judgement,
    Logged,
    Named,
    Place,
    Point,
    Range,
    Recomputed,
    Reproduced,
    Segment,
    ShadowRead,
    Verified,
    Weights,
)
from streams.times import DAY

NOW = 1_700_000_000_000
SERVING = Named(number=4, sha256="4" * 64)
BETTER = Named(number=7, sha256="7" * 64)
ELSE = Named(number=8, sha256="8" * 64)
SLATES = "recommendation"
HOSTILE = "</script><script>alert(1)</script>\u2028" + "w" * 120
METHOD = "empirical-likelihood"


def about(value: float, reach: float) -> Estimate:
    return Estimate(value=value, low=value - reach, high=value + reach, interval=METHOD)


def curve(level: float, points: int = 12) -> list[Point]:
    return [
        Point(
            since=NOW + (at - points) * DAY,
            until=NOW + (at + 1 - points) * DAY,
            decisions=100 + at,
            observed=0.8 + 0.1 * sin(at),
            estimate=about(level + 0.1 * sin(at), 0.05),
        )
        for at in range(points)
    ]


def segments(level: float, effective: float = 900.0) -> list[Segment]:
    names = [("customer", "returning"), ("customer", "new"), ("category of the first item", HOSTILE)]
    names += [("category of the first item", f"category {n}") for n in range(14)]
    return [
        Segment(
            by=by,
            name=name,
            decisions=1000 - 10 * place,
            observed=level,
            estimate=about(level - 0.01 * place, 0.05),
            effective=effective if place != 1 else 12.0,
        )
        for place, (by, name) in enumerate(names)
    ]


def judged(gain: float = 0.1, reach: float = 0.04, **changed: Any) -> Judgement:
    """A judgement of slates: the difference to what was logged is `gain` ± `reach`."""
    given: dict[str, Any] = {
        "verdict": "ok",
        "remarks": ["140 left out: immature"],
        "decisions": 3400,
        "entities": 100,
        "headline": "cascade-dr",
        "value": about(0.8 + gain, 0.06),
        "difference": about(gain, reach),
        "same": 0.5,
        "estimators": {"cascade-dr": about(0.8 + gain, 0.06), "ips": about(0.8 + gain, 0.2), "new-one": Estimate()},
        "weights": Weights(
            effective=1900.0,
            whole_slates=800.0,
            largest=11.5,
            mean=1.01,
            zero=3,
            histogram=[
                Bin(low=0.0, high=0.0, count=3),
                Bin(low=0.5, high=1.0, count=1700),
                Bin(low=8, high=11.5, count=2),
            ],
        ),
        "curve": curve(0.8 + gain),
        "segments": segments(0.8 + gain),
    }
    return Judgement(**(given | changed))


def refused(*reasons: str) -> Judgement:
    return judged(gain=9.75, verdict="refused", reasons=list(reasons))


def candidate(named: Named, domains: dict[Any, Judgement], **changed: Any) -> Candidate:
    given: dict[str, Any] = {"name": str(named.number), "kind": "version", "changes": [SLATES]}
    return Candidate(version=named.number, sha256=named.sha256, domains=domains, **(given | changed))


def logged(versions: dict[str, int] | None = None, **changed: Any) -> Logged:
    given: dict[str, Any] = {
        "decisions": 3400,
        "entities": 31,
        "value": about(0.8, 0.05),
        "curve": curve(0.8),
        "segments": segments(0.8),
        "calibration": [Calibration(actions=340, predicted=0.02 * n, observed=0.019 * n + 0.002) for n in range(10)],
        "reward_model": "the user's own belief",
        "versions": versions or {str(SERVING.number): 3400},
    }
    return Logged(**(given | changed))


def evidence(*candidates: Candidate, **changed: Any) -> Evidence:
    given: dict[str, Any] = {
        "made_by": "tradewind 0",
        "made_at": NOW,
        "serving": SERVING,
        "range": Range(
            first_decision=NOW - 12 * DAY,
            last_decision=NOW,
            source=HOSTILE,
            topics=["decisions"],
            places=[Place(topic="decisions", partition=0, start=3, end=9)],
        ),
        "read": {"decisions": 3540, "outcomes": 3400},
        "judged": 3400,
        "left_out": {"immature": 140, "fallback": 7},
        "logged": {SLATES: logged()},
        "candidates": list(candidates),
        "verified": Verified(
            passed=False,
            recomputed=Recomputed(
                decisions=3540,
                equal=3539,
                differing={"recommendation: propensity": 1},
                first=Difference(
                    decision_id=HOSTILE, domain=SLATES, field="propensity", logged=HOSTILE, remade={"a": [HOSTILE]}
                ),
            ),
            recomputed_share=3539 / 3540,
            reproduced=Reproduced(decisions=3540, equal=3530, causes={"views": 10}, runs_equal=True, sha256="ab" * 32),
            reproduced_share=3530 / 3540,
        ),
        "seconds": 3.5,
        "events_per_second": 1983.0,
    }
    return Evidence(**(given | changed))


def experiment(name: str, **changed: Any) -> ExperimentRead:
    arms = [
        ArmRead(name="control", share=0.5, entities=100, decisions=900, mean=0.8, difference=Estimate()),
        ArmRead(name=HOSTILE, share=0.5, entities=90, decisions=880, mean=0.87, difference=about(0.0712, 0.05)),
    ]
    given: dict[str, Any] = {"verdict": "ok", "decisions": 1780, "mismatch": 0.4, "arms": arms}
    return ExperimentRead(name=name, domain=SLATES, **(given | changed))


def rich() -> Evidence:
    """One of each kind, hostile names among them."""
    plain = judged(0.0, 0.0, same=1.0)
    return evidence(
        Candidate(name="logged", kind="logged", domains={SLATES: plain}),
        candidate(SERVING, {SLATES: plain}, name="serving", changes=[]),
        candidate(BETTER, {SLATES: judged()}),
        candidate(ELSE, {SLATES: judged(0.01, 0.2)}),
        Candidate(name=HOSTILE, kind="rule", domains={SLATES: refused(f"effective sample size 9 {HOSTILE}")}),
        experiments=[
            experiment(HOSTILE),
            experiment("uneven", verdict="refused", reasons=["entities fell unevenly"], mismatch=1e-9),
        ],
        shadows=[ShadowRead(domain=SLATES, version=9, decisions=500, same=0.25, agreement=0.6)],
    )
