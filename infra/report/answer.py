"""The answer in words: ship it, don't, or it can't be told, and why. A promotion goes by the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from infra.judging.evidence import Candidate, Evidence
from infra.report.standing import Found, Standing, standings

Said = Literal["ship", "don't", "can't tell", "same", "rule"]

_HEADS: Final[dict[Said, str]] = {
    "ship": "Ship it",
    "don't": "Don't ship it",
    "can't tell": "Can't tell",
    "same": "Nothing would change",
    "rule": "For comparison",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the evidence says of one candidate. `why` is in one sentence; `standings` are by domain."""

    candidate: Candidate
    said: Said
    why: str
    standings: Sequence[Standing]

    @property
    def head(self) -> str:
        """The answer in two or three words."""
        return _HEADS[self.said]

    @property
    def moved(self) -> list[Standing]:
        """The domains in which something would change, or can't be told."""
        return [one for one in self.standings if one.found != "same"]

    @property
    def unmoved(self) -> str:
        """The names of the others; empty where there are none."""
        names = [one.domain for one in self.standings if one.found == "same"]
        return _listed(names) if names else ""


def answers(evidence: Evidence) -> list[Answer]:
    """One for each candidate but what was logged, in the order asked for."""
    return [answer(evidence, one) for one in evidence.candidates if one.kind != "logged"]


def answer(evidence: Evidence, candidate: Candidate) -> Answer:
    """What the evidence says of this candidate."""
    found = list(standings(evidence, candidate))
    said, why = _weighed(candidate, found, serves=_serves(evidence, candidate), sure=evidence.confidence)
    return Answer(candidate=candidate, said=said, why=why, standings=found)


_RANKS: Final[Mapping[Found, int]] = {"worse": 0, "open": 1, "better": 2, "same": 4, "refused": 5}


def together(told: Sequence[Answer], *, sure: float) -> Answer:
    """What several pieces of evidence on the same version say: of each domain what the least favourable of them says.

    One that can't say anything of a domain leaves it to the others; there is one at least.
    """
    if all(one.said == "same" for one in told):
        return told[0]
    by: dict[str, Standing] = {}
    for standing in (each for one in told for each in one.standings):
        before = by.setdefault(standing.domain, standing)
        by[standing.domain] = min(before, standing, key=_favour)
    found = list(by.values())
    said, why = _weighed(told[0].candidate, found, serves=False, sure=sure)
    return Answer(candidate=told[0].candidate, said=said, why=why, standings=found)


def _favour(standing: Standing) -> tuple[float, float]:
    """The lower, the less is said for the candidate; last what nothing is said by."""
    unheld = standing.found == "better" and not standing.baseline.serves
    low = standing.over.low
    return 3 if unheld else _RANKS[standing.found], 0.0 if low is None else low


def _serves(evidence: Evidence, candidate: Candidate) -> bool:
    return candidate.kind == "version" and evidence.serving is not None and evidence.serving.sha256 == candidate.sha256


_AGAINST: Final[tuple[tuple[Found, Said, str], ...]] = (
    ("worse", "don't", "It earns less in"),
    ("refused", "can't tell", "The data can't carry a statement on"),
    ("open", "can't tell", "The interval of the difference holds 0 in"),
)


def _weighed(candidate: Candidate, found: Sequence[Standing], *, serves: bool, sure: float) -> tuple[Said, str]:
    if candidate.kind != "version":
        return "rule", "A rule to compare with: it is no version, and can't be promoted."
    if serves:
        return "same", "This is the version that serves."
    moved = [one for one in found if one.found != "same"]
    if not moved:
        return "same", "It decides as the version that serves in everything that was judged."
    for kind, said, words in _AGAINST:
        named = [one.domain for one in moved if one.found == kind]
        if named:
            return said, f"{words} {_listed(named)}."
    unclear = [one.domain for one in moved if not one.baseline.serves]
    if unclear:
        return "can't tell", (
            f"In {_listed(unclear)} it earns more than several versions did together; what the one that serves would "
            "have earned isn't judged: add `serving` to --policy."
        )
    return "ship", f"With {sure:.0%} confidence it earns more in {_listed([one.domain for one in moved])}."


def _listed(names: Sequence[str]) -> str:
    """
    >>> _listed(["a"]), _listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
