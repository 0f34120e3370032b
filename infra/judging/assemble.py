"""From a judge's sums to the evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil, isfinite
from typing import Final, cast

from infra.judging import prices
from infra.judging.evidence import (
    Bin,
    Candidate,
    Estimate,
    Judgement,
    Kind,
    Logged,
    Point,
    Recomputed,
    Segment,
    Weights,
)
from infra.judging.judge import WEIGHED, Domain, Judge
from infra.judging.rivals import Rival
from infra.judging.strand import Strand
from infra.judging.tally import ESTIMATION, OTHER, Strands, Tally
from policies.estimators.cascade_dr import CASCADE_DR
from policies.estimators.dr import DR
from policies.estimators.judged import DECISIONS
from policies.estimators.judgement import Estimate as Estimated
from policies.estimators.judgement import Judgement as Judged
from policies.estimators.overlap import EDGES, Overlap
from policies.estimators.reading import Reading
from policies.estimators.verdict import LEAST_ESS
from policies.meta.domains import changes
from policies.version import PolicyVersion
from streams.records import Domain as DomainName
from streams.times import DAY

POINTS: Final = 60  # of a learning curve, at most
MOST_SHOWN: Final = 64  # segments of one kind
REWARD_MODELS: Final = {
    "recommendation": (
        "the user's own belief when the slate was chosen, φ·μ: it has seen only what came before; further slots as the "
        "best candidates by it"
    ),
    prices.DOMAIN: (
        "what was believed of the item's demand when the price was set: profit a period at each price, as the version "
        "that decided had it; it has seen only what came before"
    ),
}
_HEADLINES: Final = {"recommendation": CASCADE_DR.name, prices.DOMAIN: DR.name}  # of one slot they are the same
_OF_DECISIONS: Final = frozenset(one.name for one in DECISIONS)
_LEFT_OUT: Final = " left out: "
_OF_OUTCOMES: Final = ("outcome-without-decision", "outcome-duplicate", "outcome-of-a-decision-left-out")
_CERTAIN: Final = 1e-9


def candidates(judge: Judge, serving: PolicyVersion) -> list[Candidate]:
    """Each rival, in every domain that it says something of."""
    return [_candidate(judge, place, rival, serving) for place, rival in enumerate(judge.rivals)]


def _candidate(judge: Judge, place: int, rival: Rival, serving: PolicyVersion) -> Candidate:
    found: dict[DomainName, Judgement] = {}
    for domain, tallies in sorted(judge.tallies.items()):
        tally = tallies[place]
        if tally is not None:
            found[cast(DomainName, domain)] = _judgement(domain, tally, judge.gathered.waiting.counts)
    kinds: dict[str, Kind] = {"logged": "logged", "version": "version", "greedy": "greedy"}
    goes_by = rival.rule in {"version", "greedy"}
    told: list[tuple[DomainName, Judgement]] = [each for each in found.items() if each[1].verdict == "ok"]
    return Candidate(
        name=rival.name,
        kind=kinds.get(rival.rule, "rule"),
        version=rival.number if goes_by else None,
        sha256=rival.version.sha256 if goes_by else "",
        changes=changes(rival.version, serving) if rival.rule == "version" else None,
        domains=found,
        better=[domain for domain, one in told if (one.difference.low or 0.0) > 0.0],
        worse=[domain for domain, one in told if (one.difference.high or 0.0) < 0.0],
        same=[domain for domain, one in found.items() if one.same is not None and one.same > 1.0 - _CERTAIN],
    )


def _judgement(domain: str, tally: Tally, counts: Mapping[str, int]) -> Judgement:
    return _weighed(domain, tally, counts) if domain in WEIGHED else _certain(domain, tally)


def _weighed(domain: str, tally: Tally, counts: Mapping[str, int]) -> Judgement:
    """Decisions that were drawn. A price is a slate of one slot: only estimators of decisions tell anything."""
    slates, headline = domain != prices.DOMAIN, _HEADLINES[domain]
    excluded = {"duplicate" if name == "decision-duplicate" else name: many for name, many in counts.items()}
    judged = replace(tally.judged, excluded={n: m for n, m in excluded.items() if n not in _OF_OUTCOMES}).result()
    against = Reading.of({CASCADE_DR.sums: tally.against} if tally.against else {}, ESTIMATION, (0.0, 1.0), None)
    difference = _estimate(against.estimate(CASCADE_DR)) if tally.against else Estimate()
    whole = tally.judged.sums["ips"].ess if "ips" in tally.judged.sums else 0.0
    reasons = [one for one in judged.reasons if _LEFT_OUT not in one]
    if slates and whole < LEAST_ESS and not reasons:
        reasons.append(
            f"as whole slates the log is worth {whole:.1f} decisions of this policy, {LEAST_ESS:.0f} are needed: log "
            "more of them, or a policy closer to it"
        )
    estimators = {name: _estimate(one) for name, one in judged.estimators.items() if slates or name in _OF_DECISIONS}
    return Judgement(
        verdict="refused" if reasons else "ok",
        reasons=reasons,
        remarks=[one for one in judged.reasons if _LEFT_OUT in one],
        decisions=tally.decisions,
        entities=judged.clusters,
        headline=headline,
        value=estimators.get(headline, Estimate()),
        difference=difference,
        same=tally.same / tally.decisions if tally.decisions else None,
        estimators=estimators,
        weights=_weights(judged, whole if slates else None),
        curve=curve(tally.strands),
        segments=segments(tally.strands),
    )


def _certain(domain: str, tally: Tally) -> Judgement:
    """Decisions that chance doesn't weigh: what one that decides otherwise would have earned isn't in the log."""
    strand = tally.strands.all
    same = tally.same / tally.decisions if tally.decisions else 0.0
    others = tally.decisions - tally.same
    value, difference, reasons = Estimate(), Estimate(), list[str]()
    if tally.decisions and same > 1.0 - _CERTAIN:
        value, difference = strand.logged(), Estimate(value=0.0, low=0.0, high=0.0, interval="it decides the same")
    else:
        reasons.append(
            f"of {tally.decisions:,} {domain} decisions this policy makes {others:,.0f} otherwise, and "
            "what those would have earned isn't in the log; `tradewind what-if` simulates orders and bids, since "
            "demand and prices don't depend on them, and its --report promotes a version too"
        )
    return Judgement(
        verdict="refused" if reasons else "ok",
        reasons=reasons,
        decisions=tally.decisions,
        entities=int((strand.sums[:, 0] > 0).sum()),
        headline="logged",
        value=value,
        difference=difference,
        same=same,
        weights=Weights(effective=strand.effective, largest=1.0 if tally.same else 0.0, mean=same),
        curve=curve(tally.strands),
        segments=segments(tally.strands),
    )


def _estimate(found: Estimated) -> Estimate:
    name = next(iter(found.intervals), "")
    return Estimate(value=_number(found.value), low=_number(found.low), high=_number(found.high), interval=name)


def _number(x: float) -> float | None:
    return x if isfinite(x) else None


def _weights(judged: Judged, whole: float | None) -> Weights:
    seen = judged.overlap
    return Weights(
        effective=judged.ess,
        whole_slates=whole,
        largest=seen.largest,
        mean=seen.mean,
        zero=seen.zero,
        histogram=_histogram(seen),
    )


def _histogram(seen: Overlap) -> list[Bin]:
    ends = [0.0, *(float(one) for one in EDGES[1:]), float("inf")]
    found = [
        Bin(low=ends[at], high=ends[at + 1] if isfinite(ends[at + 1]) else seen.largest, count=int(many))
        for at, many in enumerate(seen.bins)
        if many
    ]
    return ([Bin(low=0.0, high=0.0, count=seen.zero)] if seen.zero else []) + found


def curve(strands: Strands) -> list[Point]:
    """By time: at most POINTS buckets of whole days."""
    if not strands.days:
        return []
    first, last = (place * strands.width for place in (min(strands.days), max(strands.days)))
    width = ceil(((last - first) // strands.width + 1) / POINTS) * strands.width
    merged: dict[int, Strand] = {}
    for place, strand in sorted(strands.days.items()):
        merged.setdefault((place * strands.width - first) // width, Strand()).merge(strand)
    return [
        Point(
            since=(first + at * width) * DAY,
            until=(first + (at + 1) * width) * DAY,
            decisions=one.decisions,
            observed=one.observed,
            estimate=one.estimate(),
        )
        for at, one in merged.items()
    ]


def segments(strands: Strands) -> list[Segment]:
    """By kind, the largest first; beyond MOST_SHOWN the smaller ones together."""
    found = [
        Segment(
            by=kind,
            name=name,
            decisions=one.decisions,
            observed=one.observed,
            estimate=one.estimate(),
            effective=one.effective,
        )
        for kind, names in sorted(strands.segments.items())
        for name, one in _largest(names).items()
    ]
    return sorted(found, key=lambda one: (one.by, -one.decisions, one.name))


def _largest(names: Mapping[str, Strand]) -> dict[str, Strand]:
    by_size = sorted(names.keys() - {OTHER}, key=lambda name: (-names[name].decisions, name))
    shown = {name: names[name] for name in by_size[:MOST_SHOWN]}
    small = [names[name] for name in (*by_size[MOST_SHOWN:], OTHER) if name in names]
    if small:
        shown[OTHER] = Strand()
        for one in small:
            shown[OTHER].merge(one)
    return shown


def logged(domains: Mapping[str, Domain]) -> dict[DomainName, Logged]:
    """What the policy that served has earned, by domain."""
    return {
        cast(DomainName, name): Logged(
            decisions=one.logged.all.decisions,
            entities=int((one.logged.all.sums[:, 0] > 0).sum()),
            value=one.logged.all.logged(),
            curve=curve(one.logged),
            segments=segments(one.logged),
            calibration=one.calibration.tenths(),
            reward_model=REWARD_MODELS.get(name, ""),
            versions=dict(sorted(one.versions.items(), key=lambda each: int(each[0]))),
        )
        for name, one in sorted(domains.items())
    }


def recomputed(judge: Judge) -> Recomputed:
    """What came of making every decision again."""
    checked = judge.gathered.checked
    return Recomputed(
        decisions=checked.decisions,
        equal=sum(checked.equal.values()),
        unable=dict(sorted(checked.unable.items())),
        differing=dict(sorted(checked.differing.items())),
        by_domain=dict(sorted(checked.equal.items())),
        first=checked.first,
    )


def sentences(given: Sequence[Candidate]) -> list[str]:
    """One line for each candidate and domain, for a terminal."""
    lines: list[str] = []
    for one in given:
        for domain, found in one.domains.items():
            lines.append(f"{one.name}, {domain}: {_sentence(found)}")
    return lines


def _sentence(found: Judgement) -> str:
    if found.verdict == "refused":
        return f"no statement. {' '.join(found.reasons)}"
    if found.same is not None and found.same > 1.0 - _CERTAIN:
        return f"decides as logged in all {found.decisions:,} decisions"
    apart = found.difference
    value = f"{_shown(found.value.value)} a decision ({_shown(found.value.low)} to {_shown(found.value.high)})"
    return (
        f"{value}; against what was logged {_shown(apart.value)} ({_shown(apart.low)} to {_shown(apart.high)}), "
        f"effective sample {found.weights.effective:,.0f} of {found.decisions:,}"
    )


def _shown(x: float | None) -> str:
    return "?" if x is None else f"{x:.4g}"
