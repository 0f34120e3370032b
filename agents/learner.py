"""Learner: experiences of all domains in, a new version of the policy out whenever one passes its gate.

A bounded sample of entities keeps its last experiences as they were. At fixed counts of experiences a domain proposes a
candidate, learned from some entities and the earlier times, and it is published if it predicts the later times of
other entities better than the version that serves. Which one serves is what `policy-versions` says: acts of people
are read there like any other input.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from zlib import crc32

import msgspec
import numpy as np

from agents.contract import Agent, Draft, Input, State, Step, Work
from agents.fold import fold
from agents.versions import LEARNER, Refused, Serving, record_of
from policies.artefact import ArtefactError
from policies.attention import prior as history
from policies.meta.domains import fit
from policies.meta.gate import Verdict
from policies.meta.sample import Ring, Sample, Stream
from policies.meta.schools import SCHOOLS, Learns
from policies.meta.trial import Trial, attempt
from policies.slates import recommend
from policies.version import SCHEMA, SHIPPED, PolicyVersion
from streams.records import Experience, PolicyVersionRecord
from streams.seen import Seen
from streams.topics import EXPERIENCES, POLICY_VERSIONS

NAME: Final = LEARNER
GROWTH: Final = 0.25  # a domain learns once its experiences have grown by a quarter
SELDOM: Final = 10_000  # and at the latest after so many
BUCKETS: Final = 64
REMEMBERED: Final = 32
# New experiences before a domain learns.
AT_LEAST: Final = {recommend.DOMAIN: 200, history.DOMAIN: 100, "bidding": 5, "replenishment": 500, "pricing": 200}
OF_USERS: Final = (recommend.DOMAIN, history.DOMAIN)


class Counts(msgspec.Struct):
    """Experiences taken in by domain, those at the last attempt, and what became of the attempts."""

    taken: dict[str, int] = {}
    told: dict[str, int] = {}
    published: dict[str, int] = {}
    rejected: dict[str, int] = {}


class Place(msgspec.Struct):
    """The version that serves, as an artefact (none: the shipped one), and the highest number there is."""

    raw: bytes = b""
    held: bool = False
    acted_at: int = 0
    highest: int = 0

    def serving(self) -> Serving:
        return Serving(current=self._current(), held=self.held, acted_at=self.acted_at, highest=self.highest)

    def _current(self) -> PolicyVersion:
        try:
            return fit(PolicyVersion.read(self.raw)) if self.raw else SHIPPED
        except ArtefactError:  # of an older package: nothing serves it any more
            return SHIPPED

    def keep(self, serving: Serving) -> None:
        self.raw = serving.current.raw if serving.current.number else b""
        self.held, self.acted_at, self.highest = serving.held, serving.acted_at, serving.highest


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnerAgent:
    """Re-estimates each domain's prior from the stream; a candidate that passes its gate is published.

    `at_least` is how many new experiences a domain waits for before it learns.
    """

    at_least: Mapping[str, int]
    name: str = NAME
    reads: tuple[Any, ...] = (EXPERIENCES, POLICY_VERSIONS)
    watches: tuple[Any, ...] = ()
    emits: tuple[Any, ...] = (POLICY_VERSIONS,)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        work = _Work(draft=Draft(state.entries, state.memo), at_least=self.at_least)
        end = fold(work.draft, batch, now, on_record=work.take, on_timer=lambda name, at: None)
        return work.done(end)


@dataclass(slots=True, kw_only=True)
class _Work(Work):
    at_least: Mapping[str, int]

    def take(self, given: Input, now: int) -> None:
        if isinstance(given.record, Experience):
            self._learn(given.record, now)
        elif given.record is not None:
            self._hear(given.record)

    def _hear(self, record: PolicyVersionRecord) -> None:
        """Go by what the log says of versions; what the learner itself has published comes back to it here."""
        place = self.draft.edit("serving", Place)
        serving = place.serving()
        try:
            serving.take(record)
        except Refused as refused:
            self.ignore(refused.reason)
        place.keep(serving)

    # ---- The sample -------------------------------------------------------------------------------------------------

    def _learn(self, told: Experience, now: int) -> None:
        seen = self.draft.edit(f"seen/{crc32(told.experience_id.encode()) % BUCKETS}", Seen)
        verdict = seen.admit(told.experience_id, told.occurred_at, REMEMBERED)
        if verdict == "duplicate":
            self.ignore(verdict)
            return
        if told.kind == "erasure":
            self._forget(told)
            return
        self._keep(told)
        counts = self.draft.edit("counts", Counts)
        counts.taken[told.domain] = counts.taken.get(told.domain, 0) + 1
        if self._due(counts, told.domain):
            counts.told[told.domain] = counts.taken[told.domain]
            self._attempt(told.domain, SCHOOLS[told.domain], counts, now)

    def _keep(self, told: Experience) -> None:
        inside, leaves = self.draft.edit(f"sample/{told.domain}", Sample).admit(told.entity)
        if leaves is not None:
            self.draft.remove(_key(told.domain, leaves))
        if inside:
            ring = self.draft.edit(_key(told.domain, told.entity), Ring)
            if not ring.add(int(told.occurred_at), told.contexts, told.outcomes, told.propensities):
                self.ignore("uneven")

    def _forget(self, told: Experience) -> None:
        for domain in OF_USERS:
            sample = self.draft.find(f"sample/{domain}", Sample)
            if sample is not None:
                sample.leave(told.entity)
            if self.draft.find(_key(domain, told.entity), Ring) is not None:
                self.draft.remove(_key(domain, told.entity))

    def _due(self, counts: Counts, domain: str) -> bool:
        before = counts.told.get(domain, 0)
        return counts.taken[domain] - before >= min(SELDOM, max(self.at_least[domain], GROWTH * before))

    def _streams(self, domain: str) -> list[tuple[str, Stream]]:
        names = [name for _, name in self.draft.edit(f"sample/{domain}", Sample).members]
        rings = [(name, self.draft.find(_key(domain, name), Ring)) for name in names]
        return [(name, ring.episodes()) for name, ring in rings if ring is not None]

    # ---- The gate ---------------------------------------------------------------------------------------------------

    def _attempt(self, domain: str, school: Learns, counts: Counts, now: int) -> None:
        place = self.draft.edit("serving", Place)
        serving = place.serving()
        before = serving.current.prior(domain, school.shipped)
        try:
            trial = attempt(school, self._streams(domain), before)
        except (ArithmeticError, ValueError):  # LinAlgError is one: numbers so odd that no prior fits them
            self.ignore("cannot-learn")
            return
        if trial is None:
            self.ignore("nothing-to-learn")
            return
        version = PolicyVersion(
            number=max(place.highest, serving.current.number) + 1,
            parent=serving.current.number,
            parent_sha256=serving.current.sha256,
            priors=serving.current.priors | {domain: trial.candidate},
            published_at=now,
        )
        against = _against(version) if trial.passed else f"did not pass the gate for {domain}"
        tally = counts.rejected if against else counts.published
        tally[domain] = tally.get(domain, 0) + 1
        told = replace(version, evidence=_evidence(domain, trial, counts))
        if against:
            self.ignore("unfit" if trial.passed else "rejected")
            self._reject(told, against)
        else:
            self._publish(told, place, serving)

    def _publish(self, version: PolicyVersion, place: Place, serving: Serving) -> None:
        record = record_of(version, "publish", by=NAME, reason=f"passed the gate for {version.evidence['domain']}")
        self.put(POLICY_VERSIONS, record)
        try:
            serving.take(record)
        except Refused as refused:
            self.ignore(f"published, {refused.reason}")  # it lies in the log, to be promoted by hand
        place.keep(serving)

    def _reject(self, version: PolicyVersion, reason: str) -> None:
        record = PolicyVersionRecord(
            act="reject",
            number=0,
            parent=version.parent,
            parent_sha256=version.parent_sha256,
            published_at=version.published_at,
            sha256="",
            schema=SCHEMA,
            artefact="",
            evidence=version.evidence,
            by=NAME,
            reason=reason,
        )
        self.put(POLICY_VERSIONS, record)


def _against(version: PolicyVersion) -> str:
    """Why no worker would take this version; nothing where they would."""
    try:
        fit(PolicyVersion.read(version.raw))
    except ArtefactError as error:
        return f"passed the gate and can't be served: {error}"
    return ""


def _key(domain: str, entity: str) -> str:
    return f"individual/{entity}" if domain == recommend.DOMAIN else f"{domain}/{entity}"


def _evidence(domain: str, trial: Trial, counts: Counts) -> dict[str, Any]:
    """What the gate found: of log-likelihood per outcome, and, where it can be told, of reward per pair of slots."""
    return {
        "domain": domain,
        "experiences": dict(counts.taken),
        "trained_on": trial.trained_on,
        "judged_after": trial.cut,
        "log_likelihood": _told(trial.foretold),
        "reward": _told(trial.earned) if trial.earned.entities else None,
        "published": counts.published.get(domain, 0),
        "rejected": counts.rejected.get(domain, 0),
    }


def _told(verdict: Verdict) -> dict[str, Any]:
    """To six digits, for people; the bound is that of a one-sided 95%, None where there are too few."""
    found = {"entities": verdict.entities, "gain": verdict.gain, "lower": verdict.lower}
    return {name: float(f"{value:.6g}") if np.isfinite(value) else None for name, value in found.items()}


def build() -> Agent:
    return LearnerAgent(at_least=AT_LEAST)
