"""Pricing: what each item sold at its price in; now and then, its next price out, a few steps of its ladder away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isclose, isfinite
from typing import Any, Final

import msgspec

from agents.contract import Agent, Draft, Input, State, Step, Work, counted
from agents.fold import fold
from agents.identity import decision_id
from agents.treatment import Treatment, Treatments, shadowed
from policies.draws import seed_of
from policies.price_ladder import DOMAIN, PRIOR, Belief, Choice, Evidence, Ladder, believe, choose
from policies.price_population import Review
from policies.version import PolicyVersion, Priors
from streams.records import Decision, Experience, Outcome, PriceChange, PriceReview, Pricing
from streams.seen import Seen
from streams.times import DAY
from streams.topics import CATALOG, DECISIONS, EXPERIENCES, OUTCOMES, PRICE_CHANGES, PRICE_REVIEWS, Topic

NAME: Final = "pricing"
FEATURE_VERSION: Final = 1  # of what a decision logs


class Taken(msgspec.Struct, array_like=True):
    """A decision whose outcome is awaited, and what was sold since at the price that it set."""

    decision_id: str
    at: int
    price: float
    unit_cost: float
    policy_version: int
    units: float = 0.0
    periods: float = 0.0


class Item(msgspec.Struct):
    """The entry of one item. `changed_at` is when a price was last set, `reviewed_at` the time of its newest review."""

    seen: Seen = msgspec.field(default_factory=Seen)
    evidence: Evidence = msgspec.field(default_factory=Evidence)
    taken: Taken | None = None
    changed_at: int | None = None
    reviewed_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingAgent:
    """Decides at each review of an item that has `pricing` and `unit_cost` in the catalog, once its price may change.

    Every review is learned from; those of such items are told to the learner too. A decision that leaves the price as
    it is is logged, and changes nothing. Its outcome, profit a period while its price stood, is told with the item's
    next decision; where the shop never set that price, there is none.
    """

    name: str = NAME
    reads: tuple[Topic, ...] = (PRICE_REVIEWS,)
    watches: tuple[Topic, ...] = (CATALOG,)
    emits: tuple[Topic, ...] = (PRICE_CHANGES, DECISIONS, OUTCOMES, EXPERIENCES)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        draft = Draft(state.entries, state.memo, read=counted(state))
        treatments = Treatments(state.experiments, DOMAIN, policy, prior_of)
        work = _Work(draft=draft, state=state, treatments=treatments)
        return work.done(fold(draft, batch, now, on_record=work.take, on_timer=lambda _name, _at: None))


@dataclass(slots=True, kw_only=True)
class _Work(Work):
    state: State
    treatments: Treatments[Priors]

    def take(self, given: Input, _now: int) -> None:
        review: PriceReview = given.record
        item = self.draft.edit(f"item/{given.key}", Item)
        verdict = item.seen.admit(review.event_id, review.occurred_at)
        if verdict != "new":
            self.ignore(verdict)
            return
        item.evidence.learn(review.price, review.units_sold, review.periods, self.treatments.of(given.key).prior)
        if item.taken is not None and isclose(review.price, item.taken.price) and review.occurred_at > item.taken.at:
            item.taken.units += review.units_sold
            item.taken.periods += review.periods
        if review.occurred_at < item.reviewed_at:
            self.ignore("older than the last review: learned from only")
            return
        item.reviewed_at = int(review.occurred_at)
        self._review(item, review, given)

    def _review(self, item: Item, review: PriceReview, given: Input) -> None:
        listed = self.state.views.catalog.get(given.key)
        if listed is None or listed.pricing is None or listed.unit_cost is None:
            self.ignore("no pricing or unit_cost in the catalog")
            return
        self.put(EXPERIENCES, self._experience(review, listed.unit_cost, given))
        if item.changed_at is not None and review.occurred_at < item.changed_at + listed.pricing.hold_days * DAY:
            self.ignore("the price has to stand for longer")
            return
        self._tell(item, given.key, int(review.occurred_at))
        self._decide(item, review, listed.pricing, listed.unit_cost, given)

    def _decide(self, item: Item, review: PriceReview, limits: Pricing, cost: float, given: Input) -> None:
        features, by = _features(item.evidence, review, limits, cost), self.treatments.of(given.key)
        made = decide(features, by.version, _seed(by, review))
        name, at = decision_id(NAME, given.key, review.event_id), int(review.occurred_at)
        item.taken = Taken(name, at, made.price, cost, by.version.number)
        decision = self._decision(name, by, made, features, review, given)
        self.put(DECISIONS, decision)
        for each in self.treatments.shadows():
            other = decide(features, each.version, _seed(each, review))
            shadow = self._decision(name, each, other, features, review, given)
            self.put(DECISIONS, shadowed(decision, shadow, float(shadow.chosen == decision.chosen)))
        if isclose(made.price, review.price):
            return
        item.changed_at = at
        change = PriceChange(
            decision_id=name,
            item_id=given.key,
            price=made.price,
            previous_price=review.price,
            reason=_reason(made, features),
            policy_version=by.version.number,
            decided_at=at,
        )
        self.put(PRICE_CHANGES, change)

    def _decision(
        self,
        name: str,
        by: Treatment[Priors],
        made: "Made",
        features: dict[str, Any],
        review: PriceReview,
        given: Input,
    ) -> Decision:
        at = int(review.occurred_at)
        return Decision(
            decision_id=name,
            domain=DOMAIN,
            entity=given.key,
            event_ids=[review.event_id],
            source=given.source,
            occurred_at=at,
            decided_at=at,
            features=features,
            feature_version=FEATURE_VERSION,
            candidates=[_text(price) for price in made.prices],
            chosen=[_text(made.price)],
            action={"price": made.price, "previous_price": review.price, "reason": _reason(made, features)},
            propensity=made.choice.propensity,
            slot_propensities=[made.choice.propensity],
            exploration=by.explored({"kind": "thompson", "probabilities": made.choice.distribution.tolist()}),
            policy_version=by.version.number,
            policy_hash=by.version.sha256,
            seed=str(_seed(by, review)),
            fallback=by.assigned.fallback,
            arm=by.arm,
            views=self.state.views.marks,
            read=self.draft.so_far(),
        )

    def _experience(self, review: PriceReview, cost: float, given: Input) -> Experience:
        """What the learner sees: one review, with the unit cost of the day."""
        return Experience(
            experience_id=decision_id(NAME, "experience", given.key, review.event_id),
            domain=DOMAIN,
            entity=given.key,
            occurred_at=review.occurred_at,
            contexts=[list(Review(review.price, review.periods, cost))],
            outcomes=[review.units_sold],
            policy_version=self.treatments.of(given.key).version.number,
        )

    def _tell(self, item: Item, name: str, now: int) -> None:
        """The outcome of the decision before this one."""
        taken = item.taken
        if taken is None:
            return
        if taken.periods <= 0.0:
            self.ignore("no outcome: the price that was decided never stood")
            return
        profit = (taken.price - taken.unit_cost) * taken.units / taken.periods
        outcome = Outcome(
            decision_id=taken.decision_id,
            domain=DOMAIN,
            entity=name,
            reward=profit,
            slot_rewards=[profit],
            label="final",
            attribution="window",
            decided_at=taken.at,
            matured_at=now,
            policy_version=taken.policy_version,
        )
        self.put(OUTCOMES, outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A price, and everything that it follows from."""

    belief: Belief
    prices: list[float]
    choice: Choice

    @property
    def price(self) -> float:
        return self.prices[self.choice.place]


def decide(features: Mapping[str, Any], policy: PolicyVersion, seed: int) -> Made:
    """The price that a logged decision's features lead to. Raises KeyError or ValueError where they don't say."""
    ladder = Ladder(**{name: features[name] for name in Ladder.__dataclass_fields__})
    belief = believe(msgspec.convert(features["evidence"], Evidence), prior_of(policy), features["unit_cost"])
    prices = ladder.reachable(features["price"])
    return Made(belief=belief, prices=prices, choice=choose(belief, features["unit_cost"], prices, seed))


def again(features: Mapping[str, Any], policy: PolicyVersion, seed: str) -> tuple[float, dict[str, Any]]:
    """The propensity, and the fields of the decision that are its own. Raises as `decide` does."""
    made = decide(features, policy, int(seed))
    return made.choice.propensity, {"chosen": [_text(made.price)], "price": made.price}


def _features(evidence: Evidence, review: PriceReview, limits: Pricing, cost: float) -> dict[str, Any]:
    """All that a price is chosen from."""
    told = {name: getattr(limits, name) for name in Ladder.__dataclass_fields__}
    return {"price": review.price, "unit_cost": cost, **told, "evidence": list(msgspec.structs.astuple(evidence))}


def _reason(made: Made, features: Mapping[str, Any]) -> str:
    """What a merchandiser reads."""
    price, cost, step, max_steps = (features[name] for name in ("price", "unit_cost", "step", "max_steps"))
    belief, best = made.belief, made.belief.best(cost)
    level = max(0.0, belief.level - belief.slope * (price - belief.centre))
    told = (
        f"about {level:.3g} sold a period at {price:g}, {belief.slope:.3g} ± {belief.slope_sd:.2g} fewer for "
        f"each 1 more, at a cost of {cost:g}: best "
    )
    told += f"near {best:.4g}" if isfinite(best) else "as high as can be"
    if isclose(made.price, price):
        move = "the price stays"
    else:
        steps = abs(made.price - price) / step
        move = f"{'up' if made.price > price else 'down'} by {steps:.3g} of at most {max_steps} steps"
        if steps > max_steps + 1e-6:
            move = "back to the nearest price that the limits allow"
    return f"{told}; {move}, drawn with probability {made.choice.propensity:.2g}"


def prior_of(version: PolicyVersion) -> Priors:
    """What a version says of prices."""
    return version.prior(DOMAIN, PRIOR)


def _seed(by: Treatment[Priors], review: PriceReview) -> int:
    return seed_of(by.version.sha256, review.event_id)


def _text(price: float) -> str:
    return f"{price:.12g}"


def build() -> Agent:
    return PricingAgent()
