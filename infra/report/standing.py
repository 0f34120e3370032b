"""How a candidate stands in one domain against the version that serves: better, worse, open, refused or the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

from infra.dashboard.wording import count, signed, units
from infra.judging.evidence import Candidate, Estimate, Evidence, Judgement

Found = Literal["better", "worse", "open", "refused", "same"]

CERTAIN: Final = 1e-9
_OUT_OF_REACH: Final = 1000.0  # times as many decisions: nobody will log those


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a candidate is held against: `difference` is its own to what was logged, on the same decisions."""

    name: str
    value: float | None
    difference: float
    serves: bool  # it is the version that serves, not what several versions earned together


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One candidate in one domain. `over` is its value less the baseline's; `sentence` says how it stands, and why."""

    domain: str
    found: Found
    baseline: Baseline
    over: Estimate
    sentence: str
    judged: Judgement | None = None

    @property
    def least(self) -> float | None:
        """The lower bound of what it earns: the baseline's value and the lower bound of the gain."""
        if self.over.low is None or self.baseline.value is None:
            return None
        return self.baseline.value + self.over.low


def baseline(evidence: Evidence, domain: str) -> Baseline:
    """What candidates are held against in a domain: the version that serves, where the evidence tells what it earns."""
    logged = next((one for name, one in evidence.logged.items() if name == domain), None)
    earned = None if logged is None else logged.value.value
    plain = Baseline(name="what was logged", value=earned, difference=0.0, serves=False)
    serving = evidence.serving
    if serving is None or logged is None:
        return plain
    name = f"version {serving.number}, which serves"
    if set(logged.versions) == {str(serving.number)}:
        return Baseline(name=name, value=earned, difference=0.0, serves=True)
    for candidate in evidence.candidates:
        found = _in(candidate, domain)
        if candidate.kind != "version" or candidate.sha256 != serving.sha256 or found is None:
            continue
        if found.verdict == "ok" and found.difference.value is not None:
            value = found.value.value if earned is None else earned + found.difference.value
            return Baseline(name=name, value=value, difference=found.difference.value, serves=True)
    return plain


def standings(evidence: Evidence, candidate: Candidate) -> Iterator[Standing]:
    """Each domain that the candidate says something of, or changes."""
    for domain, judged in candidate.domains.items():
        yield _standing(evidence, candidate, domain, judged)
    for domain in candidate.changes or ():
        if _in(candidate, domain) is None:
            words = f"It changes {domain}, and no decision of {domain} was judged: replay topics that hold some."
            yield Standing(
                domain=domain,
                found="refused",
                baseline=baseline(evidence, domain),
                over=Estimate(),
                sentence=words,
            )


def _in(candidate: Candidate, domain: str) -> Judgement | None:
    return next((one for name, one in candidate.domains.items() if name == domain), None)


def _standing(evidence: Evidence, candidate: Candidate, domain: str, judged: Judgement) -> Standing:
    against = baseline(evidence, domain)
    over = _less(judged.difference, against.difference)
    found = _found(candidate, domain, judged, over, against)
    words = _sentence(found, judged, over, against, candidate)
    return Standing(domain=domain, found=found, baseline=against, over=over, sentence=words, judged=judged)


def _less(difference: Estimate, by: float) -> Estimate:
    def moved(x: float | None) -> float | None:
        return None if x is None else x - by

    return Estimate(
        value=moved(difference.value),
        low=moved(difference.low),
        high=moved(difference.high),
        interval=difference.interval,
    )


def _found(candidate: Candidate, domain: str, judged: Judgement, over: Estimate, against: Baseline) -> Found:
    if candidate.changes is not None and domain not in candidate.changes:
        return "same"
    if judged.verdict == "refused":
        return "refused"
    if judged.same is not None and judged.same > 1.0 - CERTAIN and abs(against.difference) < CERTAIN:
        return "same"
    if over.value is None or over.low is None or over.high is None:
        return "refused"
    if over.low > 0.0:
        return "better"
    return "worse" if over.high < 0.0 else "open"


def _sentence(found: Found, judged: Judgement, over: Estimate, against: Baseline, candidate: Candidate) -> str:
    match found:
        case "same" if candidate.changes is not None:
            return "It decides by the same numbers as the version that serves: nothing changes here."
        case "same":
            return f"It decides as was logged in all {count(judged.decisions)} decisions: nothing changes here."
        case "refused":
            why = " ".join(_as_sentence(one) for one in judged.reasons) or "No interval can be told."
            return f"The data can't carry a statement. {why}"
        case "better":
            return f"It earns more: {_told(over)} a decision, over {against.name}."
        case "worse":
            return f"It earns less: {_told(over)} a decision, against {against.name}."
        case "open":
            return f"It may earn more or less: {_told(over)} a decision, against {against.name}. {needed(judged, over)}"


def _as_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _told(over: Estimate) -> str:
    return f"{signed(over.value)} ({signed(over.low)} to {signed(over.high)})"


def needed(judged: Judgement, over: Estimate) -> str:
    """What it would take to tell the difference from 0: intervals shrink with the root of the decisions.

    >>> from infra.judging.evidence import Weights
    >>> some = Judgement(
    ...     verdict="ok", decisions=100, entities=9, value=Estimate(), difference=Estimate(), weights=Weights()
    ... )
    >>> needed(some, Estimate(value=1.0, low=-1.0, high=3.0))
    'About 300 more decisions like these would tell, or a log of decisions closer to its own.'
    """
    if over.value is None or over.low is None or over.value <= 0.0:
        return "More decisions are unlikely to show a gain: the best guess is that there is none."
    times = ((over.value - over.low) / over.value) ** 2
    if times > _OUT_OF_REACH:
        return (
            f"At this spread it would take more than {units(_OUT_OF_REACH)} times as many decisions: log decisions "
            "closer to its own, by an experiment."
        )
    more = max(ceil(judged.decisions * (times - 1.0)), 1)
    return f"About {count(more)} more decisions like these would tell, or a log of decisions closer to its own."
