"""What a judgement of policies on a history came to: one JSON object, all that a report shows and a promotion goes by.

Rewards are per decision, in the units of the domain: for a slate, what its slots earned (a purchase is 1); for a bid
adjustment, value won under it; for a review of stock, minus its cost. Times are epoch ms; intervals are two-sided 95%.
A number that can't be told is null, never a guess.
"""

from typing import Any, Final, Literal

import msgspec

from streams.records import Domain

SCHEMA: Final = "tradewind.evidence/1"
CONFIDENCE: Final = 0.95

Verdict = Literal["ok", "refused"]
Kind = Literal["logged", "version", "greedy", "rule"]


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A value with its interval; `interval` names how that was found. Null where it can't be told."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    interval: str = ""


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """How many of something fell between `low` (inclusive) and `high`."""

    low: float
    high: float
    count: int


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """The importance weights of one candidate: what the data can carry.

    `effective` is the effective sample size of the estimator that has most, and `whole_slates` that of weights of all
    slots together, where there are several; `largest` is the largest weight, `mean` is near 1 where logged propensities
    are right, `zero` counts decisions that the candidate would never have made.
    """

    effective: float = 0.0
    whole_slates: float | None = None
    largest: float = 0.0
    mean: float | None = None
    zero: int = 0
    histogram: list[Bin] = []


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One bucket of time of a learning curve: what was observed, and the candidate's value there."""

    since: int
    until: int
    decisions: int
    observed: float | None
    estimate: Estimate


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions that have `name` in common, by `by`: "customer", "category", "placement", "campaign", …"""

    by: str
    name: str
    decisions: int
    observed: float | None
    estimate: Estimate
    effective: float = 0.0


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """One tenth of the actions, by what the reward model predicted for them, and what they did earn."""

    actions: int
    predicted: float
    observed: float


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate in one domain.

    `estimators` holds the candidate's value by estimator (`ips`, `rips`, …). `difference` is its value minus that
    of what was logged, on the same decisions, resampled by entity: a candidate is better where `difference.low` is
    above 0. `headline` names the estimator that both are read by. `reasons` say, where the verdict is "refused", what
    the data can't carry and what would be needed; `remarks` what to know besides.
    """

    verdict: Verdict
    reasons: list[str] = []
    remarks: list[str] = []
    decisions: int
    entities: int
    headline: str = ""
    value: Estimate
    difference: Estimate
    same: float | None = None  # the mean of min(w, 1): 1 where it decides as was logged, always
    estimators: dict[str, Estimate] = {}
    weights: Weights
    curve: list[Point] = []
    segments: list[Segment] = []


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the policy: its number, and the hash that tells it from others of that number."""

    number: int
    sha256: str


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that was judged. `version` and `sha256` name the version that it goes by, where it goes by one.

    Of kind "version" it is that version itself; of kind "greedy" it always takes what that version thinks best.
    `changes` names the domains in which its prior isn't that of the version that serves; null where it is no version.
    """

    name: str
    kind: Kind
    version: int | None = None
    sha256: str = ""
    changes: list[str] | None = None
    domains: dict[Domain, Judgement] = {}
    better: list[Domain] = []  # the lower bound of its difference is above 0
    worse: list[Domain] = []  # … the upper bound below
    same: list[Domain] = []  # it makes every logged choice: nothing to tell


class Logged(msgspec.Struct, frozen=True, kw_only=True):
    """What was earned under the policy that served, in one domain, and how well its rewards were predicted."""

    decisions: int
    entities: int
    value: Estimate
    curve: list[Point] = []
    segments: list[Segment] = []
    calibration: list[Calibration] = []
    reward_model: str = ""
    versions: dict[str, int] = {}  # decisions by version number


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing that came out otherwise than it was logged."""

    decision_id: str
    domain: str
    field: str
    logged: Any
    remade: Any


class Recomputed(msgspec.Struct, frozen=True, kw_only=True):
    """Every logged decision, made again from its own record: propensity to 1e-9, the action exactly."""

    decisions: int = 0
    equal: int = 0
    unable: dict[str, int] = {}  # not made again, by why
    differing: dict[str, int] = {}  # by domain and field
    by_domain: dict[str, int] = {}  # equal ones
    first: Difference | None = None

    @property
    def share(self) -> float | None:
        """The part that came out as it was logged; None where nothing was logged."""
        return self.equal / self.decisions if self.decisions else None


class Reproduced(msgspec.Struct, frozen=True, kw_only=True):
    """Logged decisions that a replay of the agents from the start of the history makes too, the rest by cause.

    The same decision is one of the same candidates, choice, action (its reason too), propensities to 1e-9, time and
    version. `identical` ones are equal in every field; `aside` counts, of the others, the fields that differ: rounding
    of features, or which event is named as the last.
    """

    decisions: int = 0
    equal: int = 0
    identical: int = 0
    aside: dict[str, int] = {}
    causes: dict[str, int] = {}
    by_domain: dict[str, dict[str, int]] = {}
    extra: int = 0  # decisions that only the replay makes
    runs_equal: bool = False  # two replays gave the same bytes
    sha256: str = ""  # of those bytes
    first: Difference | None = None

    @property
    def share(self) -> float | None:
        """The part that came out as it was logged; None where nothing was logged."""
        return self.equal / self.decisions if self.decisions else None


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the log is true: the gate. `share` of each is told beside it, since a reader needs it."""

    passed: bool
    recomputed: Recomputed
    recomputed_share: float | None
    reproduced: Reproduced | None = None
    reproduced_share: float | None = None


class ArmRead(msgspec.Struct, frozen=True, kw_only=True):
    """One arm of an experiment: `mean` is its reward a decision, `difference` that less control's.

    The interval holds at all times at once: whoever looks every day, and stops when it likes, is still right.
    """

    name: str
    share: float
    entities: int
    decisions: int
    mean: float | None = None
    difference: Estimate


class ExperimentRead(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment as it stands, for as long as its shares were the same. `decisions` are those judged.

    `mismatch` is how probable it is that entities fell into the arms as unevenly as they did, at any time; where that
    is too small, the verdict is "refused". Counts are of at most 65,536 entities, a fair sample of them.
    """

    name: str
    domain: Domain
    verdict: Verdict
    reasons: list[str] = []
    decisions: int
    mismatch: float
    arms: list[ArmRead] = []


class ShadowRead(msgspec.Struct, frozen=True, kw_only=True):
    """A version that decided for the log alone: in which part of its decisions it chose all the `same` as was done.

    `agreement` is the mean part of a decision that it chose too: of a slate, its items.
    """

    domain: Domain
    version: int
    decisions: int
    same: float
    agreement: float


class Constraint(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule of the business cost in one domain: `bound` of `decisions` would have been otherwise without it.

    `cost` is a decision's, in the domain's reward, as it was believed when it was made; null where the log can't tell.
    `words` say what it is, or why it isn't known.
    """

    domain: Domain
    name: str
    decisions: int
    bound: int
    cost: Estimate | None = None
    words: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One partition as it was cut: read from offset `start` up to `end`, exclusive."""

    topic: str
    partition: int
    start: int
    end: int


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """What was judged. `since` and `until` are as asked (log time, the latter exclusive), null where open."""

    since: int | None = None
    until: int | None = None
    first_decision: int | None = None  # event time of what was found
    last_decision: int | None = None
    source: str = ""
    topics: list[str] = []
    missing: list[str] = []  # topics that the cluster doesn't have
    places: list[Place] = []


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `left_out` counts by name what was read and not judged: nothing is dropped unsaid.

    `made_at` is when (epoch ms, the clock of the machine that judged); `serving` is the version that the history's
    policy-versions have serve at its end.
    """

    schema: str = SCHEMA
    confidence: float = CONFIDENCE
    made_by: str = ""
    made_at: int = 0
    serving: Named | None = None
    simulated: bool = False  # by `tradewind what-if`: what is under `logged` is the serving version's, simulated too
    range: Range
    read: dict[str, int] = {}  # messages by topic
    judged: int = 0  # decisions with a final outcome
    left_out: dict[str, int] = {}
    logged: dict[Domain, Logged] = {}
    candidates: list[Candidate] = []
    verified: Verified | None = None
    experiments: list[ExperimentRead] = []
    shadows: list[ShadowRead] = []
    constraints: list[Constraint] = []
    seconds: float = 0.0
    events_per_second: float = 0.0


class EvidenceError(ValueError):
    """Why a file is no evidence: one sentence."""


def read(raw: bytes) -> Evidence:
    """The evidence in `raw`. Raises EvidenceError."""
    try:
        found = msgspec.json.decode(raw, type=Evidence)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EvidenceError(f"it is no evidence of `tradewind replay --json`: {error}") from error
    if found.schema != SCHEMA:
        raise EvidenceError(f"it has schema {found.schema!r}, and this version reads {SCHEMA!r}")
    return found


def schema() -> dict[str, Any]:
    """The JSON Schema of the evidence."""
    return msgspec.json.schema(Evidence)
