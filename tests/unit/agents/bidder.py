"""A campaign, its events, and the bidding agent's step as a worker runs it."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from agents import bidding
from agents.contract import Input, Output, State, Step
from policies.version import SHIPPED, PolicyVersion
from streams.records import AdEvent, BidAdjustment, Campaign, Objective
from streams.times import DAY, EventTime
from streams.topics import AD_EVENTS, CAMPAIGNS
from streams.views import Views

BIDDING = bidding.build()
START = 1_500_000_000_000 - 1_500_000_000_000 % DAY


def campaign(name: str = "c", **given: Any) -> Campaign:
    base = Campaign(
        campaign_id=name,
        budget=20.0,
        starts_at=EventTime(START),
        ends_at=EventTime(START + DAY),
        bid_min=0.0,
        bid_max=1.0,
        objective=Objective(ctr=1.0, cvr=1.0, revenue=1.0),
    )
    return replace(base, **given)


def event(number: int, at: int, name: str = "c", **given: Any) -> AdEvent:
    base = AdEvent(event_id=f"{name}{number}", campaign_id=name, type="auction", occurred_at=EventTime(at))
    return replace(base, **given)


def inputs(records: Sequence[Any]) -> list[Input]:
    return [
        Input(CAMPAIGNS if isinstance(r, Campaign) else AD_EVENTS, 0, i, r.campaign_id, r)
        for i, r in enumerate(records)
    ]


class Worker:
    """Runs the step as the worker does: merges its writes, keeps its outputs."""

    def __init__(self, policy: PolicyVersion = SHIPPED) -> None:
        self.entries: dict[str, bytes] = {}
        self.outputs: list[Output] = []
        self.ignored: dict[str, int] = {}
        self.policy = policy

    def feed(self, batch: Sequence[Input], now: int = 0) -> Step:
        done = BIDDING.step(State(dict(self.entries), Views()), batch, self.policy, now)
        for key, raw in done.writes.items():
            if raw is None:
                self.entries.pop(key, None)
            else:
                self.entries[key] = raw
        self.outputs += done.outputs
        for why, count in done.ignored.items():
            self.ignored[why] = self.ignored.get(why, 0) + count
        return done

    def records(self, kind: type[Any]) -> list[Any]:
        return [out.record for out in self.outputs if isinstance(out.record, kind)]

    @property
    def adjustments(self) -> list[BidAdjustment]:
        return self.records(BidAdjustment)
