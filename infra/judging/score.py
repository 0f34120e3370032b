"""How likely each rival would have been to decide what was decided: numbers that no longer need the features.

A slate's candidates are scored slot by slot, given the slots before, with the seed's own draws of the normals: given
those, the logged slate is still random (which draw, and Gumbel noise), so ratios of propensities are unbiased, and two
versions that agree get ratios near 1. A price is a slate of one slot. Bids and orders are made without chance: a rival
makes them too, or doesn't.

The reward model r̂ is the user's own belief at that moment, φ·μ under the version that decided: it has seen only what
was before, so it isn't fitted on the decision it predicts.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

import msgspec
import numpy as np

from infra.judging import prices
from infra.judging.block import Block, Way
from infra.judging.evidence import Difference
from infra.judging.logged import Decided, Told, Versions
from infra.judging.remake import difference
from infra.judging.rivals import Rival, Rule
from infra.judging.situations import Made, Remade, Situations, Unable, situations
from infra.judging.slates import CannotError, Case, blocks
from policies.linalg import Floats
from policies.slates.likelihood import even, ranked
from policies.slates.recommend import FEATURES
from policies.slates.slate import picked, slots_of
from policies.version import SHIPPED, PolicyVersion
from streams.records import Domain

_POPULAR: Final = FEATURES.index("popular_share")


class Match(msgspec.Struct, array_like=True):
    """One rival on one decision: P(slot k | slots before) and the r̂ that it would expect there, by slot.

    For a decision without chance `slots` is [1.0] where the rival decides the same, and [0.0] where it doesn't.
    """

    slots: list[float]
    expected: list[float] = []


class Scored(msgspec.Struct, array_like=True):
    """A decision with all that judging it takes. `matches` are by rival, None where it says nothing of this domain.

    `differs` and `unable` are what came of making it again.
    """

    decision_id: str
    domain: str
    entity: str
    at: int
    version: int
    slots: list[float]  # logged propensities
    predicted: list[float]  # r̂ of what was chosen, by slot; [] where there is no model
    served: list[float]  # the r̂ that the version that decided would expect there; as predicted where it is unknown
    best: list[float]  # the highest r̂ of all candidates, highest first, as many as slots
    matches: list[Match | None]
    segments: list[tuple[str, str]]
    arm: str = ""  # in its experiment; "" in none
    experiment: Told | None = None
    unable: str = ""
    differs: Difference | None = None


class Scorer:
    """Scores decisions in batches, against the same rivals."""

    def __init__(self, rivals: Sequence[Rival], versions: Versions, categories: Mapping[str, str]) -> None:
        self._rivals = [(rival, rival.version) for rival in rivals]
        self._versions = versions
        self._categories = categories
        self._ways: dict[str, Way] = {}

    def score(self, decisions: Sequence[Decided]) -> list[Scored]:
        """One for each decision, in their order."""
        by: dict[tuple[Domain, str], list[Decided]] = defaultdict(list)
        for one in decisions:
            by[one.domain, one.policy_hash if one.domain == "recommendation" else ""].append(one)
        found: dict[str, Scored] = {}
        for (domain, sha256), same in by.items():
            if domain == "recommendation":
                made = self._slates(same, sha256)
            else:
                made = self._prices(same) if domain == prices.DOMAIN else self._certain(domain, same)
            found.update((one.decision_id, one) for one in made)
        return [found[one.decision_id] for one in decisions]

    # ---- Slates -----------------------------------------------------------------------------------------------------

    def _slates(self, decisions: Sequence[Decided], sha256: str) -> Iterator[Scored]:
        cases: list[Case] = []
        for one in decisions:
            try:
                cases.append(Case.of(one))
            except CannotError as error:
                yield self._plain(one, [None] * len(self._rivals), unable=error.why)
        version = self._versions.get(sha256)
        for block in blocks(cases):
            yield from self._block(block, version)

    def _block(self, cases: list[Case], version: PolicyVersion | None) -> Iterator[Scored]:
        way = self._way(version or SHIPPED)
        block = Block(cases, way)
        chosen, reward = block.chosen, block.reward
        taken = np.take_along_axis(reward, chosen, axis=1)
        usual = block.likelihood(way)[1] if version is not None and chosen.size else taken
        if not chosen.size:
            made = [(np.zeros(chosen.shape), np.zeros(chosen.shape))] * len(self._rivals)
        else:
            made = [self._match(rival, of, block, cases, usual) for rival, of in self._rivals]
        predicted, expected_then = taken.tolist(), usual.tolist()
        told = [(_rows(slots), _rows(expected)) for slots, expected in made]
        best = -np.sort(-np.where(block.padded, -np.inf, reward), axis=1)[:, : chosen.shape[1]]
        again = [None] * len(cases) if version is None else list(picked(block.served, slots_of(cases[0].query)))
        for row, (case, slate) in enumerate(zip(cases, again, strict=True)):
            matches = [Match(slots[row], expected[row]) for slots, expected in told]
            differs = None
            if slate is not None:
                names = [case.told.candidates[place] for place in slate.chosen]
                fields = {"chosen": names, "slot_propensities": slate.slot_propensities}
                differs = difference(Remade(case.told, slate.propensity, fields))
            scored = self._plain(case.told, list(matches), unable="" if slate is not None else "version-unknown")
            scored.predicted, scored.served, scored.best = predicted[row], expected_then[row], best[row].tolist()
            scored.differs = differs
            scored.segments.append(("customer", "returning" if case.query.precision.any() else "new"))
            yield scored

    def _match(
        self, rival: Rival, version: PolicyVersion, block: Block, cases: list[Case], usual: Floats
    ) -> tuple[Floats, Floats]:
        chosen, reward = block.chosen, block.reward
        match rival.rule:
            case "logged":
                return np.array([one.told.slot_propensities for one in cases]), usual
            case "uniform":
                return even(block.counts, chosen, reward)
            case "popularity":
                return ranked(np.where(block.padded, -np.inf, block.served.phi[_POPULAR]), chosen, reward)
            case "greedy":
                asked = block.drawn(self._way(version))
                return ranked(np.where(block.padded, -np.inf, block.score(asked)), chosen, reward)
            case "version":
                return block.likelihood(self._way(version))

    def _way(self, version: PolicyVersion) -> Way:
        if version.sha256 not in self._ways:
            self._ways[version.sha256] = Way.of(version)
        return self._ways[version.sha256]

    # ---- Prices -----------------------------------------------------------------------------------------------------

    def _prices(self, decisions: Sequence[Decided]) -> Iterator[Scored]:
        logged = situations(prices.DOMAIN, decisions).as_logged(self._versions)
        rivals: list[tuple[Rule, PolicyVersion]] = [(rival.rule, version) for rival, version in self._rivals]
        for one, again in zip(decisions, logged, strict=True):
            version = self._versions.get(one.policy_hash)
            found, unable = prices.priced(one, version or SHIPPED), again.why if isinstance(again, Unable) else ""
            if found is None:
                yield self._plain(one, [None] * len(rivals), unable=unable or "features-missing")
                continue
            predicted = [float(found.profit[found.place])]
            usual = prices.chance(found.made.choice.distribution, found)[1] if version else predicted
            asked = prices.distributions(found, one, rivals, usual)
            scored = self._plain(one, [None if each is None else Match(*each) for each in asked], unable=unable)
            scored.predicted, scored.served, scored.best = predicted, usual, [float(found.profit.max())]
            scored.differs = None if isinstance(again, Unable) else difference(again)
            yield scored

    # ---- Bids and orders --------------------------------------------------------------------------------------------

    def _certain(self, domain: Domain, decisions: Sequence[Decided]) -> Iterator[Scored]:
        asked = situations(domain, decisions)
        logged = asked.as_logged(self._versions)
        differs = [None if isinstance(one, Unable) else difference(one) for one in logged]
        same = [self._same(rival, version, asked, (logged, differs)) for rival, version in self._rivals]
        for place, (one, again) in enumerate(zip(decisions, logged, strict=True)):
            matches = [None if each is None else _match_of(each[place]) for each in same]
            scored = self._plain(one, matches, unable=again.why if isinstance(again, Unable) else "")
            scored.differs = differs[place]
            yield scored

    @staticmethod
    def _same(
        rival: Rival,
        version: PolicyVersion,
        asked: Situations,
        known: tuple[Sequence[Made], Sequence[Difference | None]],
    ) -> Sequence[bool | None] | None:
        """Of each decision whether the rival makes it too; None of those that it can't be asked of."""
        logged, differs = known
        if rival.rule == "logged":
            return [True for _ in logged]
        if rival.rule not in {"version", "greedy"}:
            return None
        return [
            None if isinstance(made, Unable) else (differs[place] if made is again else difference(made)) is None
            for place, (made, again) in enumerate(zip(asked.under(version), logged, strict=True))
        ]

    # ---- Both -------------------------------------------------------------------------------------------------------

    def _plain(self, one: Decided, matches: list[Match | None], *, unable: str = "") -> Scored:
        return Scored(
            decision_id=one.decision_id,
            domain=one.domain,
            entity=one.entity,
            at=one.decided_at,
            version=one.policy_version,
            slots=one.slot_propensities,
            predicted=[],
            served=[],
            best=[],
            matches=matches,
            segments=self._segments(one),
            arm=one.arm.rpartition("/")[2],
            experiment=one.exploration.experiment,
            unable=unable,
        )

    def _segments(self, one: Decided) -> list[tuple[str, str]]:
        found = [("arm", one.arm)]
        if one.domain == "recommendation":
            found.append(("placement", str(one.action.get("placement", ""))))
            if one.chosen:
                found.append(("category of the first item", self._categories.get(one.chosen[0], "unknown")))
        elif one.domain == "bidding":
            found.append(("campaign", one.entity))
        elif one.domain == "replenishment":
            found.append(("demand", _demand(one)))
        return found


def _rows(values: Floats) -> list[list[float]]:
    return cast(list[list[float]], values.tolist())


def _match_of(same: bool | None) -> Match | None:  # a dictionary's value
    return None if same is None else Match([float(same)])


class _Rate(msgspec.Struct):
    a: float = 0.0
    b: float = 0.0


_RATE: Final = msgspec.json.Decoder(_Rate)
_CLASSES: Final = ((0.1, "under 0.1 a day"), (1.0, "0.1 to 1 a day"), (10.0, "1 to 10 a day"))


def _demand(one: Decided) -> str:
    """The class of a SKU by its believed demand, units a day."""
    try:
        told = _RATE.decode(one.features)
    except msgspec.DecodeError:
        return "unknown"
    rate = told.a / told.b if told.b > 0 else 0.0
    return next((name for limit, name in _CLASSES if rate < limit), "10 a day and more")
