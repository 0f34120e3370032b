"""Spend and pace per campaign, from its plan, its auctions and the last adjustment of its bids. Money, event time."""

from dataclasses import dataclass, field
from typing import Final, Literal

from infra.dashboard.rings import Table
from streams.campaigns import paid
from streams.records import AdEvent, BidAdjustment, Campaign

KEPT: Final = 2_000  # campaigns
_ON_PACE: Final = 0.10  # of the budget, either way
_OVER: Final = 1e-9

State = Literal["waiting", "on pace", "ahead", "behind", "over budget", "ended", "no plan"]


@dataclass(slots=True)
class Account:
    """One campaign. `spent` is what its won auctions cost, `value` what they were worth."""

    plan: Campaign | None = None
    auctions: int = 0
    won: int = 0
    spent: float = 0.0
    value: float = 0.0
    last: BidAdjustment | None = None

    def gone(self, now: int) -> float:
        """The share of the flight that is over at `now`; 0 without a plan."""
        if self.plan is None:
            return 0.0
        length = self.plan.ends_at - self.plan.starts_at
        return min(1.0, max(0.0, (now - self.plan.starts_at) / length))

    def share(self) -> float | None:
        """The share of the budget that is spent."""
        return self.spent / self.plan.budget if self.plan is not None and self.plan.budget > 0 else None

    def state(self, now: int) -> State:
        """Where the campaign stands: its spend against an even one."""
        plan, share = self.plan, self.share()
        if plan is None or share is None:
            return "no plan"
        if self.spent > plan.budget * (1 + _OVER):
            return "over budget"
        if now < plan.starts_at:
            return "waiting"
        if now >= plan.ends_at:
            return "ended"
        off = share - self.gone(now)
        return "on pace" if abs(off) <= _ON_PACE else "ahead" if off > 0 else "behind"


@dataclass(slots=True)
class Ads:
    """All campaigns seen lately. `now` is the greatest event time of any of them."""

    accounts: Table[Account] = field(default_factory=lambda: Table(Account, KEPT))

    def plan(self, name: str, campaign: Campaign | None) -> None:
        if campaign is not None or self.accounts.get(name) is not None:
            self.accounts.touch(name).plan = campaign

    def event(self, event: AdEvent) -> None:
        if event.type != "auction":
            return
        account = self.accounts.touch(event.campaign_id)
        account.auctions += 1
        if event.won:
            account.won += 1
            account.spent += paid(event, account.last.max_bid if account.last is not None else 0.0)
            account.value += event.value or 0.0

    def adjusted(self, adjustment: BidAdjustment) -> None:
        self.accounts.touch(adjustment.campaign_id).last = adjustment
