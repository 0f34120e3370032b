"""The shipped prior of demand: what a population says of it, how it is judged, and that a seed says it all."""

from dataclasses import replace

import numpy as np
import pytest

from policies.orders import demand_training
from policies.orders.demand import FLAT, PRIOR
from policies.orders.demand_training import costs, foretold, likeliest, train
from policies.orders.foretold import Seen
from policies.orders.stocked import Life
from policies.tasks.assortment import draw


def life(rate: float, random: np.random.Generator, size: float = 1.0, days: int = 200) -> Life:
    counts = random.poisson(rate, days).tolist()
    seen = [Seen(1.0, float(n), 0.0, float(sum(int(random.geometric(1.0 / size)) for _ in range(n)))) for n in counts]
    return Life(cost=0.0, holding=0.0, sold=0.0, lost=0.0, seen=seen)


def test_what_skus_have_in_common_is_found() -> None:
    random = np.random.default_rng(2)
    found = likeliest([life(rate, random, size=1.6) for rate in random.gamma(0.8, 1.0 / 2.0, 400).tolist()])
    assert found["a"] / found["b"] == pytest.approx(0.4, rel=0.12)
    assert found["a"] == pytest.approx(0.8, rel=0.2)
    assert found["size"] == pytest.approx(1.6, rel=0.05)
    assert found["dispersion"] == pytest.approx(1.0, abs=0.05)


def test_a_currency_changes_no_cost() -> None:
    skus = draw(np.random.default_rng(1), 3, days=5)
    dear = [replace(sku, holding_cost=64.0, shortage_cost=64.0 * sku.shortage_cost) for sku in skus]
    assert costs(dear, PRIOR) == pytest.approx(costs(skus, PRIOR))


def test_a_seed_says_it_all_and_the_cheapest_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demand_training, "TRIED", {"hazard": (0.0, 0.5)})
    said: list[str] = []
    tensors, about = train(1, said.append, skus=12, days=12)
    again, same = train(1, said.append, skus=12, days=12)
    assert tensors.keys() == FLAT.keys()
    assert (tensors, about) == (again, same)
    tried = {float(one.split()[0]): float(one.split()[1]) for one in said[1].removeprefix("hazard: ").split(", ")}
    assert tensors["hazard"] == min(tried, key=lambda choice: tried[choice])
    assert tensors["half_life_days"] == FLAT["half_life_days"]
    assert {"cost_flat_prior", "cost_learned", "log_likelihood_flat_prior", "log_likelihood_learned"} <= about.keys()


def test_what_ships_beats_the_flat_prior_on_skus_of_no_shop_that_it_saw() -> None:
    skus = draw(np.random.default_rng(77), 60, days=60)
    assert foretold(skus, PRIOR) > foretold(skus, FLAT) + 0.01
