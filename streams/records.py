"""The records of every topic: what a message says, with its types and bounds. No bytes, no topics."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from streams.bounds import Days, FillRate, Id, Money, Overspend, Quantity, Weight
from streams.times import EventTime

UserEventType = Literal["view", "search", "click", "add_to_cart", "remove_from_cart", "purchase", "request"]
AdEventType = Literal["auction", "impression", "click", "conversion"]
Domain = Literal["recommendation", "bidding", "replenishment", "pricing"]
Taught = Literal["recommendation", "bidding", "replenishment", "pricing", "history"]  # what experiences are of


# ---- In: what the shop tells us -------------------------------------------------------------------------------------


class UserEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    event_id: Id
    user_id: Id
    type: UserEventType
    occurred_at: EventTime
    item_id: Id | None = None
    quantity: Quantity | None = None
    price: Money | None = None
    placement: Id | None = None
    slate_size: Annotated[int, Meta(ge=1, le=100)] | None = None
    decision_id: Id | None = None
    context: dict[str, Any] = {}


class Erasure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Forget this user: all that is kept from what lies before this in the log. `occurred_at` is event time.

    An event of theirs that occurred up to then and comes later counts no more.
    """

    erasure_id: Id
    user_id: Id
    occurred_at: EventTime
    reason: Annotated[str, Meta(max_length=1024)] | None = None


class OrderLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    item_id: Id
    location: Id
    quantity: Quantity
    price: Money | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    order_id: Id
    occurred_at: EventTime
    lines: Annotated[list[OrderLine], Meta(min_length=1, max_length=10_000)]
    user_id: Id | None = None


class StockUpdate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Stock as the warehouse sees it: `on_hand` is absolute, `received` is what has just arrived."""

    event_id: Id
    item_id: Id
    location: Id
    on_hand: Quantity
    occurred_at: EventTime
    on_order: Quantity | None = None
    received: Quantity | None = None


class AdEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One step of an ad's life. On an auction: `price` is what the winner pays, `value` what winning is worth to us."""

    event_id: Id
    campaign_id: Id
    type: AdEventType
    occurred_at: EventTime
    bid: Money | None = None
    won: bool | None = None
    price: Money | None = None
    value: Money | None = None
    decision_id: Id | None = None


class Supply(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How an item is restocked. Costs are per unit: `holding_cost` per day, `shortage_cost` per unit of lost sale."""

    lead_time_days: Days = 2.0
    holding_cost: Money = 0.01
    shortage_cost: Money = 1.0
    pack_size: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    min_order: Quantity = 0.0
    max_order: Quantity = 1e9
    min_fill_rate: FillRate = 0.0


class Pricing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Prices that an item may have: `floor`, `floor` + `step`, … up to `ceiling`.

    A change is at most `max_steps` steps long, and a price stands for `hold_days` at least.
    """

    floor: Money
    ceiling: Money
    step: Annotated[float, Meta(ge=1e-6, le=1e12, description="in the shop's currency")]
    max_steps: Annotated[int, Meta(ge=1, le=100)] = 3
    hold_days: Days = 1.0

    def __post_init__(self) -> None:
        if self.floor > self.ceiling:
            raise ValueError("floor must not be above ceiling")


class CatalogItem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    item_id: Id
    category: Annotated[str, Meta(max_length=256)]
    price: Money | None = None
    unit_cost: Money | None = None
    attributes: dict[str, Any] = {}
    embedding: Annotated[list[float], Meta(max_length=4096)] | None = None
    blocked: bool = False
    supply: Supply | None = None
    pricing: Pricing | None = None


class PriceReview(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an item has sold at its current `price` since its last review, `periods` ago. It asks for the next price.

    A period is as long as the shop likes, the same for all reviews of an item.
    """

    event_id: Id
    item_id: Id
    occurred_at: EventTime
    price: Money
    units_sold: Quantity
    periods: Annotated[float, Meta(gt=0, le=1e6)] = 1.0


class Objective(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Relative weights of what a campaign wants."""

    ctr: Weight = 0.0
    cvr: Weight = 0.0
    revenue: Weight = 1.0


class Campaign(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    campaign_id: Id
    budget: Money
    starts_at: EventTime
    ends_at: EventTime
    bid_min: Money
    bid_max: Money
    objective: Objective = msgspec.field(default_factory=Objective)
    auction: Literal["second-price", "first-price"] = "second-price"
    overspend_tolerance: Overspend = 0.01

    def __post_init__(self) -> None:
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be after starts_at")
        if self.bid_max < self.bid_min:
            raise ValueError("bid_max must not be below bid_min")


# ---- Out: the actions -----------------------------------------------------------------------------------------------


class ScoredItem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    item_id: str
    score: float


class Recommendation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A slate, in order. `decided_at` is the event time of the event that asked."""

    decision_id: str
    event_id: str
    user_id: str
    placement: str
    items: list[ScoredItem]
    policy_version: int
    decided_at: int


class BidAdjustment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Bid `min(max_bid, bid_multiplier × your value of the impression)`; `max_bid` 0 means: do not bid."""

    decision_id: str
    campaign_id: str
    bid_multiplier: float
    max_bid: float
    reason: str
    policy_version: int
    decided_at: int


class ReplenishmentOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    decision_id: str
    item_id: str
    location: str
    quantity: float
    reason: str
    policy_version: int
    decided_at: int


class PriceChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Sell at `price` from now on, in place of `previous_price`."""

    decision_id: str
    item_id: str
    price: float
    previous_price: float
    reason: str
    policy_version: int
    decided_at: int


# ---- Out: the record ------------------------------------------------------------------------------------------------


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything needed to evaluate a decision later, or to make it again. `decided_at` is event time.

    `chosen` names the action(s) by slot, `propensity` is the probability of all of them together, and
    `slot_propensities` factorises it: P(slot j | slots before j). A deterministic action has propensity 1 and is
    left out of importance weighting. `source` is the record in hand when it was taken; offset -1 says that time had
    passed by itself. `views` is how far the watched topics had been read, by topic and partition: the offset of the
    next record; `read` the same of the task's own inputs. Both are empty where that isn't known.
    """

    decision_id: str
    domain: Domain
    entity: str
    event_ids: list[str]
    source: tuple[str, int, int]  # topic, partition, offset
    occurred_at: int
    decided_at: int
    features: dict[str, Any]
    feature_version: int
    candidates: list[str]
    chosen: list[str]
    action: dict[str, Any]
    propensity: float
    slot_propensities: list[float]
    exploration: dict[str, Any]
    policy_version: int
    policy_hash: str
    seed: str
    fallback: str | None = None
    arm: str = "default"
    default_reward: float = 0.0
    attribution_window_ms: int = 0
    views: dict[str, list[int]] = {}
    read: dict[str, int] = {}


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The reward of a decision once its window has closed. `label` is `final`, or `correction` for late feedback."""

    decision_id: str
    domain: Domain
    entity: str
    reward: float
    slot_rewards: list[float]
    label: Literal["final", "correction"]
    attribution: Literal["decision_id", "window", "none"]
    decided_at: int
    matured_at: int
    policy_version: int


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    value: str | None  # base64 of the original bytes
    at: int
    key: str | None = None  # base64 of the original key


# ---- Between agents -------------------------------------------------------------------------------------------------


class SkuDemand(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One order line, re-keyed by SKU and location."""

    event_id: Id
    order_id: Id
    item_id: Id
    location: Id
    quantity: Quantity
    occurred_at: EventTime
    price: Money | None = None


class ItemActivity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one user did with one item, re-keyed by item. `companions`: bought by the same user within the session."""

    event_id: Id
    item_id: Id
    type: UserEventType
    occurred_at: EventTime
    quantity: Quantity = 1.0
    price: Money | None = None
    companions: list[Id] = []


class ItemStats(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of an item, published whole for every worker. Counts are decayed to `as_of`."""

    item_id: Id
    as_of: EventTime
    purchases_short: float  # half-life of a day
    purchases_long: float  # half-life of 60 days
    views_long: float
    price: float | None
    features: dict[str, float]
    companions: list[tuple[str, float]]


class Experience(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one entity's decision taught: contexts, and the outcome observed for each. Read by the learner.

    One of `history` tells of a purchase: the first context is the item bought, the others what the user had touched.
    An `erasure` teaches nothing: what was learned of this entity is to be taken back. It has no contexts.
    """

    experience_id: Id
    domain: Taught
    entity: Id
    occurred_at: EventTime
    contexts: list[list[float]]  # [slots, d]
    outcomes: list[float]  # [slots]
    policy_version: int
    kind: Literal["outcome", "erasure"] = "outcome"
    propensities: list[float] = msgspec.field(
        default_factory=list[float]
    )  # [slots], P(slot | those before); [] if not drawn


PolicyAct = Literal["publish", "promote", "rollback", "reject", "offer"]


class PolicyVersionRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was done with a version of the policy, and the version itself: an artefact in base64, checked by its hash.

    `publish` offers a new version in the place of its parent; `promote` and `rollback` have one serve because somebody
    said so, and with `hold` none is published over it until the next promotion. `reject` tells of a candidate that
    didn't pass its gate; it carries no artefact. `offer` brings a version for experiments and shadows alone.
    `published_at` is epoch ms: event time, or a person's clock.
    """

    act: PolicyAct
    number: int
    parent: int
    parent_sha256: str
    published_at: int
    sha256: str
    schema: str
    artefact: str
    evidence: dict[str, Any]
    by: str
    reason: str = ""
    hold: bool = False


Record = (
    UserEvent
    | Erasure
    | Order
    | StockUpdate
    | AdEvent
    | CatalogItem
    | PriceReview
    | Campaign
    | Recommendation
    | BidAdjustment
    | ReplenishmentOrder
    | PriceChange
    | Decision
    | Outcome
    | DeadLetter
    | SkuDemand
    | ItemActivity
    | ItemStats
    | Experience
    | PolicyVersionRecord
)
