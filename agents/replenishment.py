"""Replenishment: demand and stock of each SKU and location in; orders to the warehouse out, reviewed by event time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agents.contract import Agent, Draft, Input, Output, State, Step, Work
from agents.fold import fold, set_timer
from agents.identity import decision_id
from agents.shelf import SHORTEST_DAYS, SKU_FEATURES, Closed, Period, Shelf
from policies.orders.demand import PRIOR, DemandPrior
from policies.orders.replenish import Choice, Review, choose
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
        prior = DemandPrior.of(policy.prior(NAME, PRIOR))
        work = _Work(
            draft=Draft(state.entries, state.memo),
            views=state.views,
            policy=policy,
            prior=prior,
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
    review: Review
    ended: list[Output]  # what the period before it came to


@dataclass(slots=True, kw_only=True)
class _Work(Work):
    views: Views
    policy: PolicyVersion
    prior: DemandPrior
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
            shelf.sell(record.quantity, int(record.occurred_at), record.price, self.prior)
        else:
            self._count(shelf, given.key, record)

    def _count(self, shelf: Shelf, key: str, update: StockUpdate) -> None:
        if key in self.pending:  # what is about to be ordered must be under way before stock is compared with it
            self.decide()
        first = shelf.stock_at == 0
        ran_out = shelf.count(update, self.review_ms, self.prior)
        if first:
            set_timer(self.draft, key, shelf.at + self.review_ms)
        if first or ran_out:
            self._review(shelf, key, update.event_id)

    def review_in_turn(self, key: str, at: int) -> None:
        shelf = self.draft.edit(f"sku/{key}", Shelf)
        set_timer(self.draft, key, at + self.review_ms)
        shelf.advance(at, self.prior)
        self._review(shelf, key, at)

    def _review(self, shelf: Shelf, key: str, occasion: object) -> None:
        """Take the inputs of a review as they stand here in the order of events; `decide` scores it later."""
        if key in self.pending:
            self.decide()
        closed = shelf.close(self.prior)
        ended = [] if closed is None else _tell(key, closed, shelf.at)
        supply = _supply(self.views, shelf.item_id)
        if supply is None:
            self.decide()  # outputs keep the order of the reviews
            self.outputs += ended
            return
        name = decision_id(NAME, key, occasion)
        shelf.period = Period(name, shelf.at, self.policy.number, supply.holding_cost, supply.shortage_cost)
        self.pending[key] = _Pending(
            shelf=shelf,
            key=key,
            decision_id=name,
            at=shelf.at,
            event_id=shelf.event_id,
            source=shelf.source,
            review=self._inputs(shelf, supply),
            ended=ended,
        )

    def _inputs(self, shelf: Shelf, supply: Supply) -> Review:
        return Review(
            on_hand=shelf.on_hand,
            due=shelf.under_way(supply.lead_time_days),
            belief=shelf.evidence.belief(self.prior),
            lead_time_days=supply.lead_time_days,
            review_days=self.review_ms / DAY,
            holding_cost=supply.holding_cost,
            shortage_cost=supply.shortage_cost,
            pack_size=float(supply.pack_size),
            min_order=supply.min_order,
            max_order=supply.max_order,
        )

    def decide(self) -> None:
        """Score the pending reviews at once; their outputs come in the order of the reviews."""
        waiting = list(self.pending.values())
        self.pending = {}
        for asked, choice in zip(waiting, choose([each.review for each in waiting]), strict=True):
            self.outputs += asked.ended
            reason = _reason(asked.review, choice)
            self.put(DECISIONS, self._decision(asked, choice, reason))
            if choice.quantity > 0:
                asked.shelf.place(choice.quantity, asked.at, asked.review.lead_time_days)
                self.put(REPLENISHMENT_ORDERS, self._order(asked, choice, reason))

    def _order(self, asked: _Pending, choice: Choice, reason: str) -> ReplenishmentOrder:
        return ReplenishmentOrder(
            decision_id=asked.decision_id,
            item_id=asked.shelf.item_id,
            location=asked.shelf.location,
            quantity=choice.quantity,
            reason=reason,
            policy_version=self.policy.number,
            decided_at=asked.at,
        )

    def _decision(self, asked: _Pending, choice: Choice, reason: str) -> Decision:
        return Decision(
            decision_id=asked.decision_id,
            domain=NAME,
            entity=asked.key,
            event_ids=[asked.event_id],
            source=asked.source,
            occurred_at=asked.at,
            decided_at=asked.at,
            features=_features(asked.review, choice),
            feature_version=SKU_FEATURES.version,
            candidates=[],
            chosen=[f"{choice.quantity:g}"],
            action={"quantity": choice.quantity, "reason": reason},
            propensity=1.0,
            slot_propensities=[1.0],
            exploration={},
            policy_version=self.policy.number,
            policy_hash=self.policy.sha256,
            seed="",
            attribution_window_ms=self.review_ms,
        )


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
        "projected": choice.projected,
        "level": choice.level,
        "service": choice.service,
    }


def _reason(review: Review, choice: Choice) -> str:
    """The choice in plain words."""
    against = "below" if choice.projected < choice.level else "at or above"
    words = (
        f"{choice.projected:.1f} units expected to be left in {review.lead_time_days:g} days, {against} the level of "
        f"{max(0.0, choice.level):.1f} for {review.belief.mean:.2g} a day at {choice.service:.1%}"
    )
    need = choice.level - choice.projected
    if choice.quantity <= 0.0:
        return words if need <= 0.0 else f"{words}; too little to order"
    if need <= 0.0 or choice.quantity > need + 1.0:
        return f"{words}; raised to what can be ordered"
    return words if choice.quantity > need - review.pack_size else f"{words}; cut to the largest order"


def _tell(key: str, closed: Closed, at: int) -> list[Output]:
    """The outcome of a period, and what the learner may learn of demand from it."""
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
    if period.days_in_stock < SHORTEST_DAYS:
        return [Output(OUTCOMES, outcome)]
    experience = Experience(
        experience_id=period.decision_id,
        domain=NAME,
        entity=key,
        occurred_at=EventTime(at),
        contexts=[[period.days_in_stock]],
        outcomes=[period.sold],
        policy_version=period.policy_version,
    )
    return [Output(OUTCOMES, outcome), Output(EXPERIENCES, experience)]


def build() -> Agent:
    return ReplenishmentAgent()
