"""The rules that a recommender has to beat do what they say."""

import random

import pytest

from policies.baselines.co_purchase import CoPurchase
from policies.baselines.next_basket import DAY, ColdStart, DecayedPersonal, GlobalPopularity, PersonalFrequency
from policies.baselines.tifu_knn import TifuKnn
from policies.baselines.up_cf import UpCf

RULES = {
    "global": GlobalPopularity,
    "personal": PersonalFrequency,
    "decayed": DecayedPersonal,
    "co-purchase": CoPurchase,
    "tifu-knn": TifuKnn,
    "up-cf": UpCf,
}

Seen = list[tuple[str, list[str], int]]


def shopping(seed: int, baskets: int) -> Seen:
    draw = random.Random(seed)
    at, seen = 0, Seen()
    for _ in range(baskets):
        at += draw.randrange(int(DAY))
        items = {f"i{min(int(draw.paretovariate(0.7)), 60)}" for _ in range(draw.randint(1, 6))}
        seen.append((f"u{draw.randrange(4)}", sorted(items), at))
    return seen


@pytest.mark.parametrize("name", RULES)
def test_a_slate_has_distinct_items_and_no_more_than_asked_for(name: str) -> None:
    rule: ColdStart = RULES[name]()
    assert rule.predict("nobody", 0, 10) == []
    seen = shopping(1, 300)
    for user, items, at in seen:
        slate = rule.predict(user, at, 10)
        assert len(slate) == len(set(slate)) <= 10
        rule.observe(user, items, at)
    assert len(rule.predict("a stranger", seen[-1][2], 10)) == 10


@pytest.mark.parametrize("name", RULES)
def test_a_household_whose_every_visit_is_told_is_the_household(name: str) -> None:
    rule: ColdStart = RULES[name]()
    seen = shopping(2, 200)
    for user, items, at in seen:
        rule.observe(user, items, at)
    visits = [(items, at) for user, items, at in seen if user == "u1"]
    now = seen[-1][2] + int(DAY)
    assert rule.predict_after(visits[:0], now, 10) == rule.predict_after([], now, 10)
    if name == "tifu-knn":  # which keeps the household itself among the neighbours of a stranger
        rule.alpha = 1.0  # pyright: ignore[reportAttributeAccessIssue]
    if name == "up-cf":  # likewise
        rule.q = 1e6  # pyright: ignore[reportAttributeAccessIssue]
    assert rule.predict_after(visits, now, 10) == rule.predict("u1", now, 10)


def test_personal_frequency_is_filled_up_by_what_sells_most() -> None:
    rule = PersonalFrequency()
    rule.observe("u", ["rare"], 0)
    for _ in range(3):
        rule.observe("v", ["milk", "bread"], 0)
    rule.observe("v", ["milk"], 0)
    assert rule.predict("u", 0, 3) == ["rare", "milk", "bread"]


@pytest.mark.parametrize("seed", range(5))
def test_decayed_personal_is_its_formula_though_it_looks_at_few_items(seed: int) -> None:
    rule = DecayedPersonal(half_life=30 * DAY, weight=20.0)
    seen = shopping(seed, 400)
    for user, items, at in seen:
        rule.observe(user, items, at)
    now = seen[-1][2] + int(DAY)
    share: dict[str, float] = {}
    mine: dict[str, float] = {}
    for user, items, at in seen:
        for item in items:
            share[item] = share.get(item, 0.0) + 0.5 ** ((now - at) / DAY)
            mine[item] = mine.get(item, 0.0) + (user == "u1") * 0.5 ** ((now - at) / (30 * DAY))
    total = sum(share.values())
    scores = {item: mine[item] + 20.0 * share[item] / total for item in share}
    got = [scores[item] for item in rule.predict("u1", now, 10)]
    assert got == pytest.approx(sorted(scores.values(), reverse=True)[:10])


def test_of_what_a_household_bought_as_often_the_popular_comes_first() -> None:
    rule = PersonalFrequency()
    for user, items in (
        ("v", ["tea"]),
        ("w", ["tea", "oats"]),
        ("u", ["bread", "oats", "tea", "salt"]),
        ("u", ["salt"]),
    ):
        rule.observe(user, items, 0)
    assert rule.predict("u", 0, 3) == ["salt", "tea", "oats"]
    assert rule.predict_after([(["bread", "oats", "tea"], 0)], 0, 2) == ["tea", "oats"]
