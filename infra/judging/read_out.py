"""Experiments and shadows, from what was gathered of them to the evidence: intervals that hold whenever one looks."""

from collections.abc import Iterable, Mapping
from typing import Final, cast

from infra.judging.evidence import CONFIDENCE, ArmRead, Estimate, ExperimentRead, ShadowRead
from infra.judging.trial import Beside, Trial
from policies.estimators.arms import DOUBT, FEWEST, Arm, difference, mismatch
from policies.experiment import CONTROL
from streams.records import Domain

_INTERVAL: Final = "always valid, by entity (asymptotic confidence sequence)"

_MOVED: Final = (
    "{:,} decisions were made in another arm than their entity was in before: the salt, or the order of the arms, was "
    "changed under way; judge the time before and after it separately, with --from and --to"
)
_UNEVEN: Final = (
    "entities didn't fall into the arms as the shares say ({}; p = {:.2g}): the arms differ by more than their "
    "policies. Look for a version that is missing, or decisions that are lost in one arm"
)


def experiments(trials: Iterable[Trial]) -> list[ExperimentRead]:
    """Every experiment that was found, by domain and name."""
    found = [_experiment(trial) for trial in trials]
    return sorted(found, key=lambda one: (one.domain, one.name, one.decisions))


def _experiment(trial: Trial) -> ExperimentRead:
    arms = trial.arms()
    counts = {name: len(arms[name].n) if name in arms else 0 for name in {**trial.shares, **arms}}
    shares = {name: trial.shares.get(name, 0.0) for name in counts}
    probability = mismatch(list(counts.values()), list(shares.values()))
    reasons = _reasons(trial, counts, shares, probability)
    return ExperimentRead(
        name=trial.name,
        domain=cast(Domain, trial.domain),
        verdict="refused" if reasons else "ok",
        reasons=reasons,
        decisions=trial.n,
        mismatch=probability,
        arms=[
            ArmRead(
                name=name,
                share=shares[name],
                entities=counts[name],
                decisions=int(arms[name].decisions) if name in arms else 0,
                mean=arms[name].mean if name in arms else None,
                difference=Estimate() if reasons or name == CONTROL else _apart(name, arms, trial.spread),
            )
            for name in counts
        ],
    )


def _reasons(trial: Trial, counts: Mapping[str, int], shares: Mapping[str, float], probability: float) -> list[str]:
    """Why nothing can be said of any arm."""
    if trial.moved:
        return [_MOVED.format(trial.moved)]
    if probability < DOUBT:
        total = sum(counts.values())
        told = ", ".join(f"{name} has {many:,} for {shares[name] * total:,.0f}" for name, many in counts.items())
        return [_UNEVEN.format(told, probability)]
    few = [name for name, many in counts.items() if shares[name] and many < FEWEST]
    if CONTROL in few or len(few) >= sum(1 for share in shares.values() if share):
        return [f"{' and '.join(few)} have fewer than {FEWEST} entities with an outcome: wait for more"]
    return []


def _apart(name: str, arms: Mapping[str, Arm], spread: float) -> Estimate:
    arm, control = arms.get(name), arms.get(CONTROL)
    if arm is None or control is None:
        return Estimate()
    value, low, high = difference(arm, control, spread, CONFIDENCE)
    if min(len(arm.n), len(control.n)) < FEWEST:
        return Estimate(value=value)
    return Estimate(value=value, low=low, high=high, interval=_INTERVAL)


def shadows(found: Iterable[Beside]) -> list[ShadowRead]:
    """Every shadow that was found, by domain and version."""
    return [
        ShadowRead(
            domain=cast(Domain, one.domain),
            version=one.version,
            decisions=one.decisions,
            same=one.same / one.decisions,
            agreement=one.agreement / one.decisions,
        )
        for one in sorted(found, key=lambda one: (one.domain, one.version))
        if one.decisions
    ]


def sentences(experiments: Iterable[ExperimentRead], shadows: Iterable[ShadowRead]) -> list[str]:
    """One line for each arm and each shadow, for people."""
    lines: list[str] = []
    for one in experiments:
        lines += [f"experiment {one.name}, {one.domain}: no statement. {reason}" for reason in one.reasons]
        if one.verdict == "ok":
            lines += [f"experiment {one.name}, {one.domain}: {_sentence(arm)}" for arm in one.arms]
    lines += [
        f"shadow of version {one.version}, {one.domain}: chose as was done in {one.same:.1%} of {one.decisions:,} "
        f"decisions, {one.agreement:.1%} of what was chosen"
        for one in shadows
    ]
    return lines


def _sentence(arm: ArmRead) -> str:
    mean = "nothing yet" if arm.mean is None else f"{arm.mean:.4g} a decision"
    told = f"{arm.name} has {mean} ({arm.entities:,} entities, {arm.decisions:,} decisions)"
    apart = arm.difference
    if apart.value is None:
        return told
    if apart.low is None or apart.high is None:
        return f"{told}, {apart.value:+.4g} against control: fewer than {FEWEST} entities, too few for an interval"
    verdict = "better" if apart.low > 0.0 else "worse" if apart.high < 0.0 else "not told apart yet"
    return f"{told}, {apart.value:+.4g} against control ({apart.low:.4g} to {apart.high:.4g} at any time): {verdict}"
