"""Recommendation: user events in; slates, their decisions and outcomes, and what happened to which item out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import numpy as np

from agents.asked import Asked, Faced, Sights, SlatePrior, SlateTreatment, chosen
from agents.candidates import Look
from agents.contract import Agent, Draft, Input, State, Step, Work
from agents.erased import erased_until, expire, mark, unlearning_id
from agents.fold import cancel_timer, fold, set_timer
from agents.identity import decision_id
from agents.pairs import features
from agents.slates import DEFAULT_PLACEMENT, OpenSlate
from agents.treatment import Treatments, shadowed
from agents.user import Own, User, ring_key
from policies.attention.experience import bought, rows_of
from policies.attention.prior import DOMAIN as HISTORIES
from policies.slates.evidence import Evidence
from policies.slates.recommend import DOMAIN, FEATURES, MEMORY_MS
from policies.slates.ring import Kept
from policies.slates.slate import DRAWS, Slate
from policies.version import PolicyVersion
from streams.profile import USER_FEATURES
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
MAX_COMPANIONS: Final = 10


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
            treatments=Treatments(state.experiments, DOMAIN, policy, SlatePrior.of),
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
    treatments: Treatments[SlatePrior]
    asked: list[Asked] = field(default_factory=list[Asked])

    def take(self, given: Input, now: int) -> None:
        if given.topic is ERASURES:
            self._forget(given.record)
        else:
            self._hear(given, now)

    def _forget(self, asked: Erasure) -> None:
        """Remove all that is kept of a user. What is open of theirs gets no outcome: nothing more is said of them."""
        if any(one.event.user_id == asked.user_id for one in self.asked):
            self.decide()  # it was asked for before that
        user = self.draft.find(f"user/{asked.user_id}", User)
        if not mark(self.draft, asked, user.profile.at if user is not None else 0):
            self.ignore("duplicate")
            return
        if user is not None:
            for slate in user.slates.open:
                cancel_timer(self.draft, _window_timer(asked.user_id, slate), slate.due)
            Own(self.draft, asked.user_id, user).forget()
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
        self._tell_learner(user, event, now)
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

    def _tell_learner(self, user: User, event: UserEvent, now: int) -> None:
        """What a user bought for the first time, and after what: at most one purchase in an hour."""
        at, item, views = int(event.occurred_at), event.item_id, self.state.views
        if event.type != "purchase" or item is None or at - user.told_at < HOUR or item in user.profile.items:
            return
        if not user.profile.is_visiting(now):
            return
        token = views.token(item)
        past = Look(user.profile, views, now).past if token is not None else None
        if token is None or past is None:
            return
        user.told_at = at
        experience = Experience(
            experience_id=decision_id(HISTORIES, event.event_id),
            domain=HISTORIES,
            entity=event.user_id,
            occurred_at=event.occurred_at,
            contexts=rows_of(token, past),
            outcomes=bought(past),
            policy_version=self.treatments.of(event.user_id).version.number,
        )
        self.put(EXPERIENCES, experience)

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
        own = Own(self.draft, event.user_id, user)
        shadows = (by.prior.encoder for by in self.treatments.shadows())
        evidence = own.evidence(treatment.prior.encoder, shadows)
        if look.past is not None:
            own.begin(slate)
        user.slates.begin(slate, placement)
        set_timer(self.draft, _window_timer(event.user_id, slate), slate.due)
        self.asked.append(
            Asked(
                input=given,
                decided_at=now,
                facts=look.facts(np.concatenate([rows, kept_back])),
                kept_back=len(kept_back),
                evidence=evidence,
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
        sights = Sights(known)
        made = self._made(asked, sights, [one.treatment for one in asked])
        beside = [(by, self._made(asked, sights, [by] * len(asked))) for by in self.treatments.shadows()]
        for at, (one, (faced, slate)) in enumerate(zip(asked, made, strict=True)):
            self._open(one, faced, slate)
            self.put(RECOMMENDATIONS, self._recommendation(one, slate))
            decision = self._decision(one, faced, slate, one.treatment)
            self.put(DECISIONS, decision)
            for by, others in beside:
                shadow = self._decision(one, *others[at], by)
                self.put(DECISIONS, shadowed(decision, shadow, _shared(decision.chosen, shadow.chosen)))

    def _made(self, asked: Sequence[Asked], sights: Sights, by: Sequence[SlateTreatment]) -> list[tuple[Faced, Slate]]:
        """What each slate was chosen from, and the slate."""
        names_of = self.state.views.table.names_of
        faced = [
            Faced(names_of(one.facts.rows), phi, each.scene, one.kept_back)
            for one, each, phi in zip(asked, sights.known, sights.seen(by), strict=True)
        ]
        return list(zip(faced, chosen(asked, faced, by), strict=True))

    def _open(self, one: Asked, faced: Faced, slate: Slate) -> None:
        """Note what was chosen, and, where the encoder had a say in that, what it was given."""
        one.open.items = [faced.items[place] for place in slate.chosen]
        one.open.propensities = slate.slot_propensities
        one.open.contexts = faced.phi[slate.chosen].astype(np.int32).tobytes()
        scene = faced.scene.at(slate.chosen) if faced.scene is not None else None
        if scene is None or not len(scene.places):
            return
        one.open.encoder = one.treatment.prior.encoder.name
        kept = Kept(one.open.decision_id, scene.count, one.open.contexts, scene.pack())
        self.draft.put(ring_key(one.event.user_id, one.open.place), kept)

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

    def _decision(self, one: Asked, faced: Faced, slate: Slate, by: SlateTreatment) -> Decision:
        return Decision(
            decision_id=one.open.decision_id,
            domain=DOMAIN,
            entity=one.event.user_id,
            event_ids=[one.event.event_id],
            source=one.input.source,
            occurred_at=int(one.event.occurred_at),
            decided_at=one.decided_at,
            features=faced.logged(by.prior.encoder) | {"belief": _belief(one.evidence[by.prior.encoder.name])},
            feature_version=USER_FEATURES.version,
            candidates=faced.items,
            chosen=[faced.items[place] for place in slate.chosen],
            action={"placement": one.placement, "size": one.size},
            propensity=slate.propensity,
            slot_propensities=slate.slot_propensities,
            exploration=by.explored(
                {
                    "kind": "plackett-luce-mixture",
                    "draws": DRAWS,
                    "width": by.prior.weights.width,
                    "temperature": by.prior.temperature,
                }
            ),
            policy_version=by.version.number,
            policy_hash=by.version.sha256,
            seed=str(one.seed(by)),
            fallback=by.assigned.fallback if faced.items else "no-candidates",
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
        prior, own = self.treatments.of(user_id).prior, Own(self.draft, user_id, user)
        own.see_by(prior.encoder)
        y, noise = np.array(slate.rewards()), prior.weights.noise
        phi = own.features(slate, prior.encoder)
        user.evidence.add(phi, y, noise=noise, at=at, memory_ms=MEMORY_MS)
        kept = own.kept(slate)
        if kept is not None:
            kept.rewards, kept.at, kept.noise = y.tobytes(), at, noise
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
