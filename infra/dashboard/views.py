"""What the page shows and the JSON API says, with units: the shapes only."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from infra.dashboard.ads import State as Pace
from infra.dashboard.attention import Level
from infra.dashboard.following import State as Reading
from streams.records import Domain, PolicyAct

Ms = Annotated[int, Field(description="epoch milliseconds")]
Money = Annotated[float, Field(description="in the shop's currency")]
Share = Annotated[float | None, Field(description="0 to 1; null where it isn't known")]


class View(BaseModel):
    """A shape that is filled from what has the same names."""

    model_config = ConfigDict(from_attributes=True)


class Wait(View):
    """From event appended in the log to action readable, in ms; of the last minute."""

    p50: float
    p99: float
    n: int


class NoticeView(View):
    level: Level
    text: str
    section: str


class TopicFlow(View):
    topic: str
    role: str
    total: Annotated[int, Field(description="messages read since the dashboard began")]
    per_second: Annotated[float, Field(description="over the last ten seconds")]
    last_minutes: Annotated[list[int], Field(description="messages by second of the last five minutes, oldest first")]


class BehindView(View):
    group: str
    topic: str
    records: Annotated[int | None, Field(description="not applied yet; null where the group never read the topic")]


class WaitStep(View):
    at: Ms
    p50: float | None
    p99: float | None


class Flow(View):
    """What flows, how fast, and how far the workers are behind."""

    reading: Reading
    told: str
    left: Annotated[int, Field(description="records of the past that are still to be read")]
    topics: list[TopicFlow]
    wait: Wait | None
    waits: list[WaitStep]
    behind: list[BehindView]
    unreadable: int
    duplicates: int


class LetterCount(View):
    topic: str
    reason: str
    count: int


class LetterView(View):
    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    at: Ms


class DeadLetters(View):
    """Messages that couldn't be read, by topic and reason, and the last twenty."""

    total: int
    by_reason: list[LetterCount]
    last: list[LetterView]


class Rule(View):
    """One way to name the next basket, on the same baskets as the others."""

    name: str
    words: str
    recall_at_10: float
    ndcg_at_10: float
    behind_tradewind_by: Annotated[float | None, Field(description="recall@10; null for Tradewind itself")] = None
    standard_error: float | None = None


class Recalls(View):
    since: str
    baskets: int
    recall_at_10: dict[str, float]


class Rewarded(View):
    domain: Domain
    outcomes: int
    positive: int
    mean_reward: float | None


class Recommendations(View):
    """How good the slates are, on baskets that were bought after them."""

    baskets: int
    why: Annotated[str | None, Field(description="why there is nothing to show yet")]
    rules: list[Rule]
    over_time: list[Recalls]
    users_judged: int
    rewards: list[Rewarded]


class CampaignView(View):
    campaign_id: str
    state: Pace
    spent: Money
    budget: Money | None
    spent_share: Share
    flight_gone: Share
    auctions: int
    won: int
    value: Money
    bid_multiplier: float | None
    max_bid: Money | None
    reason: str | None


class Ads(View):
    """Spend and pace per campaign; those that need a look first."""

    campaigns: list[CampaignView]
    count: int
    spent: Money
    budget: Money
    value: Money


class SkuView(View):
    item_id: str
    location: str
    sku: str
    category: str | None
    on_hand: float | None
    on_order: float | None
    sold_a_day: float | None
    cover_days: float | None
    stock_outs: int
    days_out: float
    last_order: float | None
    reason: str | None


class Stock(View):
    """Stock by SKU and location; those that need a look first."""

    skus: list[SkuView]
    next_out: Annotated[list[SkuView], Field(description="the shortest cover of those that aren't empty yet")]
    count: int
    out: int
    stock_outs: Annotated[int, Field(description="times that a shelf ran empty, in all")]
    given_up: Annotated[int, Field(description="times that a SKU was given up, of more than are kept")]
    median_cover_days: float | None


class Gain(View):
    """What a candidate gained over its parent on held-out entities, per outcome; `lower` is a one-sided 95% bound."""

    gain: float | None
    lower: float | None
    entities: float | None


class Version(View):
    number: int
    parent: int
    sha256: str
    domain: str | None
    at: Ms
    by: str
    status: str
    refused: str
    log_likelihood: Gain | None
    reward: Gain | None
    evidence: dict[str, Any]


class ActView(View):
    act: PolicyAct
    number: int
    at: Ms
    by: str
    reason: str
    refused: str


class Policies(View):
    """Which version serves, what the gate found of each, and what was done."""

    serving: int
    sha256: str
    held: bool
    previous: int | None
    versions: list[Version]
    acts: list[ActView]
    rejected: dict[str, int]


class Overview(View):
    """Everything at once."""

    at: Ms
    event_time: Annotated[int, Field(description="the greatest event time seen, epoch ms; 0 before the first")]
    line: Annotated[str, Field(description="how things stand, in one sentence")]
    level: Literal["good", "warn", "bad"]
    notices: list[NoticeView]
    flow: Flow
    letters: DeadLetters
    recommendations: Recommendations
    ads: Ads
    stock: Stock
    policy: Policies


class TermView(View):
    feature: str
    words: str
    value: float
    weight: float
    amount: Annotated[float, Field(description="value × weight: this feature's part of the score")]
    of_prior: Annotated[float, Field(description="the part of it that the prior alone would give")]


class SlotView(View):
    item: str
    label: Annotated[str, Field(description="the item with its category")] = ""
    score: Annotated[float, Field(description="the sum of the amounts, first to last")]
    sent: Annotated[float | None, Field(description="the score as it was sent; null where it isn't kept")]
    exact: Annotated[bool, Field(description="whether the two are the same number")]
    rank: Annotated[int, Field(description="by score among the candidates, from 1")]
    propensity: float
    terms: list[TermView]


class WeightView(View):
    name: str
    words: str
    prior: float
    prior_sd: float | None
    belief: float
    belief_sd: float | None


class NumberView(View):
    words: str
    value: str


class PastView(View):
    decision_id: str
    decided_at: Ms
    policy_version: int
    reward: Annotated[float | None, Field(description="null until its outcome is told")]


class WhyView(View):
    """Why the last action of a user, campaign or SKU was taken."""

    domain: Domain
    entity: str
    decision_id: str
    decided_at: Ms
    policy_version: int
    policy_hash: str
    chosen: list[str]
    summary: str
    unknown: Annotated[str, Field(description="what can't be explained, and why; empty where all can")]
    slots: list[SlotView]
    weights: list[WeightView]
    numbers: list[NumberView]
    history: list[PastView]


class EntityList(View):
    domain: Domain
    newest: Annotated[list[str], Field(description="those that were decided about last, newest first")]
