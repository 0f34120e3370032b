"""The slates of one user that still wait for their outcome, and the reward each has earned. No choice, no weights."""

from typing import Final

import msgspec

from policies.slates.recommend import REWARDS
from streams.records import UserEvent

KEEP_CLOSED: Final = 4
DEFAULT_PLACEMENT: Final = "default"


class OpenSlate(msgspec.Struct):
    """A decision and what followed it. `items` is filled in when the slate has been chosen, at the end of its step."""

    decision_id: str = ""
    decided_at: int = 0
    due: int = 0
    policy_version: int = 0
    items: list[str] = []
    propensities: list[float] = []  # by slot: of the item there, given those before it
    contexts: bytes = b""  # features [slots, d] of the chosen as int32, in the units of policies.slates.recommend.SCALE
    earned: dict[str, float] = {}  # reward by item, for whatever item feedback named
    echoed: bool = False
    encoder: str = ""  # the name of the one that saw the user's history; empty where it had no say
    place: int = 0  # in the ring of slates as they came, where it had

    def credit(self, event: UserEvent, reward: float) -> None:
        item = event.item_id
        if item is not None:
            self.earned[item] = max(self.earned.get(item, 0.0), reward)
            self.echoed = self.echoed or event.decision_id is not None

    def corrected(self, event: UserEvent, reward: float) -> bool:
        """Credit late feedback; whether that changes the reward."""
        before = self.rewards()
        self.credit(event, reward)
        return self.rewards() != before

    def rewards(self) -> list[float]:
        """The reward of each slot."""
        return [self.earned.get(item, 0.0) for item in self.items]

    def attribution(self) -> str:
        if not any(self.rewards()):
            return "none"
        return "decision_id" if self.echoed else "window"


class Slates(msgspec.Struct):
    """One user's slates: those under way, the last few closed ones, and when each placement was last served."""

    open: list[OpenSlate] = []
    closed: list[OpenSlate] = []
    served: dict[str, int] = {}
    placement: str = DEFAULT_PLACEMENT  # where the user was last served

    def due_for_refresh(self, placement: str, at: int, interval_ms: int) -> bool:
        return at - self.served.get(placement, -interval_ms) >= interval_ms

    def begin(self, slate: OpenSlate, placement: str) -> None:
        self.open.append(slate)
        self.served[placement] = max(slate.decided_at, self.served.get(placement, 0))
        self.placement = placement

    def find(self, decision_id: str) -> OpenSlate | None:
        return next((slate for slate in self.open if slate.decision_id == decision_id), None)

    def close(self, decision_id: str) -> OpenSlate | None:
        """End a slate's window; it stays among the last few closed, for late feedback."""
        slate = self.find(decision_id)
        if slate is not None:
            self.open.remove(slate)
            self.closed = [*self.closed, slate][-KEEP_CLOSED:]
        return slate

    def credit(self, event: UserEvent) -> list[OpenSlate]:
        """Credit an event to the slate it names, or to every open one whose window holds it.

        Returns the closed slates whose reward has changed by it: their outcome needs a correction.
        """
        reward = REWARDS.get(event.type)
        if reward is None or event.item_id is None:
            return []
        at, named = event.occurred_at, event.decision_id
        for slate in self.open:
            if slate.decided_at <= at <= slate.due and named in (None, slate.decision_id):
                slate.credit(event, reward)
        return [
            slate
            for slate in self.closed
            if slate.decided_at <= at <= slate.due
            and named in (None, slate.decision_id)
            and slate.corrected(event, reward)
        ]
