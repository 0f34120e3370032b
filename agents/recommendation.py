"""Recommendation: user events in; slates, their decisions and outcomes, and what happened to which item out."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Final, cast

import msgspec
import numpy as np

from agents.candidates import Look
from agents.contract import Agent, Draft, Input, State, Step, Work
from agents.erased import erased_until, expire, mark, unlearning_id
from agents.fold import cancel_timer, fold, set_timer
from agents.identity import decision_id
from agents.pairs import Facts, features
from agents.slates import DEFAULT_PLACEMENT, OpenSlate, Slates
from agents.treatment import Treatment, Treatments, shadowed
from policies.draws import seed_of
from policies.slates.evidence import Evidence, GaussianPrior
from policies.slates.recommend import DOMAIN, FEATURES, MEMORY_MS, SCALE, Ints, prior_of, query
from policies.slates.slate import DRAWS, Slate, choose
from policies.version import PolicyVersion
from streams.profile import USER_FEATURES, Profile
from streams.records import (
    Decision,
    Erasure,
    Experience,
    ItemActivity,
    Outcome,
    Recommendation,
    ScoredItem,
    UserEvent,
)
from streams.times import DAY, HOUR, EventTime
from streams.topics import (
    CATALOG,
    DECISIONS,
    ERASURES,
    EXPERIENCES,
    ITEM_ACTIVITY,
    ITEM_STATS,
    OUTCOMES,
    RECOMMENDATIONS,
    STOCK_UPDATES,
    USER_EVENTS,
)

NAME: Final = "recommendation"
SLATE_SIZE: Final = 10
MAX_COMPANIONS: Final = 10

SlateTreatment = Treatment[tuple[GaussianPrior, float]]  # the prior over the weights, and the temperature


class User(msgspec.Struct):
    """All that is kept of one user."""

    profile: Profile = msgspec.field(default_factory=Profile)
    slates: Slates = msgspec.field(default_factory=Slates)
    evidence: Evidence = msgspec.field(default_factory=Evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A slate asked for, with all that its choice depends on as it was at that place in the order."""

    input: Input
    decided_at: int
    facts: Facts  # of the candidates, and after them of what was kept back
    kept_back: int  # items that may not be shown
    evidence: Evidence
    treatment: SlateTreatment
    open: OpenSlate
    placement: str

    @property
    def event(self) -> UserEvent:
        return cast(UserEvent, self.input.record)

    @property
    def size(self) -> int:
        return self.event.slate_size or SLATE_SIZE

    def seed(self, by: SlateTreatment) -> int:
        return seed_of(by.version.sha256, self.event.event_id)


@dataclass(frozen=True, slots=True)
class Withheld:
    """What would have been candidates but may not be shown, and their features [C, d]: what that costs, they tell."""

    items: list[str]
    phi: Ints

    @property
    def logged(self) -> dict[str, Any]:
        return {"withheld": self.items, "withheld_phi": self.phi} if self.items else {"withheld": self.items}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationAgent:
    """One slate for each request, and a fresh one for other events at most once per `refresh_interval_ms`."""

    refresh_interval_ms: int = HOUR
    attribution_window_ms: int = DAY
    name: str = NAME
    reads: tuple[Any, ...] = (USER_EVENTS, ERASURES)
    watches: tuple[Any, ...] = (CATALOG, ITEM_STATS, STOCK_UPDATES)
    emits: tuple[Any, ...] = (RECOMMENDATIONS, DECISIONS, OUTCOMES, ITEM_ACTIVITY, EXPERIENCES)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        work = _Work(
            agent=self,
            state=state,
            treatments=Treatments(state.experiments, DOMAIN, policy, prior_of),
            draft=Draft(state.entries, state.memo),
        )
        end = fold(work.draft, batch, now, on_record=work.take, on_timer=work.mature)
        work.decide()
        return work.done(end)


@dataclass(slots=True, kw_only=True)
class _Work(Work):
    """One step under way."""

    agent: RecommendationAgent
    state: State
    treatments: Treatments[tuple[GaussianPrior, float]]
    asked: list[Asked] = field(default_factory=list[Asked])

    def take(self, given: Input, now: int) -> None:
        if given.topic is ERASURES:
            self._forget(given.record)
        else:
            self._hear(given, now)

    def _forget(self, asked: Erasure) -> None:
        """Remove all that is kept of a user. What is open of theirs gets no outcome: nothing more is said of them."""
        user = self.draft.find(f"user/{asked.user_id}", User)
        if not mark(self.draft, asked, user.profile.at if user is not None else 0):
            self.ignore("duplicate")
            return
        for slate in user.slates.open if user is not None else ():
            cancel_timer(self.draft, _window_timer(asked.user_id, slate), slate.due)
        self.draft.remove(f"user/{asked.user_id}")
        self.put(EXPERIENCES, _unlearn(asked))

    def _user(self, event: UserEvent) -> User | None:
        """The one whose event it is, new where nothing is kept; None where the event was erased."""
        user = self.draft.find(f"user/{event.user_id}", User)
        if user is not None:
            return user
        until = erased_until(self.draft, event.user_id)
        if until is not None and event.occurred_at <= until:
            return None
        user = self.draft.edit(f"user/{event.user_id}", User)
        if until is not None:
            user.profile.seen.forgotten_until = until + 1  # from now on, what is older is too late
        return user

    def _hear(self, given: Input, now: int) -> None:
        event: UserEvent = given.record
        user = self._user(event)
        if user is None:
            self.ignore("erased")
            return
        verdict = user.profile.seen.admit(event.event_id, event.occurred_at)
        if verdict != "new":
            self.ignore(verdict)
            return
        companions = user.profile.basket[-MAX_COMPANIONS - 1 :]  # the item itself may be one of them
        user.profile.features.update(user.profile.observe(event))
        self._tell_item(event, companions)
        self._credit(user, event, now)
        if self._wants_slate(user, event):
            self._ask(user, given, now)

    def _tell_item(self, event: UserEvent, companions: list[str]) -> None:
        if event.item_id is None or event.type == "request":
            return
        if event.type != "purchase":
            companions = []
        activity = ItemActivity(
            event_id=event.event_id,
            item_id=event.item_id,
            type=event.type,
            occurred_at=event.occurred_at,
            quantity=event.quantity if event.quantity is not None else 1.0,
            price=event.price,
            companions=[item for item in companions if item != event.item_id][-MAX_COMPANIONS:],
        )
        self.put(ITEM_ACTIVITY, activity)

    def _credit(self, user: User, event: UserEvent, now: int) -> None:
        for slate in user.slates.credit(event):
            self.put(OUTCOMES, self._outcome(event.user_id, slate, now, "correction"))

    def _wants_slate(self, user: User, event: UserEvent) -> bool:
        if event.type == "request":
            return True
        interval = self.agent.refresh_interval_ms
        return user.slates.due_for_refresh(_placement(user, event), event.occurred_at, interval)

    def _ask(self, user: User, given: Input, now: int) -> None:
        event: UserEvent = given.record
        treatment = self.treatments.of(event.user_id)
        location = event.context.get("location")
        look = Look(user.profile, self.state.views, now, location if isinstance(location, str) else None)
        slate = OpenSlate(
            decision_id=decision_id(NAME, event.event_id),
            decided_at=int(event.occurred_at),
            due=int(event.occurred_at) + self.agent.attribution_window_ms,
            policy_version=treatment.version.number,
        )
        placement = _placement(user, event)
        rows, kept_back = look.candidates(), look.kept_back()
        user.slates.begin(slate, placement)
        set_timer(self.draft, _window_timer(event.user_id, slate), slate.due)
        self.asked.append(
            Asked(
                input=given,
                decided_at=now,
                facts=look.facts(np.concatenate([rows, kept_back])),
                kept_back=len(kept_back),
                evidence=copy(user.evidence),
                treatment=treatment,
                open=slate,
                placement=placement,
            )
        )

    def decide(self) -> None:
        """Choose all slates asked for so far, at once."""
        asked, self.asked = self.asked, []
        if not asked:
            return
        known = list(features([one.facts for one in asked], self.state.views))
        phi = [of[: len(of) - one.kept_back] for one, of in zip(asked, known, strict=True)]
        slates = _chosen(asked, phi, [one.treatment for one in asked])
        beside = [(by, _chosen(asked, phi, [by] * len(asked))) for by in self.treatments.shadows()]
        names_of = self.state.views.table.names_of
        for at, (one, of, slate) in enumerate(zip(asked, phi, slates, strict=True)):
            names = names_of(one.facts.rows)
            items, withheld = names[: len(of)], Withheld(names[len(of) :], known[at][len(of) :])
            one.open.items = [items[place] for place in slate.chosen]
            one.open.propensities = slate.slot_propensities
            one.open.contexts = of[slate.chosen].astype(np.int32).tobytes()
            self.put(RECOMMENDATIONS, self._recommendation(one, slate))
            decision = self._decision(one, items, of, slate, one.treatment, withheld)
            self.put(DECISIONS, decision)
            for by, others in beside:
                shadow = self._decision(one, items, of, others[at], by, withheld)
                self.put(DECISIONS, shadowed(decision, shadow, _shared(decision.chosen, shadow.chosen)))

    def _recommendation(self, one: Asked, slate: Slate) -> Recommendation:
        return Recommendation(
            decision_id=one.open.decision_id,
            event_id=one.event.event_id,
            user_id=one.event.user_id,
            placement=one.placement,
            items=[
                ScoredItem(item_id=item, score=score) for item, score in zip(one.open.items, slate.scores, strict=True)
            ],
            policy_version=one.treatment.version.number,
            decided_at=one.open.decided_at,
        )

    def _decision(
        self, one: Asked, items: list[str], phi: Ints, slate: Slate, by: SlateTreatment, withheld: Withheld
    ) -> Decision:
        return Decision(
            decision_id=one.open.decision_id,
            domain=DOMAIN,
            entity=one.event.user_id,
            event_ids=[one.event.event_id],
            source=one.input.source,
            occurred_at=int(one.event.occurred_at),
            decided_at=one.decided_at,
            features={"names": FEATURES, "unit": SCALE, "phi": phi, "belief": _belief(one.evidence)} | withheld.logged,
            feature_version=USER_FEATURES.version,
            candidates=items,
            chosen=[items[place] for place in slate.chosen],
            action={"placement": one.placement, "size": one.size},
            propensity=slate.propensity,
            slot_propensities=slate.slot_propensities,
            exploration=by.explored({"kind": "plackett-luce-mixture", "draws": DRAWS, "temperature": by.prior[1]}),
            policy_version=by.version.number,
            policy_hash=by.version.sha256,
            seed=str(one.seed(by)),
            fallback=by.assigned.fallback if items else "no-candidates",
            arm=by.arm,
            attribution_window_ms=self.agent.attribution_window_ms,
            views=self.state.views.marks,
        )

    def mature(self, name: str, at: int) -> None:
        """The window of a slate has closed: tell its outcome, and learn from it."""
        if expire(self.draft, name, at):
            return
        user_id, _, which = name.rpartition("\x1f")
        if any(one.open.decision_id == which for one in self.asked):
            self.decide()  # a batch may span the whole window
        user = self.draft.find(f"user/{user_id}", User)
        slate = user.slates.close(which) if user is not None else None
        if user is None or slate is None:
            return
        self.put(OUTCOMES, self._outcome(user_id, slate, at, "final"))
        if slate.items:
            self._learn(user_id, user, slate, at)
        slate.contexts, slate.propensities = b"", []  # late feedback needs its items only

    def _learn(self, user_id: str, user: User, slate: OpenSlate, at: int) -> None:
        known = np.frombuffer(slate.contexts, dtype=np.int32).reshape(len(slate.items), -1) / SCALE
        phi = np.zeros((len(known), len(FEATURES)))
        phi[:, : known.shape[1]] = known  # a slate of before lacks features that were 0 then
        y = np.array(slate.rewards())
        noise = self.treatments.of(user_id).prior[0].noise
        user.evidence.add(phi, y, noise=noise, at=at, memory_ms=MEMORY_MS)
        experience = Experience(
            experience_id=slate.decision_id,
            domain=DOMAIN,
            entity=user_id,
            occurred_at=EventTime(at),
            contexts=phi.tolist(),
            outcomes=y.tolist(),
            policy_version=slate.policy_version,
            propensities=slate.propensities,
        )
        self.put(EXPERIENCES, experience)

    def _outcome(self, user_id: str, slate: OpenSlate, at: int, label: Any) -> Outcome:
        rewards = slate.rewards()
        return Outcome(
            decision_id=slate.decision_id,
            domain=DOMAIN,
            entity=user_id,
            reward=float(sum(rewards)),
            slot_rewards=rewards,
            label=label,
            attribution=cast(Any, slate.attribution()),
            decided_at=slate.decided_at,
            matured_at=at,
            policy_version=slate.policy_version,
        )


def _chosen(asked: Sequence[Asked], phi: Sequence[Ints], by: Sequence[SlateTreatment]) -> list[Slate]:
    """A slate for each, by a version of its own: those of one version at once."""
    slates: dict[int, Slate] = {}
    for version in dict.fromkeys(each.version.sha256 for each in by):
        places = [at for at, each in enumerate(by) if each.version.sha256 == version]
        queries = [query(phi[at], asked[at].evidence, asked[at].seed(by[at]), asked[at].size) for at in places]
        slates.update(zip(places, choose(queries, *by[places[0]].prior), strict=True))
    return [slates[at] for at in range(len(asked))]


def _shared(real: Sequence[str], shadow: Sequence[str]) -> float:
    """The part of a slate that another one holds too."""
    return len(set(real).intersection(shadow)) / len(real) if real else 1.0


def _window_timer(user_id: str, slate: OpenSlate) -> str:
    return f"{user_id}\x1f{slate.decision_id}"


def _unlearn(asked: Erasure) -> Experience:
    """What tells the learner that a user is to be forgotten."""
    return Experience(
        experience_id=unlearning_id(asked),
        domain=DOMAIN,
        entity=asked.user_id,
        occurred_at=asked.occurred_at,
        contexts=[],
        outcomes=[],
        policy_version=0,
        kind="erasure",
    )


def _placement(user: User, event: UserEvent) -> str:
    """Where the slate goes: as asked, or, to refresh it, where the user was last served."""
    return event.placement or (DEFAULT_PLACEMENT if event.type == "request" else user.slates.placement)


def _belief(evidence: Evidence) -> dict[str, Any]:
    """The user's own evidence as it is logged: enough, with the policy version, to make the choice again."""
    upper, shift = evidence.told(len(FEATURES))
    return {"precision_upper": upper, "shift": shift} if upper.any() else {}


def build(*, refresh_interval_ms: int, attribution_window_ms: int) -> Agent:
    return RecommendationAgent(refresh_interval_ms=refresh_interval_ms, attribution_window_ms=attribution_window_ms)
