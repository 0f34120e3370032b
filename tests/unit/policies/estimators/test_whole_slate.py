"""Slates as one action: without bias whatever the user does, on a world small enough to enumerate."""

from itertools import permutations

import numpy as np
import pytest

from policies.estimators.judged import Judged
from policies.estimators.logged import Floats, Slates
from policies.estimators.terms import Terms

TERMS = Terms(replicates=5, buckets=64)


def world(seed: int) -> tuple[list[tuple[float, Slates]], float, float]:
    """Slates of 2 of 3 items, whose rewards hang on the whole slate; each with its chance. The truth, and V_1."""
    rng = np.random.default_rng(seed)
    a, b = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(3))  # what logged and target policy like
    reward, first, second = rng.normal(size=(3, 3, 2)), rng.normal(size=3), rng.normal(size=(3, 3))
    v2 = {i: sum(b[j] / (1 - b[i]) * second[i, j] for j in range(3) if j != i) for i in range(3)}
    logs: list[tuple[float, Slates]] = []
    truth, v1 = 0.0, float((b * first).sum())
    for i, j in permutations(range(3), 2):
        p, pi = (a[i], a[j] / (1 - a[i])), (b[i], b[j] / (1 - b[i]))
        truth += pi[0] * pi[1] * reward[i, j].sum()
        columns: dict[str, Floats] = {
            name: np.array([each], dtype=np.float64)
            for name, each in {
                "reward": reward[i, j], "propensity": p, "target_propensity": pi,
                "q_logged": (first[i], second[i, j]), "v_target": (v1, v2[i]),
            }.items()
        }  # fmt: skip
        rows = Slates(**columns, cluster=np.zeros(1, dtype=np.uint64))  # pyright: ignore[reportArgumentType] # no `filled`
        logs.append((p[0] * p[1], rows))
    return logs, float(truth), v1


@pytest.mark.parametrize("seed", range(3))
def test_dr_is_unbiased_though_a_reward_hangs_on_what_stands_below(seed: int) -> None:
    logs, truth, v1 = world(seed)
    means: dict[str, float] = {}
    for chance, rows in logs:
        for name, one in Judged.of(rows, TERMS).result().estimators.items():
            means[name] = means.get(name, 0.0) + chance * one.value
    assert means["dr"] == pytest.approx(truth)
    assert means["ips"] == pytest.approx(truth)
    assert means["dm"] == pytest.approx(v1)
    assert means["rips"] != pytest.approx(truth)  # it takes for granted what doesn't hold here
    assert means.keys() >= {"snips", "clipped-ips", "sndr", "switch-dr", "dros"}


def test_a_right_model_leaves_nothing_to_weigh() -> None:
    rng = np.random.default_rng(0)
    q, v = rng.normal(size=(50, 3)), rng.normal(size=(50, 3))
    reward = q - np.concatenate([v[:, 1:], np.zeros((50, 1))], axis=1)
    p, pi = rng.uniform(0.1, 1, (50, 3)), rng.uniform(0, 1, (50, 3))
    rows = Slates(
        reward=reward, propensity=p, target_propensity=pi, cluster=np.arange(50, dtype=np.uint64),
        q_logged=q, v_target=v,
    )  # fmt: skip
    found = Judged.of(rows, TERMS).result().estimators
    assert all(found[name].value == pytest.approx(found["dm"].value) for name in ("dr", "switch-dr", "dros", "sndr"))


def test_without_a_model_it_is_ips_and_long_slates_do_not_vanish() -> None:
    rng = np.random.default_rng(1)
    p = np.full((40, 800), 0.1)
    pi = p * rng.uniform(0.999, 1.001, p.shape)
    rows = Slates(
        reward=rng.normal(size=p.shape), propensity=p, target_propensity=pi, cluster=np.arange(40, dtype=np.uint64)
    )
    found = Judged.of(rows, TERMS).result().estimators
    assert found["clipped-ips"].value == pytest.approx(found["ips"].value)
    assert found["snips"].ess > 35
    assert found["clipped-ips"].low <= found["ips"].value <= found["clipped-ips"].high
    assert "dr" not in found
