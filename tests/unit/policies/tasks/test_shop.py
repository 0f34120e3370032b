"""Drawn shops are what their numbers say, and the same from the same seed."""

from dataclasses import replace

import numpy as np

from policies.tasks.shop import DAY, OPENS, baskets, draw_task


def test_a_shop_is_its_seeds_and_no_others() -> None:
    task = replace(draw_task(1), households=8, days=40)
    log = list(baskets(task, 3))
    assert log == list(baskets(task, 3))
    assert log != list(baskets(task, 4))
    assert draw_task(1) == draw_task(1) != draw_task(2)


def test_baskets_are_in_order_and_hold_distinct_items_of_the_shop() -> None:
    task = replace(draw_task(5), households=10, days=60)
    log = list(baskets(task, 0))
    assert [basket.at for basket in log] == sorted(basket.at for basket in log)
    assert all(OPENS <= basket.at < OPENS + 61 * DAY for basket in log)
    assert all(0 < len(basket.items) == len(set(basket.items)) for basket in log)
    assert {item for basket in log for item in basket.items} <= {f"i{item}" for item in range(task.items)}
    assert len({task.kind_of(f"i{item}") for item in range(task.items)}) == task.kinds


def test_the_faithful_buy_again_what_they_had() -> None:
    def again(faithful: float) -> float:
        task = replace(draw_task(7), households=10, days=120, items=400, faithful=faithful, rests=0.0)
        had: dict[str, set[str]] = {}
        shares: list[float] = []
        for _, user, items in baskets(task, 1):
            shares.append(float(np.mean([item in had.get(user, set()) for item in items])))
            had.setdefault(user, set()).update(items)
        return float(np.mean(shares))

    assert again(0.9) > again(0.0) + 0.2
