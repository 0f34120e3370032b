"""Each household's next basket against the slate it was shown before, and against plain rules on the same basket."""

from dataclasses import dataclass, field
from typing import Any, Final

from infra.measures.comparison import TRADEWIND, Sums, total
from infra.measures.ranking import ndcg, recall
from policies.baselines.next_basket import DecayedPersonal, GlobalPopularity, NextBasket, Personal, PersonalFrequency
from streams.records import Recommendation, UserEvent
from streams.times import DAY, MINUTE, iso

K: Final = 10
EARLIER: Final = 3  # baskets a household must have had before one of its baskets is judged
SESSION: Final = 10 * MINUTE  # purchases this close to the first one are one basket
PERIOD: Final = 28 * DAY  # of the curve over time
_SLATES_KEPT: Final = 64  # slates may be read ahead of the purchases that follow them

Slate = tuple[int, list[str]]  # decided_at (epoch ms), items


@dataclass(slots=True)
class Basket:
    """Purchases of one session. A slate counts if it was decided after the household's last basket began."""

    start: int
    after: int
    items: dict[str, None] = field(default_factory=dict[str, None])
    slate: Slate | None = None
    guesses: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def offer(self, slate: Slate) -> None:
        """Keep the latest slate that was decided in time. Slates may be read later than the basket."""
        if self.after <= slate[0] < self.start and (self.slate is None or slate[0] >= self.slate[0]):
            self.slate = slate


@dataclass(slots=True)
class Household:
    """`closed` waits for slates that are read late: it is judged when the next one closes."""

    baskets: int = 0
    open: Basket | None = None
    closed: Basket | None = None
    slates: list[Slate] = field(default_factory=list[Slate])


def _rules() -> dict[str, NextBasket]:
    return {
        "global_popularity": GlobalPopularity(),
        "personal_frequency": PersonalFrequency(),
        "decayed_personal": DecayedPersonal(),
    }


@dataclass(slots=True)
class NextBasketMeasure:
    """Prequential: every rule names the basket as it opens, then learns each purchase at once. State per household."""

    rules: dict[str, NextBasket] = field(default_factory=_rules)
    households: dict[str, Household] = field(default_factory=dict[str, Household])
    periods: dict[int, Sums] = field(default_factory=dict[int, Sums])
    without_slate: int = 0
    late: int = 0  # purchases older than the basket that is open

    def observe_event(self, event: UserEvent) -> None:
        if event.type != "purchase" or event.item_id is None:
            return
        home = self.households.setdefault(event.user_id, Household())
        at = int(event.occurred_at)
        if home.open is not None and at < home.open.start - SESSION:
            self.late += 1
            return
        if home.open is None or at > home.open.start + SESSION:
            self._open(event.user_id, home, at)
        if home.open is not None and event.item_id not in home.open.items:
            home.open.items[event.item_id] = None
            for rule in self.rules.values():
                rule.observe(event.user_id, [event.item_id], at)

    def observe_slate(self, made: Recommendation) -> None:
        home = self.households.setdefault(made.user_id, Household())
        slate = (made.decided_at, [scored.item_id for scored in made.items[:K]])
        for basket in (home.closed, home.open):
            if basket is not None:
                basket.offer(slate)
        if home.open is None or slate[0] >= home.open.start:
            home.slates = sorted([*home.slates, slate], key=lambda kept: kept[0])[-_SLATES_KEPT:]

    def forget(self, user: str) -> None:
        """Remove what is kept of one user; what their baskets added to the sums stays, and names nobody."""
        self.households.pop(user, None)
        for rule in self.rules.values():
            if isinstance(rule, Personal):
                rule.forget(user)

    def _open(self, user: str, home: Household, at: int) -> None:
        """Close the basket before, judge the one before that (its slates are in by now), and have the rules guess."""
        if home.closed is not None:
            self.without_slate += not _judge(home.closed, self.periods)
        home.baskets += home.open is not None
        home.closed = home.open
        home.open = Basket(start=at, after=home.closed.start if home.closed else 0)
        if home.baskets >= EARLIER:
            home.open.guesses = {name: rule.predict(user, at, K) for name, rule in self.rules.items()}
        for slate in home.slates:
            home.open.offer(slate)
        home.slates = [slate for slate in home.slates if slate[0] >= at]

    def result(self) -> dict[str, Any]:
        """The measures so far, the baskets that are still open among them as they stand."""
        periods = {place: sums.plus(Sums()) for place, sums in self.periods.items()}
        without = self.without_slate
        for home in self.households.values():
            for basket in (home.closed, home.open):
                without += basket is not None and not _judge(basket, periods)
        judged = f"every basket of a household with {EARLIER} or more earlier ones, and a slate since the last of them"
        head = {"baskets": sum(sums.baskets for sums in periods.values()), "without_slate": without, "judged": judged}
        if not periods:
            why = f"no household bought a basket after {EARLIER} earlier ones and a slate"
            return {**head, "warm_up": EARLIER, "policies": None, "why": why}
        return {
            **head,
            "warm_up": EARLIER,
            "policies": total(periods.values()).policies(),
            "last_third": _last_third(periods),
            "over_time": [
                {"from": iso(place * PERIOD), "baskets": sums.baskets, "recall_at_10": sums.recalls()}
                for place, sums in sorted(periods.items())
            ],
        }


def _judge(basket: Basket, periods: dict[int, Sums]) -> bool:
    """Add the basket to its period's sums; False where it had no slate to be judged by."""
    if not basket.guesses:
        return True
    if basket.slate is None:
        return False
    wanted = basket.items.keys()
    slates = {TRADEWIND: basket.slate[1], **basket.guesses}
    scores = {name: (recall(slate, wanted, K), ndcg(slate, wanted, K)) for name, slate in slates.items()}
    periods.setdefault(basket.start // PERIOD, Sums()).add(scores)
    return True


def _last_third(periods: dict[int, Sums]) -> dict[str, Any]:
    """The same over the last third of the time: what is left once all have warmed up."""
    first, last = min(periods), max(periods)
    bar = last - (last - first + 1) / 3
    late = total(sums for place, sums in periods.items() if place > bar)
    return {"baskets": late.baskets, "policies": late.policies()}
