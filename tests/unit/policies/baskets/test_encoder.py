"""The network's gradient is its loss's, and an item's score is its own."""

import numpy as np
import pytest

from policies.baskets.encoder import Learner, Weights, forward, residual, scores, softmax, untrained
from policies.linalg import Floats

F, C = 5, 7


def some(seed: int) -> tuple[Weights, Floats, Floats]:
    rng = np.random.default_rng(seed)
    weights = untrained(rng.normal(size=F), rng.uniform(0.5, 2.0, F), seed, hidden=4)
    arrays = {name: array + 0.3 * rng.normal(size=array.shape) for name, array in weights.arrays().items()}
    arrays["scale"] = weights.scale
    target = np.where(np.arange(C) < 2, 0.25, 0.0)
    return Weights.of(arrays), rng.normal(size=(F, C)), target


def loss(weights: Weights, phi: Floats, target: Floats) -> float:
    return -float(target @ np.log(softmax(forward(weights, phi).scores)))


@pytest.mark.parametrize("name", ["inner", "bias", "outer", "direct"])
def test_a_step_goes_down_the_slope_of_the_loss(name: str) -> None:
    weights, phi, target = some(1)
    learner = Learner(weights=weights, batch=2)
    found = forward(weights, phi)
    learner.learn(found, residual(found.scores, target))
    array: Floats = getattr(weights, name)
    numeric = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        nudged = {each: np.array(values) for each, values in weights.arrays().items()}
        nudged[name][place] += 1e-6
        numeric[place] = (loss(Weights.of(nudged), phi, target) - loss(weights, phi, target)) / 1e-6
    assert learner.held[name] == pytest.approx(numeric, abs=1e-5)


def test_learning_lowers_the_loss_and_leaves_the_old_weights_alone() -> None:
    weights, phi, target = some(2)
    learner = Learner(weights=weights, rate=1e-2, batch=1)
    before = loss(weights, phi, target)
    for _ in range(50):
        found = forward(learner.weights, phi)
        learner.learn(found, residual(found.scores, target))
    assert loss(learner.weights, phi, target) < before - 0.1
    assert loss(weights, phi, target) == before


def test_an_items_score_does_not_depend_on_the_others() -> None:
    weights, phi, _ = some(3)
    together = scores(weights, phi)
    assert together == pytest.approx(forward(weights, phi).scores)
    for item in range(C):
        assert scores(weights, phi[:, item : item + 1])[0] == together[item]
        assert scores(weights, np.flip(phi, axis=1))[C - 1 - item] == together[item]


def test_weights_that_are_none_are_refused() -> None:
    arrays = some(4)[0].arrays()
    with pytest.raises(ValueError, match="lack outer"):
        Weights.of({name: array for name, array in arrays.items() if name != "outer"})
    with pytest.raises(ValueError, match="bias must have the shape"):
        Weights.of({**arrays, "bias": np.zeros(99)})
    with pytest.raises(ValueError, match="finite"):
        Weights.of({**arrays, "outer": np.full(4, np.nan)})
