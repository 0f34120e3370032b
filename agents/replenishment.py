"""Replenishment: demand and stock of each SKU and location in; orders to the warehouse out, reviewed by event time."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from agents.contract import Agent, Draft, Input, Output, State, Step, Work, counted
from agents.fold import fold, set_timer
from agents.identity import decision_id
from agents.shelf import SKU_FEATURES, Closed, Period, Shelf
from agents.treatment import Treatment, Treatments, shadowed
from policies.orders.demand import PRIOR, Belief, DemandPrior, Evidence
from policies.orders.replenish import Choice, Due, Review, choose
from policies.version import PolicyVersion
from streams.records import (
    Decision,
    Experience,
    Outcome,
    ReplenishmentOrder,
    SkuDemand,
    StockUpdate,
    Supply,
)
from streams.seen import Seen
from streams.times import DAY, EventTime
from streams.topics import (
    CATALOG,
    DECISIONS,
    EXPERIENCES,
    OUTCOMES,
    REPLENISHMENT_ORDERS,
    SKU_DEMAND,
    STOCK_UPDATES,
)
from streams.views import Views

NAME: Final = "replenishment"
TOLD: Final = 6  # decimals of units in the log: beyond them processors differ


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplenishmentAgent:
    """Reviews each SKU at its first stock update, then every `review_ms`, and when a count shows that it ran empty.

    A SKU without a stock update, or whose item has no `supply` in the catalog, is never reviewed. Every review is
    logged as a decision, also one that orders nothing; its outcome is told at the SKU's next review, and its shortage
    part is an estimate: the believed rate of demand × the time out of stock.
    """

    review_ms: int = DAY
    name: str = NAME
    reads: tuple[Any, ...] = (SKU_DEMAND, STOCK_UPDATES)
    watches: tuple[Any, ...] = (CATALOG,)
    emits: tuple[Any, ...] = (REPLENISHMENT_ORDERS, DECISIONS, OUTCOMES, EXPERIENCES)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        work = _Work(
            draft=Draft(state.entries, state.memo, read=counted(state)),
            views=state.views,
            treatments=Treatments(state.experiments, NAME, policy, prior_of),
            review_ms=self.review_ms,
        )
        end = fold(work.draft, batch, now, on_record=work.take, on_timer=work.review_in_turn)
        work.decide()
        return work.done(end)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """A review whose inputs are taken, and which isn't decided yet."""

    shelf: Shelf
    key: str
    decision_id: str
    at: int
    event_id: str
    source: tuple[str, int, int]
    read: dict[str, int]
    treatment: Treatment[DemandPrior]
    review: Review
    evidence: Evidence  # what the SKU's own data say of its demand; the prior fills in the rest
    ended: list[Output]  # what the period before it came to


@dataclass(slots=True, kw_only=True)
class _Work(Work):
    views: Views
    treatments: Treatments[DemandPrior]
    review_ms: int
    pending: dict[str, _Pending] = field(default_factory=dict[str, _Pending])

    def take(self, given: Input, now: int) -> None:
        record: SkuDemand | StockUpdate = given.record
        seen = self.draft.edit(f"seen/{given.key}", Seen)
        verdict = seen.admit(f"{given.topic}/{record.event_id}", record.occurred_at)
        if verdict != "new":
            self.ignore(verdict)
            return
        shelf = self.draft.edit(f"sku/{given.key}", Shelf)
        shelf.item_id, shelf.location = record.item_id, record.location
        shelf.event_id, shelf.source = record.event_id, given.source
        if isinstance(record, SkuDemand):
            shelf.sell(record.quantity, int(record.occurred_at), record.price, self._prior(given.key))
        else:
            self._count(shelf, given.key, record)

    def _count(self, shelf: Shelf, key: str, update: StockUpdate) -> None:
        if key in self.pending:  # what is about to be ordered must be under way before stock is compared with it
            self.decide()
        first = shelf.stock_at == 0
        ran_out = shelf.count(update, self.review_ms, self._prior(key))
        if first:
            set_timer(self.draft, key, shelf.at + self.review_ms)
        if first or ran_out:
            self._review(shelf, key, update.event_id)

    def review_in_turn(self, key: str, at: int) -> None:
        shelf = self.draft.edit(f"sku/{key}", Shelf)
        set_timer(self.draft, key, at + self.review_ms)
        shelf.advance(at, self._prior(key))
        self._review(shelf, key, at)

    def _review(self, shelf: Shelf, key: str, occasion: object) -> None:
        """Take the inputs of a review as they stand here in the order of events; `decide` scores it later."""
        if key in self.pending:
            self.decide()
        closed = shelf.close(self._prior(key))
        ended = [] if closed is None else _tell(key, closed, shelf.at)
        supply = _supply(self.views, shelf.item_id)
        if supply is None:
            self.decide()  # outputs keep the order of the reviews
            self.outputs += ended
            return
        name, by = decision_id(NAME, key, occasion), self.treatments.of(key)
        shelf.period = Period(name, shelf.at, by.version.number, supply.holding_cost, supply.shortage_cost)
        self.pending[key] = _Pending(
            shelf=shelf,
            key=key,
            decision_id=name,
            at=shelf.at,
            event_id=shelf.event_id,
            source=self.draft.source(shelf.source),
            read=self.draft.so_far(),
            treatment=by,
            review=self._inputs(shelf, supply, shelf.evidence.belief(by.prior) if closed is None else closed.belief),
            evidence=copy(shelf.evidence),
            ended=ended,
        )

    def _prior(self, key: str) -> DemandPrior:
        return self.treatments.of(key).prior

    def _inputs(self, shelf: Shelf, supply: Supply, belief: Belief) -> Review:
        return Review(
            on_hand=shelf.on_hand,
            due=shelf.under_way(supply.lead_time_days),
            belief=belief,
            lead_time_days=supply.lead_time_days,
            review_days=self.review_ms / DAY,
            holding_cost=supply.holding_cost,
            shortage_cost=supply.shortage_cost,
            pack_size=float(supply.pack_size),
            min_order=supply.min_order,
            max_order=supply.max_order,
            min_fill_rate=supply.min_fill_rate,
        )

    def decide(self) -> None:
        """Score the pending reviews at once; their outputs come in the order of the reviews."""
        waiting = list(self.pending.values())
        self.pending = {}
        beside = [(by, _alike(waiting, by.prior)) for by in self.treatments.shadows()]
        for place, (asked, choice) in enumerate(zip(waiting, choose([each.review for each in waiting]), strict=True)):
            self.outputs += asked.ended
            decision = self._decision(asked, choice, asked.review, asked.treatment)
            self.put(DECISIONS, decision)
            for by, others in beside:
                review, other = others[place]
                shadow = self._decision(asked, other, review, by)
                self.put(DECISIONS, shadowed(decision, shadow, float(other.quantity == choice.quantity)))
            if choice.quantity > 0:
                asked.shelf.place(choice.quantity, asked.at, asked.review.lead_time_days)
                self.put(REPLENISHMENT_ORDERS, self._order(asked, choice))

    def _order(self, asked: _Pending, choice: Choice) -> ReplenishmentOrder:
        return ReplenishmentOrder(
            decision_id=asked.decision_id,
            item_id=asked.shelf.item_id,
            location=asked.shelf.location,
            quantity=choice.quantity,
            reason=_reason(asked.review, choice),
            policy_version=asked.treatment.version.number,
            decided_at=asked.at,
        )

    def _decision(self, asked: _Pending, choice: Choice, review: Review, by: Treatment[DemandPrior]) -> Decision:
        return Decision(
            decision_id=asked.decision_id,
            domain=NAME,
            entity=asked.key,
            event_ids=[asked.event_id],
            source=asked.source,
            occurred_at=asked.at,
            decided_at=asked.at,
            features=_features(review, choice) | {"evidence": msgspec.to_builtins(asked.evidence)},
            feature_version=SKU_FEATURES.version,
            candidates=[],
            chosen=[f"{choice.quantity:g}"],
            action={"quantity": choice.quantity, "reason": _reason(review, choice)},
            propensity=1.0,
            slot_propensities=[1.0],
            exploration=by.explored({}),
            policy_version=by.version.number,
            policy_hash=by.version.sha256,
            seed="",
            fallback=by.assigned.fallback,
            arm=by.arm,
            attribution_window_ms=self.review_ms,
            views=self.views.marks,
            read=asked.read,
        )


def prior_of(version: PolicyVersion) -> DemandPrior:
    """What a version believes of demand before there is any."""
    return DemandPrior.of(version.prior(NAME, PRIOR))


def _alike(waiting: Sequence[_Pending], prior: DemandPrior) -> list[tuple[Review, Choice]]:
    """The same reviews as another version would see and answer them."""
    reviews = [replace(asked.review, belief=asked.evidence.belief(prior)) for asked in waiting]
    return list(zip(reviews, choose(reviews), strict=True))


def _supply(views: Views, item_id: str) -> Supply | None:
    item = views.catalog.get(item_id)
    return None if item is None else item.supply


def _features(review: Review, choice: Choice) -> dict[str, Any]:
    """All that the choice was made from, so that it can be made again, and what it came through."""
    return {
        "on_hand": review.on_hand,
        "due": [[due.days, due.units] for due in review.due],
        "a": review.belief.a,
        "b": review.belief.b,
        "dispersion": review.belief.dispersion,
        "lead_time_days": review.lead_time_days,
        "review_days": review.review_days,
        "holding_cost": review.holding_cost,
        "shortage_cost": review.shortage_cost,
        "pack_size": review.pack_size,
        "min_order": review.min_order,
        "max_order": review.max_order,
        "min_fill_rate": review.min_fill_rate,
        "projected": round(choice.projected, TOLD),
        "level": round(choice.level, TOLD),
        "service": choice.service,
        "enough": choice.enough,
        "fast": choice.fast,
    }


def review_of(features: Mapping[str, Any], prior: DemandPrior | None = None) -> Review:
    """The review that a logged decision was made from; with a `prior`, what that version would have believed.

    Raises msgspec.ValidationError or KeyError where the features don't say.
    """
    plain = [name for name in Review.__dataclass_fields__ if name not in {"belief", "due"}]
    said = {"min_fill_rate": 0.0, **features}  # an earlier log doesn't say: none could be asked for
    told = {name: said[name] for name in plain}
    if prior is None:
        belief = Belief(a=features["a"], b=features["b"], dispersion=features["dispersion"])
    else:
        belief = msgspec.convert(features["evidence"], Evidence).belief(prior)
    due = tuple(Due(days=float(days), units=float(units)) for days, units in features["due"])
    return Review(due=due, belief=belief, **told)


def _reason(review: Review, choice: Choice) -> str:
    """The choice in plain words, by the part of the rule that had more say."""
    words, need = _by_projection(review, choice) if choice.fast >= 0.5 else _by_position(review, choice)
    if choice.quantity <= 0.0:
        return words if need <= 0.0 else f"{words}; too little to order"
    if choice.quantity >= need + review.pack_size:
        return f"{words}; raised to what can be ordered"
    return words if choice.quantity > need - review.pack_size else f"{words}; cut to the largest order"


def _by_projection(review: Review, choice: Choice) -> tuple[str, float]:
    """Why, and how many units short."""
    against = "below" if choice.projected < choice.level else "at or above"
    words = (
        f"{choice.projected:.1f} units expected to be left in {review.lead_time_days:g} days, {against} the level of "
        f"{max(0.0, choice.level):.1f} for {review.belief.mean:.2g} a day at {choice.service:.1%}"
    )
    return words, choice.level - choice.projected


def _by_position(review: Review, choice: Choice) -> tuple[str, float]:
    """Why, and how many units short."""
    need = choice.enough - review.position
    against = "fewer than" if need > 0.0 else "no fewer than"
    words = (
        f"{review.position:g} units on hand or under way, {against} the {choice.enough:g} from which on one more costs "
        f"more to hold than it saves, at {review.belief.mean:.2g} a day and {review.lead_time_days:g} days to wait"
    )
    if review.min_fill_rate > 0.0:
        words += f"; {review.min_fill_rate:.1%} of demand to be filled"
    return words, need


def _tell(key: str, closed: Closed, at: int) -> list[Output]:
    """The outcome of a period, and what the learner may learn of demand from the one before it."""
    period = closed.period
    outcome = Outcome(
        decision_id=period.decision_id,
        domain=NAME,
        entity=key,
        reward=-closed.cost,
        slot_rewards=[-closed.cost],
        label="final",
        attribution="window",
        decided_at=period.decided_at,
        matured_at=at,
        policy_version=period.policy_version,
    )
    settled = closed.settled
    if settled is None:
        return [Output(OUTCOMES, outcome)]
    experience = Experience(
        experience_id=settled.decision_id,
        domain=NAME,
        entity=key,
        occurred_at=EventTime(at),
        contexts=[[settled.days_in_stock, settled.orders, settled.cut]],
        outcomes=[settled.sold],
        policy_version=settled.policy_version,
    )
    return [Output(OUTCOMES, outcome), Output(EXPERIENCES, experience)]


def build() -> Agent:
    return ReplenishmentAgent()
