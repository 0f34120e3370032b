"""How likely each rival would have been to decide what was decided: numbers that no longer need the features.

A slate's candidates are scored slot by slot, given the slots before, with the seed's own draws of the normals: given
those, the logged slate is still random (which draw, and Gumbel noise), so ratios of propensities are unbiased, and two
versions that agree get ratios near 1. Bids and orders are made without chance: a rival makes them too, or doesn't.

The reward model r̂ is the user's own belief at that moment, φ·μ under the version that decided: it has seen only what
was before, so it isn't fitted on the decision it predicts.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from agents.replenishment import review_of
from infra.judging.evidence import Difference
from infra.judging.logged import Decided, Told, Versions
from infra.judging.remake import Remade, Unable, bids_of, difference, made_by_its_agent, orders_of, remake
from infra.judging.rivals import Rival
from infra.judging.slates import CannotError, Case, blocks
from policies.bidding import pacing
from policies.linalg import Floats, dot
from policies.orders import demand
from policies.slates.likelihood import even, likelihood, ranked
from policies.slates.recommend import FEATURES, prior_of
from policies.slates.slate import Drawn, Ints, drawn, picked, slots_of
from policies.version import SHIPPED, PolicyVersion

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

    def score(self, decisions: Sequence[Decided]) -> list[Scored]:
        """One for each decision, in their order."""
        by: dict[tuple[str, str], list[Decided]] = defaultdict(list)
        for one in decisions:
            by[one.domain, one.policy_hash].append(one)
        found: dict[str, Scored] = {}
        for (domain, sha256), same in by.items():
            made = self._slates(same, sha256) if domain == "recommendation" else self._certain(same)
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

    def _block(self, block: list[Case], version: PolicyVersion | None) -> Iterator[Scored]:
        prior, temperature = prior_of(version or SHIPPED)
        queries = [case.query for case in block]
        served = drawn(queries, prior, temperature)
        chosen = np.array([case.chosen for case in block], dtype=np.int64).reshape(len(block), -1)
        reward = _padded(dot(served.phi, served.mean[..., None]), served)
        taken = np.take_along_axis(reward, chosen, axis=1)
        usual = likelihood(served.logits, chosen, reward)[1] if version is not None and chosen.size else taken
        if not chosen.size:
            made = [(np.zeros(chosen.shape), np.zeros(chosen.shape))] * len(self._rivals)
        else:
            made = [self._match(rival, of, served, chosen, reward, block, usual) for rival, of in self._rivals]
        predicted, expected_then = taken.tolist(), usual.tolist()
        best = -np.sort(-np.where(_is_padded(served), -np.inf, reward), axis=1)[:, : chosen.shape[1]]
        again = [None] * len(block) if version is None else list(picked(served, slots_of(queries[0])))
        for row, (case, slate) in enumerate(zip(block, again, strict=True)):
            matches = [Match(slots[row].tolist(), expected[row].tolist()) for slots, expected in made]
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
        self,
        rival: Rival,
        version: PolicyVersion,
        served: Drawn,
        chosen: Ints,
        reward: Floats,
        block: list[Case],
        usual: Floats,
    ) -> tuple[Floats, Floats]:
        counts = np.array([len(one.query.phi) for one in block])
        if rival.rule == "logged":
            return np.array([one.told.slot_propensities for one in block]), usual
        if rival.rule == "uniform":
            return even(counts, chosen, reward)
        padded = _is_padded(served)
        if rival.rule == "popularity":
            return ranked(np.where(padded, -np.inf, served.phi[_POPULAR]), chosen, reward)
        prior, temperature = prior_of(version)
        asked = drawn(served.block, prior, temperature)
        if rival.rule == "greedy":
            return ranked(np.where(padded, -np.inf, dot(asked.phi, asked.mean[..., None])), chosen, reward)
        return likelihood(asked.logits, chosen, reward)

    # ---- Bids and orders --------------------------------------------------------------------------------------------

    def _certain(self, decisions: Sequence[Decided]) -> Iterator[Scored]:
        made = {one.decision.decision_id: one for one in remake(decisions, self._versions)}
        same = [self._same(rival, version, decisions) for rival, version in self._rivals]
        for one in decisions:
            again = made[one.decision_id]
            matches = [None if each is None else _match_of(each.get(one.decision_id)) for each in same]
            scored = self._plain(one, matches, unable=again.why if isinstance(again, Unable) else "")
            scored.differs = None if isinstance(again, Unable) else difference(again)
            yield scored

    def _same(self, rival: Rival, version: PolicyVersion, decisions: Sequence[Decided]) -> dict[str, bool] | None:
        """Of each decision whether the rival makes it too; those that it can't be asked of are missing."""
        if rival.rule == "logged":
            return {one.decision_id: True for one in decisions}
        if rival.rule not in {"version", "greedy"}:
            return None
        made = _ASKED.get(decisions[0].domain, made_by_its_agent)(decisions, version)
        return {one.decision.decision_id: difference(one) is None for one in made if not isinstance(one, Unable)}

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


def _match_of(same: bool | None) -> Match | None:  # a dictionary's value
    return None if same is None else Match([float(same)])


def _padded(reward: Floats, served: Drawn) -> Floats:
    """r̂ with 0 where a candidate is padded: it is weighed by 0, and must not be infinite."""
    return np.where(_is_padded(served), 0.0, reward)


def _is_padded(served: Drawn) -> npt.NDArray[np.bool_]:
    """[B, C]"""
    counts = np.array([len(query.phi) for query in served.block])
    places: Ints = np.arange(served.logits.shape[2], dtype=np.int64)
    return np.greater_equal(places, counts[:, None])


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


def _bids(decisions: Sequence[Decided], version: PolicyVersion) -> Iterator[Remade | Unable]:
    return bids_of(decisions, version.prior(pacing.DOMAIN, pacing.PRIOR))


def _reviews(decisions: Sequence[Decided], version: PolicyVersion) -> Iterator[Remade | Unable]:
    prior = demand.DemandPrior.of(version.prior("replenishment", demand.PRIOR))
    return orders_of(decisions, partial(review_of, prior=prior))


_ASKED: Final[dict[str, Callable[[Sequence[Decided], PolicyVersion], Iterator[Remade | Unable]]]] = {
    "bidding": _bids,
    "replenishment": _reviews,
}
