"""Drawn shops served by the live agents: what comes of them is what the training of the prior over slates reads."""

from dataclasses import replace
from functools import cache

import numpy as np

from infra.evaluate.shop_log import K, basket_log, log_of
from infra.versions.rehearsal import rehearse
from policies.slates.recommend import FEATURES, FLAT
from policies.slates.training import Played
from policies.tasks.shop import draw_task
from policies.tasks.tastes import draw_shop, touches

TASK = replace(draw_task(5), households=12, items=80, days=120, gap_days=6.0, size=2.0)
SHOP = replace(draw_shop(3), users=25, days=60, gap_days=6.0)


@cache
def played() -> Played:
    found = rehearse((TASK, 5), FLAT)
    assert found is not None
    return found


def test_slates_are_told_with_what_was_bought_and_how_they_were_drawn() -> None:
    episodes = [one for stream in played().streams for one in stream]
    assert len(played().streams) == 12
    assert max(len(one.y) for one in episodes) == K
    assert all(one.phi.shape == (len(one.y), len(FEATURES)) and one.drawn for one in episodes)
    assert 0.0 < np.mean([one.y.mean() for one in episodes]) < 1.0
    assert played().variance.shape == (len(FEATURES),)
    assert played().variance[FEATURES.index("bought_before")] > 0.0
    assert played().variance[0] == 0.0  # the bias doesn't spread


def test_a_prior_that_knows_what_a_household_buys_recalls_more_than_one_that_knows_nothing() -> None:
    nothing = rehearse((TASK, 5), FLAT | {"mean": [0.0] * len(FEATURES)})
    assert nothing is not None
    assert played().recall > nothing.recall + 0.05


def test_a_shop_is_passed_over_where_little_happens() -> None:
    assert rehearse((replace(TASK, days=1), 5), FLAT) is None
    assert rehearse(replace(SHOP, days=1), FLAT) is None


def test_what_a_log_asks_is_asked_before_it_happens_and_prices_are_told() -> None:
    for log in (log_of(SHOP), basket_log(TASK, 5)):
        assert log is not None
        at = {one.event_id: int(one.occurred_at) for one in log.events}
        assert all(
            int(one.occurred_at) <= int(after.occurred_at)
            for one, after in zip(log.events, log.events[1:], strict=False)
        )
        for one in log.questions:
            bought = [e for e in log.events if e.type == "purchase" and at[one.event_id] < int(e.occurred_at)]
            assert set(one.wanted) <= {e.item_id for e in bought}
    taste = log_of(SHOP)
    assert taste is not None
    assert all(one.price for one in taste.events if one.item_id is not None)
    assert len([one for one in taste.events if one.item_id is not None]) == len(touches(SHOP))
