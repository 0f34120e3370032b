"""What is asked of the recorded stock, and the shelves that can answer."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from msgspec.structs import replace

from infra.whatif.shelves import Censored, Recorded
from infra.whatif.warehouse import RULES
from policies.baselines.lost_sales import Demand
from policies.version import PolicyVersion
from streams.records import Supply
from streams.times import DAY

LIVE: Final = "live"
POLICIES: Final = (LIVE, *RULES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks; what is None stays as the catalog has it. Costs are per unit: holding per day."""

    policies: Sequence[str] = POLICIES
    review_ms: int = DAY
    lead_time_days: float | None = None
    lead_times: Literal["catalog", "observed"] = "catalog"
    shortage_cost: float | None = None
    holding_cost: float | None = None
    censored: Censored = "as-recorded"

    def supply(self, supply: Supply) -> Supply:
        told = {
            "lead_time_days": self.lead_time_days,
            "shortage_cost": self.shortage_cost,
            "holding_cost": self.holding_cost,
        }
        return replace(supply, **{name: value for name, value in told.items() if value is not None})

    @property
    def changed(self) -> list[str]:
        """The options that make it another business than the one that runs."""
        given = (("--lead-time-days", self.lead_time_days), ("--shortage-cost", self.shortage_cost))
        return [name for name, value in (*given, ("--holding-cost", self.holding_cost)) if value is not None]


@dataclass(slots=True)
class Played:
    """The shelves that could be simulated, and how many records and SKUs could not, by reason."""

    shelves: list[Recorded]
    left_out: Counter[str]
    wish: Wish
    policy: PolicyVersion
    imputed: dict[str, list[Demand]] = field(default_factory=dict[str, list[Demand]])

    def wanted(self, given: Recorded) -> list[Demand]:
        return [*given.wanted, *self.imputed.get(given.key, [])]
