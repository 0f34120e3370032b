"""The work on one share of a history: decisions scored, joined with their outcomes, handed on to the sums.

It is a job of `infra.history`: fed message by message, cut short and gone on with at any point, merged with its like.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from infra.history.message import Found, Message, Rejected
from infra.judging import prices
from infra.judging.calibration import Bins
from infra.judging.constraints import Bounds
from infra.judging.evidence import Difference
from infra.judging.logged import BadLogError, Decided, Earned, decided, earned
from infra.judging.rivals import rivals_of, unpacked
from infra.judging.rows import Batch, Row
from infra.judging.score import Scored, Scorer
from infra.judging.tally import PackedTally, Strands, Tally
from infra.judging.trial import Beside, Trial
from infra.judging.waiting import UNREADABLE, Waiting
from policies.experiments import MISSING, SHADOW
from streams.records import DeadLetter
from streams.topics import DECISIONS, OUTCOMES

BATCH: Final = 240  # decisions handed on at once
SLATES: Final = "recommendation"
WEIGHED: Final = frozenset({SLATES, prices.DOMAIN})  # decisions that are drawn: the rest is made without chance
_EVERY: Final = 2_000  # decisions and outcomes after which decisions are scored, and what is ripe is handed on


class Domain(msgspec.Struct):
    """What is gathered of one domain: what was logged, and each rival (None until it says something here)."""

    logged: Strands = msgspec.field(default_factory=Strands)
    versions: dict[str, int] = {}
    calibration: Bins = msgspec.field(default_factory=Bins)
    rivals: list[PackedTally | None] = []


class Checked(msgspec.Struct):
    """What came of making every decision again."""

    decisions: int = 0
    equal: dict[str, int] = {}
    unable: dict[str, int] = {}
    differing: dict[str, int] = {}
    first_at: int = 0
    first: Difference | None = None

    def take(self, scored: Scored) -> None:
        self.decisions += 1
        if scored.unable:
            self.unable[scored.unable] = self.unable.get(scored.unable, 0) + 1
        elif scored.differs is None:
            self.equal[scored.domain] = self.equal.get(scored.domain, 0) + 1
        else:
            name = f"{scored.domain}: {scored.differs.field.partition('[')[0]}"
            self.differing[name] = self.differing.get(name, 0) + 1
            self._keep(scored.at, scored.differs)

    def _keep(self, at: int, found: Difference | None) -> None:
        key = (at, "" if found is None else found.decision_id)
        if found is not None and (self.first is None or key < (self.first_at, self.first.decision_id)):
            self.first_at, self.first = at, found

    def merge(self, other: "Checked") -> None:
        self.decisions += other.decisions
        for mine, theirs in (
            (self.equal, other.equal),
            (self.unable, other.unable),
            (self.differing, other.differing),
        ):
            for name, many in theirs.items():
                mine[name] = mine.get(name, 0) + many
        self._keep(other.first_at, other.first)


class Gathered(msgspec.Struct):
    """All that a share has gathered, as it travels."""

    read: dict[str, int] = {}
    waiting: Waiting = msgspec.field(default_factory=Waiting)
    unscored: list[bytes] = []  # decisions as they were logged, until there are enough to be scored at once
    number: int = 0  # decisions and outcomes taken in
    checked: Checked = msgspec.field(default_factory=Checked)
    domains: dict[str, Domain] = {}
    trials: dict[str, Trial] = {}
    shadows: dict[str, Beside] = {}
    bounds: Bounds = msgspec.field(default_factory=Bounds)
    judged: int = 0
    first: int = 0  # event time of the first and the last decision
    last: int = 0


_DECODER: Final = msgspec.msgpack.Decoder(Gathered)


class Judge:
    """Options are plain data: `rivals`, the known `versions` (artefacts by hash), and each item's category."""

    def __init__(
        self, rivals: Sequence[Mapping[str, Any]], versions: Mapping[str, str], categories: Mapping[str, str]
    ) -> None:
        self.rivals = rivals_of(rivals)
        self._versions = unpacked(versions)
        self._scorer = Scorer(self.rivals, self._versions, categories)
        self.gathered = Gathered()
        self._unscored: list[Decided] = []
        self._tallies: dict[str, list[Tally | None]] = {}
        self._rows: dict[str, list[Row]] = {}

    # ---- What comes in ----------------------------------------------------------------------------------------------

    def add(self, found: Found) -> None:
        """Take in the next message of the history."""
        if not isinstance(found, Message):
            self.gathered.waiting.count(f"{UNREADABLE}: {_reason(found)}")
            return
        topic, read = found.topic, self.gathered.read
        read[topic.name] = read.get(topic.name, 0) + 1
        try:
            if topic is DECISIONS:
                self._decide(decided(found.value), found.value or b"")
            elif topic is OUTCOMES:
                self.gathered.waiting.earn(earned(found.value))
            else:
                return  # it counts, and that is all
        except BadLogError as error:
            self.gathered.waiting.count(error.reason)
        self.gathered.number += 1
        if self.gathered.number % _EVERY == 0:
            self._score()
            self._judge(at_the_end=False)

    def _decide(self, one: Decided, raw: bytes) -> None:
        gathered = self.gathered
        if one.arm.startswith(SHADOW):
            gathered.waiting.count("shadow")
            key = f"{one.domain}/{one.policy_version}"
            gathered.shadows.setdefault(key, Beside(one.domain, one.policy_version)).add(one.exploration.agreement)
            return
        gathered.first = min(gathered.first or one.decided_at, one.decided_at)
        gathered.last = max(gathered.last, one.decided_at)
        if not gathered.waiting.decide(one.decision_id, one.decided_at):
            return
        if one.fallback is not None:
            gathered.waiting.end(one.decision_id, MISSING if one.fallback == MISSING else "fallback")
            return
        gathered.unscored.append(raw)
        self._unscored.append(one)

    def _score(self) -> None:
        """Make the decisions at hand again, and ask the rivals."""
        waiting, unscored = self.gathered.waiting, self._unscored
        self.gathered.bounds.take(unscored, self._versions)
        self.gathered.unscored, self._unscored = [], []
        for scored in self._scorer.score(unscored):
            self.gathered.checked.take(scored)
            pair = waiting.pairs.get(scored.decision_id)
            if pair is None:
                continue  # it was let go: too many wait
            if scored.domain in WEIGHED and not scored.predicted:
                waiting.end(scored.decision_id, scored.unable or "no-slots")
            else:
                pair.scored = scored

    # ---- What is handed on ------------------------------------------------------------------------------------------

    def _judge(self, *, at_the_end: bool) -> None:
        waiting = self.gathered.waiting
        for scored, found in waiting.ripe(at_the_end=at_the_end):
            rewards = _rewards(scored, found)
            if rewards is None:
                waiting.count("outcome-slots-disagree")
                continue
            rows = self._rows.setdefault(scored.domain, [])
            rows.append(Row(scored, rewards))
            if len(rows) >= BATCH:
                self._hand_on(scored.domain)
        for domain in sorted(self._rows):
            self._hand_on(domain)

    def _hand_on(self, domain: str) -> None:
        rows, self._rows[domain] = self._rows[domain], []
        if not rows:
            return
        known = self.gathered.domains.setdefault(domain, Domain())
        self.gathered.judged += len(rows)
        batch = Batch(rows)
        known.logged.add(batch, batch.earned, np.ones(len(batch)))
        for row in rows:
            self._try(row)
            version = str(row.scored.version)
            known.versions[version] = known.versions.get(version, 0) + 1
        if domain == SLATES:
            known.calibration.add(rows)
        tallies = self._tallies.setdefault(domain, [None] * len(self.rivals))
        for place, tally in enumerate(tallies):
            asked, matches = batch.of(place)
            if matches:
                taken = tallies[place] = tally or Tally()
                (taken.add if domain in WEIGHED else taken.add_certain)(asked, matches)

    def _try(self, row: Row) -> None:
        """Take in a row that is part of an experiment."""
        told = row.scored.experiment
        if told is None:
            return
        key = f"{row.scored.domain}/{told.name}/{sorted(told.shares.items())}"
        trial = self.gathered.trials.get(key)
        if trial is None:
            trial = self.gathered.trials[key] = Trial(told.name, row.scored.domain, told.shares)
        trial.add(row.scored.entity, row.scored.arm, row.earned)

    # ---- As it travels ----------------------------------------------------------------------------------------------

    def dump(self) -> bytes:
        """All that has been gathered."""
        for domain, tallies in self._tallies.items():
            packed = [None if one is None else one.pack() for one in tallies]
            self.gathered.domains.setdefault(domain, Domain()).rivals = packed
        return msgspec.msgpack.encode(self.gathered)

    def load(self, raw: bytes) -> None:
        """Be what `dump` said."""
        self.gathered = _DECODER.decode(raw)
        self._unscored = [decided(one) for one in self.gathered.unscored]
        for name, domain in self.gathered.domains.items():
            self._tallies[name] = [None if one is None else Tally.unpack(one) for one in domain.rivals]

    def merge(self, raw: bytes) -> None:
        """Take in what another share gathered."""
        mine, theirs = self.gathered, _DECODER.decode(raw)
        for name, many in theirs.read.items():
            mine.read[name] = mine.read.get(name, 0) + many
        mine.waiting.merge(theirs.waiting)
        mine.unscored += theirs.unscored
        self._unscored += [decided(one) for one in theirs.unscored]
        mine.checked.merge(theirs.checked)
        mine.bounds.merge(theirs.bounds)
        mine.judged += theirs.judged
        mine.first = min(mine.first or theirs.first, theirs.first or mine.first)
        mine.last = max(mine.last, theirs.last)
        for name, domain in theirs.domains.items():
            self._merge_domain(name, domain)
        for key, trial in theirs.trials.items():
            mine.trials.setdefault(key, Trial(trial.name, trial.domain, trial.shares)).merge(trial)
        for key, beside in theirs.shadows.items():
            mine.shadows.setdefault(key, Beside(beside.domain, beside.version)).merge(beside)

    def _merge_domain(self, name: str, domain: Domain) -> None:
        mine = self.gathered.domains.setdefault(name, Domain())
        mine.logged.merge(domain.logged)
        mine.calibration.merge(domain.calibration)
        for version, many in domain.versions.items():
            mine.versions[version] = mine.versions.get(version, 0) + many
        own = self._tallies.setdefault(name, [None] * len(self.rivals))
        for place, packed in enumerate(domain.rivals):
            known = own[place]
            if packed is not None and known is not None:
                known.merge(Tally.unpack(packed))
            elif packed is not None:
                own[place] = Tally.unpack(packed)

    def finish(self) -> None:
        """Nothing more comes."""
        self._score()
        self._judge(at_the_end=True)
        self.gathered.waiting.close()

    @property
    def tallies(self) -> Mapping[str, list[Tally | None]]:
        """By domain, one for each rival."""
        return self._tallies


def _rewards(scored: Scored, found: Earned) -> list[float] | None:
    """By slot; None where they aren't of these slots. Of a decision without chance there is one slot."""
    if scored.domain != SLATES:
        return [found.reward]
    return found.slot_rewards if len(found.slot_rewards) == len(scored.slots) else None


def _reason(found: Rejected) -> str:
    return msgspec.json.decode(found.letter.value or b"", type=DeadLetter).reason
