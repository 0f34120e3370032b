"""Which version of the policy serves, as the log says it: every reader of the same log comes to the same one."""

from base64 import b64decode, b64encode
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal

from policies.artefact import ArtefactError
from policies.version import SCHEMA, SHIPPED, PolicyVersion
from streams.records import PolicyAct, PolicyVersionRecord
from streams.times import LATEST

LEARNER: Final = "learner"

LARGEST: Final = 2**53 - 1  # a version's number: any reader of JSON holds it

Reason = Literal["unreadable", "older"]


class Refused(ValueError):  # noqa: N818 # it names what became of the version, not what went wrong here
    """A version that isn't taken. `reason` is from a closed set, the text says what about it."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason


@dataclass(slots=True, kw_only=True)
class Serving:
    """The version in force, and the one before it. What is refused changes nothing but the count."""

    current: PolicyVersion = SHIPPED
    previous: PolicyVersion | None = None
    held: bool = False  # somebody had this one serve, and none is published over it
    acted_at: int = 0  # when somebody last had a version serve: a copy of an earlier act changes nothing
    highest: int = 0  # number seen so far, of those that could be read
    refused: Counter[str] = field(default_factory=Counter[str])
    wanted: frozenset[int] = frozenset()  # numbers of versions that are kept whether they serve or not: experiments
    kept: dict[int, PolicyVersion] = field(default_factory=dict[int, PolicyVersion])

    def take(self, record: PolicyVersionRecord) -> bool:
        """Go by one more record of the log, and say whether another version serves now. Raises Refused."""
        if record.act == "reject":
            return False
        try:
            version = version_of(record)
            self.highest = max(self.highest, version.number)
            if version.number in self.wanted - self.kept.keys():  # a number means the first that had it
                self.kept = {**self.kept, version.number: version}
            if record.act == "offer":
                return False
            self._refuse_older(record, version)
        except Refused as refused:
            self.refused[refused.reason] += 1
            raise
        if record.act != "publish":
            self.held, self.acted_at = record.hold, record.published_at
        if version.sha256 == self.current.sha256:
            return False
        self.current, self.previous = version, self.current
        return True

    def _refuse_older(self, record: PolicyVersionRecord, version: PolicyVersion) -> None:
        """A published version stands in the place of its parent, and of no other: what is late is older."""
        now = self.current
        if record.act != "publish":
            if record.published_at < self.acted_at:
                raise Refused("older", f"version {now.number} was promoted after that")
            return
        if version.sha256 == now.sha256:
            return
        if version.number <= now.number:
            raise Refused("older", f"version {version.number} is older than version {now.number}, which serves")
        if self.held:
            raise Refused("older", f"version {now.number} is held until `tradewind policies promote`")
        # The shipped priors change with the package: a version of an older one still follows on them.
        if (version.parent, version.parent_sha256) != (now.number, now.sha256) and (version.parent, now.number) != (
            0,
            0,
        ):
            raise Refused("older", f"it was made to follow version {version.parent}, and version {now.number} serves")


def version_of(record: PolicyVersionRecord) -> PolicyVersion:
    """The version that a record carries, fit to serve. Raises Refused."""
    from policies.meta.domains import fit  # noqa: PLC0415 # torch, which a worker needn't have loaded to hear of no version

    if not (0 <= record.number <= LARGEST and 0 <= record.published_at < LATEST):
        raise Refused("unreadable", "its number or its time is beyond all reason")
    if record.number == 0:
        return SHIPPED
    if record.schema != SCHEMA:
        raise Refused("unreadable", f"it has schema {record.schema!r}, and this code reads {SCHEMA!r}")
    try:
        raw = b64decode(record.artefact, validate=True)
    except ValueError as error:
        raise Refused("unreadable", f"the artefact isn't base64: {error}") from error
    try:
        version = fit(PolicyVersion.read(raw, expected=record.sha256))
    except ArtefactError as error:
        raise Refused("unreadable", str(error)) from error
    if (version.number, version.parent) != (record.number, record.parent):
        raise Refused("unreadable", f"the artefact is version {version.number}, the record says {record.number}")
    return version


def record_of(
    version: PolicyVersion, act: PolicyAct, *, by: str, at: int | None = None, reason: str = "", hold: bool = False
) -> PolicyVersionRecord:
    """A version as it travels. `at` is when this was done (epoch ms), where that isn't when it was made."""
    return PolicyVersionRecord(
        act=act,
        number=version.number,
        parent=version.parent,
        parent_sha256=version.parent_sha256,
        sha256=version.sha256,
        schema=SCHEMA,
        artefact=b64encode(version.raw).decode(),
        evidence=version.evidence,
        by=by,
        reason=reason,
        hold=hold,
        published_at=version.published_at if at is None else at,
    )


def turned_down(record: PolicyVersionRecord) -> tuple[str, int]:
    """The domain whose candidate a `reject` tells of, and how many of that domain's there were by then."""
    count = record.evidence.get("rejected", 0)
    return str(record.evidence.get("domain")), count if isinstance(count, int) else 0
