"""What is fixed before a log is looked at. Sums made on different terms don't merge."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Thresholds of estimators, and how intervals are made.

    `reward_low` and `reward_high` are what a reward can be, of one decision or one slot. A confidence sequence needs
    them; where they are None there is none, and the other intervals take the extremes that were seen.
    """

    confidence: float = 0.95
    clip: float = 10.0  # M of clipped IPS: a larger weight counts as this
    switch: float = 5.0  # τ of Switch-DR: with a larger weight only the reward model is used
    shrink: float = 10.0  # λ of DRos; 0 is DM, ∞ is DR
    reward_low: float | None = None
    reward_high: float | None = None
    buckets: int = 2048  # groups of clusters, by hash: what intervals resample
    replicates: int = 1000  # of the bootstrap
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise ValueError("confidence lies between 0 and 1")
        if self.clip <= 0 or self.switch < 0 or self.shrink < 0:
            raise ValueError("clip is above 0, switch and shrink are 0 or more")
        if self.buckets < 2 or self.replicates < 1:
            raise ValueError("at least 2 buckets and 1 replicate")
        if (self.reward_low is None) != (self.reward_high is None):
            raise ValueError("the range of rewards has two ends")
        if self.reward_low is not None and self.reward_high is not None and self.reward_low > self.reward_high:
            raise ValueError("reward_low is above reward_high")
