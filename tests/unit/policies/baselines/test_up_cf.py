"""UP-CF@r scores as the paper does: recent shares, and those of buyers who are alike."""

from policies.baselines.up_cf import UpCf


def _told(rule: UpCf) -> UpCf:
    for user, items in (("u", ["a", "b"]), ("u", ["a"]), ("v", ["a", "b", "c"]), ("w", ["d", "e"]), ("w", ["e"])):
        rule.observe(user, items, 0)
    return rule


def test_own_shares_come_before_those_of_buyers_alike() -> None:
    # u: a 1, b ½. w(u, v) = 2 / √(2 · 3), of v's a, b and c alike. Nothing is shared with w: e and d are filled up.
    assert _told(UpCf(alpha=0.5, q=1.0)).predict("u", 0, 5) == ["a", "b", "c", "e", "d"]


def test_only_the_last_r_baskets_count() -> None:
    rule = UpCf(r=1)
    for items in (["a"], ["a"], ["b"]):
        rule.observe("u", items, 0)
    assert rule.predict("u", 0, 1) == ["b"]
    rule.observe("v", ["c"], 0)
    assert rule.predict_after([(["a"], 0), (["a"], 0), (["c"], 0)], 0, 1) == ["c"]


def test_the_nearer_of_two_buyers_says_more() -> None:
    rule = UpCf(q=5.0)
    for user, items in (("x", ["a", "b", "near"]), ("y", ["a", "other", "far"]), ("u", ["a", "b"])):
        rule.observe(user, items, 0)
    assert rule.predict("u", 0, 3)[2] == "near"
