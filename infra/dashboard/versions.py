"""Policy versions as their log tells of them: which serves, what the gate found, and the priors of the last few."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agents.versions import Refused, Serving, turned_down, version_of
from policies.version import SHIPPED, PolicyVersion, Priors
from streams.records import PolicyAct, PolicyVersionRecord

ACTS: Final = 200  # kept without their artefacts
PRIORS: Final = 24  # versions whose priors are kept, so that what they chose can be explained


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act of the log without its artefact; `refused` says why it changed nothing."""

    act: PolicyAct
    number: int
    parent: int
    sha256: str
    at: int
    by: str
    reason: str
    hold: bool
    evidence: Mapping[str, Any]
    refused: str = ""


@dataclass(slots=True)
class Versions:
    """Every act in the order of the log, the oldest forgotten. Version 0 is always known: it ships."""

    serving: Serving = field(default_factory=Serving)
    acts: list[Act] = field(default_factory=list[Act])
    rejected: dict[str, int] = field(default_factory=dict[str, int])
    _known: "OrderedDict[str, PolicyVersion]" = field(default_factory=OrderedDict[str, PolicyVersion])

    def add(self, record: PolicyVersionRecord) -> None:
        refused = ""
        try:
            self.serving.take(record)
        except Refused as problem:
            refused = str(problem)
        if record.act == "reject":
            domain, count = turned_down(record)
            self.rejected[domain] = count
        else:
            self._keep(record)
        self.acts = [*self.acts, _act(record, refused)][-ACTS:]

    def prior(self, sha256: str, domain: str, shipped: Priors) -> Priors | None:
        """What a version has a new entity of this domain start from; None where the version isn't kept."""
        version = SHIPPED if sha256 == SHIPPED.sha256 else self._known.get(sha256)
        return None if version is None else version.prior(domain, shipped)

    def made(self) -> list[Act]:
        """The first act of each version, newest first."""
        found: dict[str, Act] = {}
        for act in self.acts:
            if act.act != "reject" and act.number:
                found.setdefault(act.sha256, act)
        return list(reversed(found.values()))

    def mark(self, sha256: str) -> str:
        """What a version is now, in words."""
        if sha256 == self.serving.current.sha256:
            return "serving, held" if self.serving.held else "serving"
        if self.serving.previous is not None and sha256 == self.serving.previous.sha256:
            return "previous"
        acts = [act.act for act in self.acts if act.sha256 == sha256 and not act.refused]
        if any(act != "offer" for act in acts):
            return "served before"
        return "offered" if acts else "refused"

    def _keep(self, record: PolicyVersionRecord) -> None:
        try:
            version = version_of(record)
        except Refused:
            return
        self._known[version.sha256] = version
        self._known.move_to_end(version.sha256)
        while len(self._known) > PRIORS:
            self._known.popitem(last=False)


def _act(record: PolicyVersionRecord, refused: str) -> Act:
    return Act(
        act=record.act,
        number=record.number,
        parent=record.parent,
        sha256=record.sha256,
        at=record.published_at,
        by=record.by,
        reason=record.reason,
        hold=record.hold,
        evidence=record.evidence,
        refused=refused,
    )
