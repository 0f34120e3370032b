"""Training what ships of replenishment: a seed says it all, a step moves the weights, and both parts are there."""

import numpy as np

from policies.orders.censored_demand import DISPERSIONS, MEANS
from policies.orders.demand import FLAT, SCHEMA
from policies.orders.network import TENSORS, WIDTH
from policies.training.replenishment import train


def test_a_seed_says_it_all_and_weights_are_finite() -> None:
    said: list[str] = []
    once, about = train(1, said.append, skus=8, days=3, steps=1, lanes=16)
    again, _ = train(1, said.append, skus=8, days=3, steps=1, lanes=16)
    assert about["schema"] == SCHEMA
    assert once["w1"].shape[0] == WIDTH
    assert once["prior"].shape == (MEANS, len(DISPERSIONS))
    assert all(np.array_equal(once[name], again[name]) for name in once)
    assert all(np.isfinite(each).all() for each in once.values())
    assert once["w3"].any()  # it has moved from where it adds nothing
    assert once.keys() == {*TENSORS, *FLAT}
    assert {"steps", "lanes", "skus", "cost_learned"} <= about.keys()
    assert any("step 1 of 1" in line for line in said)
