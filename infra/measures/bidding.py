"""What the ad money bought, against the most it could have bought: the hindsight optimum per campaign."""

from dataclasses import dataclass, field
from typing import Any

from policies.baselines.hindsight import Auctions
from streams.records import AdEvent, Campaign


@dataclass(slots=True)
class Spent:
    """One campaign. `unpriced` counts auctions that name no price or value: without them the optimum is unknown."""

    auctions: int = 0
    won: int = 0
    value: float = 0.0
    spend: float = 0.0
    unpriced: int = 0
    seen: Auctions = field(default_factory=Auctions)

    def add(self, event: AdEvent) -> None:
        self.auctions += 1
        if event.price is None or event.value is None:
            self.unpriced += 1
        else:
            self.seen.add(event.value, event.price)
        if event.won:
            self.won += 1
            self.value += event.value or 0.0
            self.spend += event.price or 0.0


@dataclass(slots=True)
class BiddingMeasure:
    """Auctions and budgets by campaign; money in the shop's currency."""

    spent: dict[str, Spent] = field(default_factory=dict[str, Spent])
    budgets: dict[str, float] = field(default_factory=dict[str, float])

    def observe_campaign(self, campaign: Campaign) -> None:
        self.budgets[campaign.campaign_id] = campaign.budget

    def observe_event(self, event: AdEvent) -> None:
        if event.type == "auction":
            self.spent.setdefault(event.campaign_id, Spent()).add(event)

    def result(self) -> dict[str, Any]:
        known = {name: spent for name, spent in sorted(self.spent.items()) if name in self.budgets}
        if not known:
            why = "no auctions were seen" if not self.spent else "no campaign of the auctions has a known budget"
            return {"campaigns": 0, "tradewind": None, "why": why}
        unpriced = sum(spent.unpriced for spent in known.values())
        value = sum(spent.value for spent in known.values())
        best = None if unpriced else sum(spent.seen.best(self.budgets[name]) for name, spent in known.items())
        shares = [_share(spent, self.budgets[name]) for name, spent in known.items()]
        return {
            "campaigns": len(known),
            "campaigns_without_budget": len(self.spent) - len(known),
            "auctions": sum(spent.auctions for spent in known.values()),
            "tradewind": {
                "auctions_won": sum(spent.won for spent in known.values()),
                "value_won": value,
                "spend": sum(spent.spend for spent in known.values()),
                "budget": sum(self.budgets[name] for name in known),
                "overspend": sum(max(0.0, spent.spend - self.budgets[name]) for name, spent in known.items()),
                "hindsight_value": best,
                "hindsight_share": value / best if best else None,
                "lowest_campaign_share": min((one for one in shares if one is not None), default=None),
                **_why(unpriced, best),
            },
        }


def _share(spent: Spent, budget: float) -> float | None:
    best = 0.0 if spent.unpriced else spent.seen.best(budget)
    return spent.value / best if best else None


def _why(unpriced: int, best: float | None) -> dict[str, str]:
    if unpriced:
        return {"why": f"{unpriced} auctions name no price or no value, so what was possible is unknown"}
    return {} if best else {"why": "no budget could have bought any value"}
