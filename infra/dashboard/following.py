"""How the reader stands with the brokers, and how far the workers are behind: told to the page in words."""

from dataclasses import dataclass, field
from typing import Literal

State = Literal["starting", "catching up", "live", "away"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """Records of one topic that a consumer group hasn't applied yet; None where it never committed any."""

    group: str
    topic: str
    records: int | None


@dataclass(slots=True)
class Following:
    """`told` is a sentence where something is wrong. Times are epoch ms of this machine's clock."""

    state: State = "starting"
    told: str = ""
    since: int = 0
    left: int = 0  # records still to be read before the page is live
    behind: list[Behind] = field(default_factory=list[Behind])

    def turn(self, state: State, at: int, told: str = "") -> None:
        if (state, told) != (self.state, self.told):
            self.state, self.told, self.since = state, told, at
