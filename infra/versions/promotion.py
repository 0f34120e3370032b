"""Whether a version may be promoted on evidence, and what of it is kept with the act. No Kafka, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from infra.dashboard.wording import signed, units
from infra.judging.evidence import Candidate, Evidence, Named
from infra.report.answer import Answer, answer, together
from infra.report.standing import Standing, needed
from streams.times import DAY

_AHEAD: Final = DAY  # as far as clocks may differ
_SHORT: Final = 12  # characters of a hash in a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """`refusals` say why not, each with the numbers and what would be needed; none: it may be promoted."""

    refusals: Sequence[str]
    about: Answer | None = None

    @property
    def passed(self) -> bool:
        return not self.refusals


def ruling(
    given: Sequence[Evidence], version: Named, serving: Named, *, now: int, max_age: int, which: str = ""
) -> Ruling:
    """Whether the evidence carries the promotion of a version over the one that serves. Times in epoch ms.

    Each piece, of one at least, must be about exactly this version, measured against the one that serves now, and not
    older than `max_age`; and in each domain in which the two differ the lower bound of what it earns must exceed what
    the other earns, by every piece that can tell. `which` is how the version was named.
    """
    refusals: list[str] = []
    answers: list[Answer] = []
    for evidence in given:
        candidate = _candidate(evidence, version)
        if candidate is None:
            return Ruling(refusals=[_not_about(evidence, version, serving, which or str(version.number))])
        answers.append(answer(evidence, candidate))
        refusals += [*_other_serving(evidence, serving), *_stale(evidence, now=now, max_age=max_age)]
    told = together(answers, sure=min(evidence.confidence for evidence in given))
    refusals += [one for standing in told.standings for one in _short_of(standing, version)]
    if not refusals and told.said != "ship":
        refusals.append(f"it shows no gain: {told.why[0].lower()}{told.why[1:]}")
    return Ruling(refusals=list(dict.fromkeys(refusals)), about=told)


def _candidate(evidence: Evidence, version: Named) -> Candidate | None:
    wanted = (version.number, version.sha256)
    versions = (one for one in evidence.candidates if one.kind == "version")
    return next((one for one in versions if (one.version, one.sha256) == wanted), None)


def _not_about(evidence: Evidence, version: Named, serving: Named, which: str) -> str:
    judged = [f"version {one.version} ({one.sha256[:_SHORT]})" for one in evidence.candidates if one.kind == "version"]
    said = f"it is about {', '.join(judged)}" if judged else "it judges no version"
    policies = f"{serving.number},{which}"
    return (
        f"{said}, and not about version {version.number} ({version.sha256[:_SHORT]}): judge that one by "
        f"`tradewind replay --policy {policies} --json`"
    )


def _other_serving(evidence: Evidence, serving: Named) -> list[str]:
    was = evidence.serving
    if was == serving:
        return []
    before = "doesn't say which version served" if was is None else f"holds it against version {was.number}"
    number = f"{serving.number} ({serving.sha256[:_SHORT]})"
    return [f"it {before}, and version {number} serves now: judge both by `tradewind replay` again"]


def _stale(evidence: Evidence, *, now: int, max_age: int) -> list[str]:
    if not evidence.made_at:
        return ["it doesn't say when it was made: make it by `tradewind replay` of this release"]
    if evidence.made_at > now + _AHEAD:
        return ["it says that it was made after now: set the clock of the machine that made it"]
    made = min(evidence.made_at, evidence.range.until or evidence.made_at)
    age = now - made
    if age <= max_age:
        return []
    return [
        (
            f"it ends {units(age / DAY)} days ago, and may be {units(max_age / DAY)} days old: judge newer "
            "decisions, or say --max-age"
        )
    ]


def _short_of(standing: Standing, version: Named) -> list[str]:
    found, against = standing.judged, standing.baseline
    name = f"version {version.number}"
    if standing.found == "same":
        return []
    if standing.found == "refused" or found is None:
        return [f"{standing.domain}: {standing.sentence}"]
    if not against.serves:
        return [
            (
                f"{standing.domain}: what the version that serves would have earned isn't judged: the decisions are by "
                "several versions; add `serving` to --policy"
            )
        ]
    if standing.found == "better":
        return []
    return [
        (
            f"{standing.domain}: {name} earns {units(standing.least)} a decision at least, and {against.name}, "
            f"{units(against.value)}: the lower bound must exceed that, and is {signed(standing.over.low)} from it. "
            f"{needed(found, standing.over)}"
        )
    ]


# ---- What is kept --------------------------------------------------------------------------------------------------


class Headline(msgspec.Struct, frozen=True, kw_only=True):
    """One domain of a promotion: rewards per decision, the gain over the version that served with its interval."""

    found: str
    estimator: str = ""
    decisions: int = 0
    effective: float = 0.0
    serving_value: float | None = None
    least: float | None = None
    gain: float | None = None
    low: float | None = None
    high: float | None = None


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """What goes on record with a promotion: which evidence, its headline numbers, and what spoke against it.

    `file_sha256` is empty where there was no evidence; `more_sha256` are of further files, where there were several.
    Times are epoch ms; `since` and `until` hold all of them.
    """

    forced: bool
    refused: list[str]
    file_sha256: str = ""
    more_sha256: list[str] = []
    made_at: int = 0
    since: int | None = None
    until: int | None = None
    judged: int = 0
    serving: int | None = None
    confidence: float | None = None
    said: str = ""
    domains: dict[str, Headline] = {}


KEY: Final = "promotion"  # in the evidence of the act
UNPROVEN: Final = Digest(forced=True, refused=["there was no evidence"])


def digest(given: Sequence[Evidence], found: Ruling, *, files: Sequence[str]) -> Digest:
    """What is kept of a ruling; one that didn't pass was forced. `files` are the hashes of what held the evidence."""
    evidence = given[0]
    since = [found for found in (_first(one.range.since, one.range.first_decision) for one in given) if found]
    until = [found for found in (_first(one.range.until, one.range.last_decision) for one in given) if found]
    return Digest(
        forced=not found.passed,
        refused=list(found.refusals),
        file_sha256=files[0],
        more_sha256=list(files[1:]),
        made_at=min(one.made_at for one in given),
        since=min(since, default=None),
        until=max(until, default=None),
        judged=sum(one.judged for one in given),
        serving=None if evidence.serving is None else evidence.serving.number,
        confidence=evidence.confidence,
        said="" if found.about is None else found.about.said,
        domains={} if found.about is None else {one.domain: _headline(one) for one in found.about.standings},
    )


def _first(one: int | None, other: int | None) -> int | None:
    return other if one is None else one


def _headline(standing: Standing) -> Headline:
    found, over = standing.judged, standing.over
    return Headline(
        found=standing.found,
        estimator="" if found is None else found.headline,
        decisions=0 if found is None else found.decisions,
        effective=0.0 if found is None else found.weights.effective,
        serving_value=standing.baseline.value,
        least=standing.least,
        gain=over.value,
        low=over.low,
        high=over.high,
    )


def told(kept: Any) -> str:
    """A digest as it lies in the log, in one line; empty where there is none.

    >>> told(msgspec.to_builtins(UNPROVEN))
    'no evidence (forced, though there was no evidence)'
    """
    try:
        found = msgspec.convert(kept, Digest)
    except msgspec.ValidationError:
        return ""
    files = [one[:_SHORT] for one in (found.file_sha256, *found.more_sha256) if one]
    said = [f"evidence {' and '.join(files)}" if files else "no evidence"]
    said += [_line(domain, one) for domain, one in found.domains.items() if one.found != "same"]
    forced = f" (forced, though {' '.join(found.refused)})" if found.forced else ""
    return "; ".join(said) + forced


def _line(domain: str, one: Headline) -> str:
    if one.gain is None or one.found == "refused":
        return f"{domain} {one.found}"
    return (
        f"{domain} {signed(one.gain)} ({signed(one.low)} to {signed(one.high)}) on {units(one.serving_value)} a "
        f"decision, {one.decisions:,} decisions"
    )
