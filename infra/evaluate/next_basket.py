"""`tradewind evaluate next-basket`: what each household buys next, named before it is seen, by every rule alike.

One pass in time order. The first 60% of the span warms up; then every basket of a household with three or more earlier
ones is predicted. The cold are judged twice over: households as if only their last 0, 1 or 2 baskets were known
(`cold`), and those that really had fewer than three (`new`). There is no oracle prior: nobody knows what households'
tastes were drawn from.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Final, NamedTuple

import numpy as np

from infra.evaluate.baskets import recorded
from infra.measures.ranking import ndcg, recall
from policies.baselines.co_purchase import CoPurchase
from policies.baselines.next_basket import ColdStart, DecayedPersonal, GlobalPopularity, PersonalFrequency, Visit
from policies.baselines.tifu_knn import TifuKnn
from policies.baselines.up_cf import UpCf
from policies.baskets.guard import Guarded
from policies.baskets.next_basket import LearnedBasket
from policies.baskets.profile import sums
from policies.linalg import Floats
from policies.tasks.shop import Basket

WARM_UP: Final = 0.6  # of the span
EARLIER: Final = 3  # baskets a household must have had
COLD: Final = 3000  # baskets that are judged with their history masked, spread evenly
WHERE: Final = ("warm", "cold", "new")


class Given(NamedTuple):
    """What a rule is made from."""

    kinds: Mapping[str, str]
    seed: int
    k: int

    @property
    def size(self) -> int:
        """Popular items to hold at hand: a slate may name twice as many as it has places before it is full."""
        return max(24, 2 * self.k)


Make = Callable[[Given], ColdStart]


def _decayed(given: Given) -> DecayedPersonal:
    return DecayedPersonal(size=given.size)


def _frequency(given: Given) -> PersonalFrequency:
    return PersonalFrequency(popularity=GlobalPopularity(size=given.size))


def _co_purchase(given: Given) -> CoPurchase:
    return CoPurchase(personal=_decayed(given))


def _guarded(given: Given) -> Guarded:
    plain = {"decayed": _decayed(given), "frequency": _frequency(given), "co-purchase": _co_purchase(given)}
    return Guarded(learned=LearnedBasket.meta(given.kinds), plain=plain)


BASELINES: Final[dict[str, Make]] = {
    "global-popularity": lambda given: GlobalPopularity(size=given.size),
    "personal-frequency": _frequency,
    "tifu-knn": lambda _: TifuKnn(),
    "up-cf": lambda given: UpCf(popularity=GlobalPopularity(size=given.size)),
    "co-purchase": _co_purchase,
    "decayed-personal": _decayed,
}
MAKERS: Final[dict[str, Make]] = {
    "meta": _guarded,
    "flat-prior": lambda given: LearnedBasket.flat(given.kinds, given.seed),
    "none": lambda given: LearnedBasket.meta(given.kinds, learns=False, leans=False),
    "meta-unguarded": lambda given: LearnedBasket.meta(given.kinds),
    "meta-without-leanings": lambda given: LearnedBasket.meta(given.kinds, leans=False),
    **BASELINES,
}
POLICIES: Final = tuple(MAKERS)


@dataclass(slots=True)
class Judged:
    """One rule's scores, basket by basket, where it was judged; and the seconds its predictions took."""

    recall: dict[str, list[float]] = field(default_factory=lambda: {where: [] for where in WHERE})
    ndcg: dict[str, list[float]] = field(default_factory=lambda: {where: [] for where in WHERE})
    seconds: float = 0.0

    def add(self, where: str, slate: Sequence[str], wanted: set[str], k: int) -> None:
        self.recall[where].append(recall(slate, wanted, k))
        self.ndcg[where].append(ndcg(slate, wanted, k))


@dataclass(slots=True)
class Run:
    """All rules over one log. `households` and `known` tell, basket by basket, whose it was and what was known."""

    rules: dict[str, ColdStart]
    k: int
    sparing: int = 1  # of the baskets that could be judged, one in so many is
    judged: dict[str, Judged] = field(default_factory=dict[str, Judged])
    households: dict[str, list[str]] = field(default_factory=lambda: {where: [] for where in WHERE})
    known: dict[str, list[int]] = field(default_factory=lambda: {where: [] for where in WHERE})

    def __post_init__(self) -> None:
        self.judged = {name: Judged() for name in self.rules}

    def over(self, log: Sequence[Basket], on_basket: Callable[[], None] = lambda: None) -> None:
        """One pass. The log is in order of time."""
        if not log:
            return
        begins = log[0].at + WARM_UP * (log[-1].at - log[0].at)
        every = max(1, _eligible(log, begins) // self.sparing // COLD)
        met = 0
        past: dict[str, deque[Visit]] = {}
        earlier: dict[str, int] = {}
        for basket in log:
            had = earlier.get(basket.user, 0)
            latest = past.setdefault(basket.user, deque(maxlen=2))
            if basket.at >= begins and had < EARLIER:
                self._judge("new", basket, had)
            elif basket.at >= begins:
                met += 1
                if met % self.sparing == 0:
                    self._judge("warm", basket, had)
                    self._judge_cold(basket, list(latest), every)
            for rule in self.rules.values():
                rule.observe(basket.user, basket.items, basket.at)
            latest.append((basket.items, basket.at))
            earlier[basket.user] = had + 1
            on_basket()

    def _judge(self, where: str, basket: Basket, known: int) -> None:
        wanted = set(basket.items)
        for name, rule in self.rules.items():
            began = perf_counter()
            slate = rule.predict(basket.user, basket.at, self.k)
            self.judged[name].seconds += perf_counter() - began
            self.judged[name].add(where, slate, wanted, self.k)
        self._note(where, basket, known)

    def _judge_cold(self, basket: Basket, latest: Sequence[Visit], every: int) -> None:
        """Every so many: as if only the last 0, 1 or 2 visits were known, in turn."""
        if len(self.households["warm"]) % every:
            return
        known = len(self.households["cold"]) % EARLIER
        visits = latest[len(latest) - known :]
        wanted = set(basket.items)
        for name, rule in self.rules.items():
            self.judged[name].add("cold", rule.predict_after(visits, basket.at, self.k), wanted, self.k)
        self._note("cold", basket, len(visits))

    def _note(self, where: str, basket: Basket, known: int) -> None:
        self.households[where].append(basket.user)
        self.known[where].append(known)


def _eligible(log: Sequence[Basket], begins: float) -> int:
    earlier: dict[str, int] = {}
    count = 0
    for basket in log:
        had = earlier.get(basket.user, 0)
        count += basket.at >= begins and had >= EARLIER
        earlier[basket.user] = had + 1
    return count


def evaluate(*, policy: str, seed: int, events: Path, k: int) -> dict[str, Any]:
    """Recall@k and nDCG@k of the policy and of every baseline, on the same baskets. Raises UserError."""
    found = recorded(events)
    log = found.baskets()
    given = Given(found.kinds, seed, k)
    run = Run(rules={name: MAKERS[name](given) for name in dict.fromkeys([policy, *BASELINES])}, k=k)
    _with_progress(run, log)
    warm = len(run.households["warm"])
    told: dict[str, Any] = {
        "recall": means(run, "warm", "recall"),
        "ndcg": means(run, "warm", "ndcg"),
        "baskets": warm,
        "cold": {**_told(run, "cold"), "by_known": _by_known(run)},
        "new": _told(run, "new"),
        "ahead": ahead(run, policy, seed),
        "milliseconds": {name: 1e3 * each.seconds / max(1, warm) for name, each in run.judged.items()},
        "seen": _seen(log, found.kinds),
        "bad_records": found.bad,
        "warm_up": WARM_UP,
        "k": k,
    }
    if found.bad:
        told["first_bad_record"] = found.first_bad
    return told if warm else {**told, "why": _why(log)}


def means(run: Run, where: str, measure: str) -> dict[str, float | None]:
    """By policy; None where no basket was judged."""
    found: dict[str, list[float]] = {name: getattr(each, measure)[where] for name, each in run.judged.items()}
    return {name: float(np.mean(scores)) if scores else None for name, scores in found.items()}


def ahead(run: Run, policy: str, seed: int, where: str = "warm", draws: int = 1000) -> dict[str, Any] | None:
    """How far the policy's recall is above the strongest baseline's, relatively, and its 95% interval.

    The interval is a bootstrap over households: baskets of one household aren't independent.
    """
    baselines = [name for name in run.judged if name in BASELINES and name != policy]
    mine = np.array(run.judged[policy].recall[where])
    if not len(mine) or not baselines:
        return None
    best = max(baselines, key=lambda name: float(np.mean(run.judged[name].recall[where])))
    theirs = np.array(run.judged[best].recall[where])
    if not theirs.any():
        return None
    _, whose = np.unique(run.households[where], return_inverse=True)
    a, b = sums(whose, mine), sums(whose, theirs)
    low, high = np.quantile(_resampled(a, b, draws, seed), [0.025, 0.975]).tolist()
    return {"of": best, "by": float(mine.sum() / theirs.sum() - 1.0), "from": low, "to": high}


def _resampled(a: Floats, b: Floats, draws: int, seed: int) -> Floats:
    """Relative differences of sums over households drawn with replacement: [draws]."""
    rng = np.random.default_rng([seed, 17])
    found = np.empty(draws)
    for draw in range(draws):
        count = np.bincount(rng.integers(0, len(a), len(a)), minlength=len(a))
        found[draw] = (count @ a) / max(count @ b, 1e-12) - 1.0
    return found


def _seen(log: Sequence[Basket], kinds: Mapping[str, str]) -> dict[str, int]:
    households, items = {basket.user for basket in log}, {item for basket in log for item in basket.items}
    return {"baskets": len(log), "households": len(households), "items": len(items), "kinds": len(set(kinds.values()))}


def _told(run: Run, where: str) -> dict[str, Any]:
    return {
        "recall": means(run, where, "recall"),
        "ndcg": means(run, where, "ndcg"),
        "baskets": len(run.households[where]),
    }


def _by_known(run: Run) -> dict[str, dict[str, float]]:
    """Recall of the masked, by the number of baskets that were known."""
    known = np.array(run.known["cold"])
    return {
        str(count): {
            name: float(np.array(each.recall["cold"])[known == count].mean()) for name, each in run.judged.items()
        }
        for count in sorted(set(known.tolist()))
    }


def _why(log: Sequence[Basket]) -> str:
    if not log:
        return "the file holds no purchase: user-events of type purchase with an item_id, or orders with a user_id"
    return f"no household bought a basket after {EARLIER} earlier ones in the last {1 - WARM_UP:.0%} of the log's span"


def _with_progress(run: Run, log: Sequence[Basket]) -> None:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("baskets", total=len(log))
        run.over(log, lambda: progress.advance(task))
