"""What goes with the last basket lifts what the household never bought, and nothing else does."""

from policies.baselines.co_purchase import CoPurchase
from policies.baselines.next_basket import DAY, DecayedPersonal


def test_a_companion_of_the_last_basket_is_named() -> None:
    rule, without = CoPurchase(), DecayedPersonal()
    for number in range(200):
        for each in (rule, without):
            each.observe(f"v{number % 7}", ["tea", "lemon"], 0)
            each.observe(f"w{number % 7}", [f"x{number % 20}"], 0)
    now = int(30 * DAY)
    for each in (rule, without):
        each.observe("u", ["tea"], now)
        for number in range(1000):
            each.observe(f"w{number}", [f"x{number}"], now)
    assert set(rule.predict("u", now, 2)) == {"tea", "lemon"}
    assert "lemon" not in without.predict("u", now, 2)
    assert set(rule.predict_after([(["tea"], now)], now, 2)) == {"tea", "lemon"}
    assert "lemon" not in rule.predict_after([], now, 2)
