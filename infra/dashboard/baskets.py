"""The next basket against the slate shown before it and against plain rules, for a bounded number of users."""

from dataclasses import dataclass, field
from typing import Any, Final

from infra.measures.next_basket import NextBasketMeasure
from streams.records import Recommendation, UserEvent

USERS: Final = 2_000
_OTHERS: Final = ""  # no user has this id: what all those that aren't judged buy, so that popularity is everyone's


@dataclass(slots=True)
class Baskets:
    """The users judged are the first `users` that were seen, less those that were forgotten."""

    users: int = USERS
    measure: NextBasketMeasure = field(default_factory=NextBasketMeasure)
    beyond: int = 0  # purchases of others

    def event(self, event: UserEvent) -> None:
        if self._judged(event.user_id):
            self.measure.observe_event(event)
        elif event.type == "purchase" and event.item_id is not None:
            self.beyond += 1
            for rule in self.measure.rules.values():
                rule.observe(_OTHERS, [event.item_id], int(event.occurred_at))

    def slate(self, made: Recommendation) -> None:
        if self._judged(made.user_id):
            self.measure.observe_slate(made)

    def forget(self, user_id: str) -> None:
        self.measure.forget(user_id)

    def result(self) -> dict[str, Any]:
        return self.measure.result()

    def _judged(self, user_id: str) -> bool:
        known = self.measure.households
        return user_id in known or len(known) < self.users
