"""Meta-training gives weights that know something, the same from the same seed."""

from dataclasses import replace

import numpy as np

from policies.baskets.encoder import SCHEMA, Weights
from policies.baskets.features import FEATURES
from policies.baskets.training import Log, collect, fit, learn, train
from policies.tasks.shop import baskets, draw_task


def test_the_loss_falls_and_the_same_seed_gives_the_same_weights() -> None:
    task = replace(draw_task(3), households=10, days=80, items=60, faithful=0.7)
    log = list(baskets(task, 0))
    told: list[str] = []
    cases = collect(log, {}, 60, np.random.default_rng(1))
    assert 30 < len(cases) <= 60
    weights = fit(cases, 0, 6, np.random.default_rng(2), told.append)
    losses = [float(line.rsplit(" ", 1)[1]) for line in told]
    assert losses[-1] < losses[0]
    again = fit(cases, 0, 6, np.random.default_rng(2), told.append)
    assert all((array == again.arrays()[name]).all() for name, array in weights.arrays().items())
    assert learn is not None


def test_what_it_gives_is_an_artefact_of_the_encoder() -> None:
    task = replace(draw_task(3), households=6, days=60, items=40)
    log = Log(name="a log", baskets=list(baskets(task, 0)), kinds={}, weight=0.005)
    tensors, about = train(0, lambda _: None, logs=[log], drawn=0, epochs=1)
    assert about["schema"] == SCHEMA
    assert about["features"].split(",") == list(FEATURES)
    assert Weights.of(tensors).direct.shape == (len(FEATURES),)
    assert "a log" in about["trained_on"]
