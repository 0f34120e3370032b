"""Every rule that names a household's next basket keeps the contract of policies/baselines/next_basket.py.

A new one joins by its name in `tradewind evaluate next-basket`.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

import pytest

from infra.evaluate.next_basket import MAKERS, POLICIES, Given
from policies.baselines.next_basket import ColdStart, Personal
from policies.tasks.shop import DAY, Basket, ShopTask, baskets

TASK: Final = ShopTask(
    households=8, items=40, kinds=5, days=60, gap_days=6.0, size=2.0, faithful=0.7, skew=0.8, promotion=4.0, rests=0.0
)
KINDS: Final = {f"i{item}": TASK.kind_of(f"i{item}") for item in range(0, TASK.items, 2)}  # of the others none is told
LOG: Final = tuple(baskets(TASK, 3))[:60]
K: Final = 10
NOW: Final = LOG[-1].at + DAY
STRANGER: Final = "never seen"
ALIKE: Final = {"global-popularity"}  # these tell no household from another

rules = pytest.mark.parametrize("name", POLICIES)

Slates = list[list[str]]


def made(name: str, k: int = K, seed: int = 0) -> ColdStart:
    return MAKERS[name](Given(KINDS, seed, k))


def served(rule: ColdStart, log: Sequence[Basket], k: int = K) -> Slates:
    """What was named before each basket, as `evaluate` asks."""
    found: Slates = []
    for at, user, items in log:
        found.append(rule.predict(user, at, k))
        rule.observe(user, list(items), at)
    return found


def then(rule: ColdStart, at: int = NOW, k: int = K) -> Slates:
    """What is named afterwards: to a household, a stranger, and those of whom two visits are known, and none."""
    visits = [(items, at) for at, _, items in LOG[-2:]]
    asked = [rule.predict(user, at, k) for user in (LOG[-1].user, STRANGER)]
    return [*asked, rule.predict_after(visits, at, k), rule.predict_after([], at, k)]


@cache
def usual(name: str) -> tuple[Slates, Slates]:
    rule = made(name)
    return served(rule, LOG), then(rule)


@rules
def test_the_same_seed_and_log_name_the_same(name: str) -> None:
    rule = made(name)
    assert (served(rule, LOG), then(rule)) == usual(name)
    assert then(rule) == usual(name)[1]  # nor does asking again change it


@rules
@pytest.mark.parametrize("k", [1, K, 50])
def test_a_slate_holds_each_known_item_once_and_is_as_long_as_it_can_be(name: str, k: int) -> None:
    rule, known = made(name, k), set[str]()
    for (_, _, items), slate in zip(LOG, served(rule, LOG, k), strict=True):
        assert len(slate) == len(set(slate)) <= k
        assert known.issuperset(slate)
        known.update(items)
    for slate in then(rule, k=k):
        assert len(slate) == len(set(slate)) == min(k, len(known))
        assert known.issuperset(slate)


@rules
def test_an_empty_shop_names_nothing_of_its_own(name: str) -> None:
    rule = made(name)
    assert rule.predict(STRANGER, NOW, K) == rule.predict_after([], NOW, K) == []
    assert {"milk", "bread"}.issuperset(rule.predict_after([(["milk", "bread"], NOW - DAY)], NOW, K))
    rule.observe("u", ["milk"], NOW)
    assert rule.predict(STRANGER, NOW + DAY, K) == ["milk"]


@rules
def test_what_it_is_asked_about_is_no_visit(name: str) -> None:
    """Neither strangers nor visits that a question made up leave a trace, be it of items that nobody bought."""
    rule = made(name)
    found: Slates = []
    for n, (at, user, items) in enumerate(LOG):
        made_up = [([f"i{n % 40}", f"odd {n}"], at - DAY), (["i1", "i39"], at - 1)]
        rule.predict_after(made_up[: 1 + n % 2], at, K)
        rule.predict(STRANGER, at, K)
        found.append(rule.predict(user, at, K))
        rule.observe(user, items, at)
    assert (found, then(rule)) == usual(name)


@rules
def test_what_it_was_given_and_what_it_gave_are_not_its_own(name: str) -> None:
    rule = made(name)
    for at, user, items in LOG:
        slate, mine = rule.predict(user, at, K), list(items)
        slate.clear()
        rule.observe(user, mine, at)
        assert mine == items
        mine.clear()
    assert then(rule) == usual(name)[1]


@rules
def test_neither_what_households_are_called_nor_the_year_matters(name: str) -> None:
    weeks = 1_000 * 7 * DAY
    called = {user: f"{9 - n} of {user}" for n, user in enumerate(dict.fromkeys(basket.user for basket in LOG))}
    moved = [Basket(at + weeks, called[user], items) for at, user, items in LOG]
    assert served(made(name), moved) == usual(name)[0]


@rules
def test_a_household_gets_what_it_always_buys_and_a_stranger_what_sells(name: str) -> None:
    rule = made(name)
    served(rule, LOG)
    for day in range(20):
        rule.observe("faithful", ["i38"], NOW + day * DAY)
        rule.observe("another", ["i1", "i2", "i3"], NOW + day * DAY + 1)
    faithful, stranger = (rule.predict(user, NOW + 20 * DAY, K) for user in ("faithful", STRANGER))
    assert stranger[0] in {"i1", "i2", "i3"}
    assert faithful[0] == (stranger[0] if name in ALIKE else "i38")


@rules
def test_a_shop_that_stood_still_for_decades_goes_on(name: str) -> None:
    rule, decades = made(name), 40 * 365 * DAY
    served(rule, LOG)
    for slate in then(rule, NOW + decades):
        assert len(slate) == len(set(slate)) == K
    again = [basket._replace(at=basket.at + decades) for basket in LOG]
    assert len(served(rule, again)[-1]) == K
    assert LOG[-1].items[0] in rule.predict_after([(LOG[-1].items, NOW + decades - 1)], NOW + decades, K)


@pytest.mark.parametrize("name", [name for name in POLICIES if isinstance(made(name), Personal)])
def test_who_is_forgotten_is_a_stranger(name: str) -> None:
    rule = made(name)
    served(rule, LOG)
    assert isinstance(rule, Personal)
    rule.forget(LOG[-1].user)
    rule.forget(STRANGER)
    assert rule.predict(LOG[-1].user, NOW, K) == rule.predict(STRANGER, NOW, K)
