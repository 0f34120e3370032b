"""The rule that learns: it learns, asks no more than it says, and steps back for a plain rule that is better."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from policies.baselines.next_basket import ColdStart, DecayedPersonal, GlobalPopularity, Visit
from policies.baskets.features import FEATURES
from policies.baskets.guard import Guarded
from policies.baskets.next_basket import Leaning, LearnedBasket, shipped
from policies.tasks.shop import DAY, Basket, ShopTask, baskets

TASK = ShopTask(
    households=12,
    items=80,
    kinds=8,
    days=90,
    gap_days=4.0,
    size=3.0,
    faithful=0.7,
    skew=0.8,
    promotion=5.0,
    rests=0.0,
)
KINDS = {f"i{item}": TASK.kind_of(f"i{item}") for item in range(TASK.items)}


def hits(rule: ColdStart, log: Sequence[Basket]) -> float:
    found: list[float] = []
    for at, user, items in log:
        slate = rule.predict(user, at, 10)
        assert len(slate) == len(set(slate)) <= 10
        found.append(len(set(slate) & set(items)) / len(items))
        rule.observe(user, items, at)
    return float(np.mean(found[len(found) // 2 :]))


def test_the_shipped_weights_know_these_features_and_beat_popularity() -> None:
    log = list(baskets(TASK, 5))
    assert shipped().inner.shape[0] == len(FEATURES)
    meta = hits(LearnedBasket.meta(KINDS), log)
    assert meta > hits(GlobalPopularity(), log)
    assert meta > 0.95 * hits(DecayedPersonal(), log)


def test_weights_that_know_nothing_learn_from_the_stream() -> None:
    log = list(baskets(TASK, 6))
    learning, still = LearnedBasket.flat(KINDS, 0), LearnedBasket.flat(KINDS, 0)
    still.learns = still.leans = False
    assert hits(learning, log) > 1.1 * hits(still, log)


def test_asking_for_a_stranger_or_a_masked_household_changes_nothing() -> None:
    log = list(baskets(TASK, 7))[:120]
    plain, asked = LearnedBasket.meta(KINDS), LearnedBasket.meta({})
    asked.shop.kinds = KINDS
    for at, user, items in log:
        asked.predict_after([(log[0].items, log[0].at)] if asked.seen else [], at, 5)
        plain.observe(user, items, at)
        asked.observe(user, items, at)
    now = log[-1].at + DAY
    assert plain.predict("h1", now, 10) == asked.predict("h1", now, 10)
    assert len(plain.predict("a stranger", now, 10)) == 10
    assert plain.predict_after([], now, 10) == plain.predict("a stranger", now, 10)


def test_an_empty_shop_names_nothing() -> None:
    rule = LearnedBasket.meta({})
    assert rule.predict("u", 0, 10) == []
    rule.observe("u", ["a"], 0)
    assert rule.predict("u", DAY, 10) == ["a"]


def test_a_leaning_is_the_mode_of_its_posterior_and_forgets_toward_none() -> None:
    rng = np.random.default_rng(3)
    ready, target = rng.normal(size=(3, 6)), np.eye(6)[2]
    leaning = Leaning(strength=2.0, keep=1.0)
    leaning.learn(ready, np.zeros(6), target)
    mean = ready.mean(axis=1)
    curvature = (ready**2).mean(axis=1) - mean**2
    assert leaning.delta == pytest.approx((ready[:, 2] - mean) / (2.0 + curvature))
    held = Leaning(strength=2.0, keep=0.5)
    held.learn(ready, np.zeros(6), target)
    for _ in range(200):
        held.learn(ready, np.zeros(6), np.zeros(6))
    assert held.delta == pytest.approx(np.zeros(3), abs=1e-6)
    assert held.precision == pytest.approx(np.full(3, 2.0))


@dataclass
class Fixed:
    """A rule that always says the same."""

    slate: list[str]

    def is_turn(self) -> bool:
        return True

    def observe(self, user: str, items: list[str], at: int) -> None: ...

    def predict(self, user: str, at: int, k: int) -> list[str]:  # noqa: ARG002
        return self.slate[:k]

    def predict_after(self, visits: Sequence[Visit], at: int, k: int) -> list[str]:  # noqa: ARG002
        return self.slate[:k]


def served(guarded: Guarded, bought: Iterator[str]) -> list[list[str]]:
    found: list[list[str]] = []
    for at, item in enumerate(bought):
        found.append(guarded.predict("u", at, 1))
        guarded.observe("u", [item], at)
    return found


def test_a_plain_rule_leads_where_it_is_surely_ahead_and_only_there() -> None:
    def guarded() -> Guarded:
        return Guarded(learned=Fixed(["a"]), plain={"other": Fixed(["b"])})

    assert served(guarded(), iter("b" * 100))[-1] == ["b"]
    assert served(guarded(), iter("ab" * 50))[-1] == ["a"]
    assert served(guarded(), iter("b" * 10))[-1] == ["a"]
    back = served(guarded(), iter("b" * 100 + "a" * 500))
    assert back[110] == ["b"]
    assert back[-1] == ["a"]
    new = guarded()
    for at in range(100):
        new.predict(f"u{at}", at, 1)
        new.observe(f"u{at}", ["b"], at)
    assert new.predict_after([], 100, 1) == ["b"]
    assert new.predict_after([(["b"], at) for at in range(5)], 100, 1) == ["a"]
