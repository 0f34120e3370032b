"""Estimators on logs small enough to enumerate, and what must hold of any log."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.estimators.judged import Judged
from policies.estimators.logged import Floats, Logged, Slates
from policies.estimators.terms import Terms
from tests.benchmarks.coverage import log_of

TERMS = Terms(replicates=20, buckets=64)


def some(n: int, seed: int, *, model: bool = True) -> Logged:
    rng = np.random.default_rng(seed)
    p, pi = rng.uniform(0.05, 1, n), rng.uniform(0, 1, n)
    rows: dict[str, Floats] = {"reward": rng.normal(size=n), "propensity": p, "target_propensity": pi}
    if model:
        rows |= {"q_logged": rng.normal(size=n), "v_target": rng.normal(size=n)}
        rows |= {"q_mrdr": rng.normal(size=n), "v_mrdr": rng.normal(size=n)}
    return Logged(**rows, cluster=rng.integers(0, 50, n).astype(np.uint64))


def part(rows: Logged, rows_of: slice) -> Logged:
    return Logged(
        **{name: getattr(rows, name)[rows_of] for name in Logged.__slots__ if getattr(rows, name) is not None}
    )


def values(judged: Judged) -> dict[str, tuple[float, ...]]:
    found = judged.result().estimators
    return {name: (e.value, e.low, e.high, *e.intervals["bootstrap"], e.ess) for name, e in found.items()}


@given(cut=st.integers(0, 60), seed=st.integers(0, 5))
@settings(max_examples=5, deadline=None)
def test_merged_parts_are_the_whole(cut: int, seed: int) -> None:
    rows = some(60, seed)
    whole = Judged.of(rows, TERMS, {"immature": 3})
    parts = Judged.of(part(rows, slice(0, cut)), TERMS, {"immature": 1}) + Judged.of(
        part(rows, slice(cut, None)), TERMS, {"immature": 2}
    )
    ours, theirs = values(whole), values(parts)
    assert ours.keys() == theirs.keys() == {
        "ips", "clipped-ips", "snips", "dm", "dr", "sndr", "switch-dr", "dros", "mrdr"
    }  # fmt: skip
    for name, found in ours.items():
        assert found == pytest.approx(theirs[name], rel=1e-4, nan_ok=True), name  # ends are searched for to 1e-4
        assert found[0] == pytest.approx(theirs[name][0], rel=1e-9, abs=1e-12), name
    one, other = whole.result(), parts.result()
    assert (one.n, one.max_weight, one.verdict, one.excluded) == (
        other.n, other.max_weight, other.verdict, other.excluded
    )  # fmt: skip
    assert (one.overlap.bins == other.overlap.bins).all()


def test_the_same_order_of_merging_gives_the_same_bits() -> None:
    rows = some(500, 1)
    parts = [Judged.of(part(rows, slice(i, i + 100)), TERMS) for i in range(0, 500, 100)]
    again = [Judged.of(part(rows, slice(i, i + 100)), TERMS) for i in reversed(range(0, 500, 100))][::-1]
    first = sum(parts, start=Judged.nothing(TERMS)).result().as_dict()
    assert first == sum(again, start=Judged.nothing(TERMS)).result().as_dict()


def _enumerated(seed: int) -> tuple[list[tuple[float, Logged]], float, Floats]:
    """Each log of one row that can come about in a world of 2 contexts, 3 actions and 2 rewards, with its chance."""
    rng = np.random.default_rng(seed)
    p, pi = rng.dirichlet(np.ones(3), 2), rng.dirichlet(np.ones(3), 2)
    mean, q = rng.uniform(0.1, 0.9, (2, 3)), rng.uniform(0, 1, (2, 3))
    v = (pi * q).sum(axis=1)
    logs: list[tuple[float, Logged]] = []
    for x, a, r in product(range(2), range(3), range(2)):
        chance = 0.5 * p[x, a] * (mean[x, a] if r else 1 - mean[x, a])
        one = {"reward": float(r), "propensity": p[x, a], "target_propensity": pi[x, a]}
        one |= {"q_logged": q[x, a], "v_target": v[x], "q_mrdr": q[x, a] ** 2, "v_mrdr": (pi * q**2).sum(axis=1)[x]}
        columns: dict[str, Floats] = {k: np.array([float(y)]) for k, y in one.items()}
        logs.append((chance, Logged(**columns, cluster=np.zeros(1, dtype=np.uint64))))
    return logs, float((pi * mean).sum(axis=1).mean()), v


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["ips", "dr", "mrdr"])
def test_unbiased_where_it_is_promised(name: str, seed: int) -> None:
    logs, truth, _ = _enumerated(seed)
    expected = sum(chance * Judged.of(rows, TERMS).result().estimators[name].value for chance, rows in logs)
    assert expected == pytest.approx(truth, rel=1e-12)


def test_dm_averages_what_the_model_says() -> None:
    logs, _, v = _enumerated(0)
    expected = sum(chance * Judged.of(rows, TERMS).result().estimators["dm"].value for chance, rows in logs)
    assert expected == pytest.approx(float(v.mean()))


def test_what_each_becomes_at_its_limits() -> None:
    rows = some(300, 3)
    zero = Logged(
        reward=rows.reward, propensity=rows.propensity, target_propensity=rows.target_propensity, cluster=rows.cluster,
        q_logged=np.zeros(300), v_target=np.zeros(300),
    )  # fmt: skip
    without = Judged.of(zero, TERMS).result().estimators
    assert without["dr"].value == pytest.approx(without["ips"].value)
    assert without["sndr"].value == pytest.approx(without["snips"].value)
    assert without["dr"].low == pytest.approx(without["ips"].low, rel=0.02)  # its atoms lie nearer

    def value(name: str, **terms: float) -> float:
        return Judged.of(rows, Terms(replicates=1, buckets=64, **terms)).result().estimators[name].value  # type: ignore[arg-type]

    assert value("switch-dr", switch=1e9) == pytest.approx(value("dr"))
    assert value("switch-dr", switch=0.0) == pytest.approx(value("dm"))
    assert value("dros", shrink=1e15) == pytest.approx(value("dr"))
    assert value("dros", shrink=0.0) == pytest.approx(value("dm"))
    assert value("clipped-ips", clip=1e9) == pytest.approx(value("ips"))
    assert value("clipped-ips", clip=1.0) != pytest.approx(value("ips"))


@given(scale=st.floats(0.01, 100), shift=st.floats(-3, 3))
@settings(max_examples=8, deadline=None)
def test_intervals_follow_the_unit_and_the_origin_of_rewards(scale: float, shift: float) -> None:
    rows = replace(log_of("light", 150, 4), q_logged=None, v_target=None)
    moved = Logged(
        reward=rows.reward * scale + shift, propensity=rows.propensity,
        target_propensity=rows.target_propensity, cluster=rows.cluster,
    )  # fmt: skip
    one, other = (Judged.of(each, TERMS).result().estimators["snips"] for each in (rows, moved))
    wide = one.high - one.low
    for name in ("value", "low", "high"):
        wanted = getattr(one, name) * scale + shift
        assert getattr(other, name) == pytest.approx(wanted, abs=2e-3 * wide * scale), name


def test_terms_and_models_must_agree() -> None:
    rows = some(10, 5)
    with pytest.raises(ValueError, match="terms"):
        _ = Judged.of(rows, TERMS) + Judged.of(rows, Terms(clip=3.0))
    with pytest.raises(ValueError, match="reward model"):
        _ = Judged.of(rows, TERMS) + Judged.of(some(10, 5, model=False), TERMS)


@pytest.mark.parametrize("wrong", [0.0, -0.1, 1.5, float("nan")])
def test_rows_that_can_not_be_are_refused(wrong: float) -> None:
    zero, cluster = np.zeros(1), np.zeros(1, dtype=np.uint64)
    with pytest.raises(ValueError, match="propensity"):
        Logged(reward=zero, target_propensity=zero, cluster=cluster, propensity=np.array([wrong]))


# ---- Slates ----------------------------------------------------------------------------------------------------------


def _slates(seed: int, reward: str) -> tuple[list[tuple[float, Slates]], float]:
    """All slates of 2 slots with 3 items each, filled independently; rewards by slot, and their true sum."""
    rng = np.random.default_rng(seed)
    p, pi = rng.dirichlet(np.ones(3), 2), rng.dirichlet(np.ones(3), 2)
    own, pair = rng.normal(size=(2, 3)), rng.normal(size=(3, 3))
    logs: list[tuple[float, Slates]] = []
    truth = 0.0
    later = pi[1] @ (pair if reward == "cascade" else np.broadcast_to(own[1], (3, 3))).T  # [a] of slot 2 after a
    q_first, q_second = own[0] + later * 0.7, own[1] + 0.1
    for a, b in product(range(3), range(3)):
        r = np.array([own[0, a], pair[a, b] if reward == "cascade" else own[1, b]])
        truth += pi[0, a] * pi[1, b] * float(r.sum())
        rows = Slates(
            reward=r[None],
            propensity=np.array([[p[0, a], p[1, b]]]),
            target_propensity=np.array([[pi[0, a], pi[1, b]]]),
            cluster=np.zeros(1, dtype=np.uint64),
            q_logged=np.array([[q_first[a], q_second[b]]]),
            v_target=np.array([[pi[0] @ q_first, pi[1] @ q_second]]),
        )
        logs.append((float(p[0, a] * p[1, b]), rows))
    return logs, truth


@pytest.mark.parametrize(
    ("world", "right", "wrong"),
    [
        ("own", ["iips", "rips", "pi", "ips", "cascade-dr", "pddr"], []),
        ("cascade", ["rips", "ips", "cascade-dr"], ["iips"]),
    ],
)
def test_slate_estimators_are_right_where_their_assumption_holds(
    world: str, right: list[str], wrong: list[str]
) -> None:
    logs, truth = _slates(2, world)
    found = {
        name: sum(chance * Judged.of(rows, TERMS).result().estimators[name].value for chance, rows in logs)
        for name in [*right, *wrong]
    }
    for name in right:
        assert found[name] == pytest.approx(truth), name
    for name in wrong:
        assert found[name] != pytest.approx(truth, rel=1e-3), name


def test_a_shorter_slate_is_as_if_its_other_slots_were_not_there() -> None:
    one, two = np.array([[0.5]]), np.array([[0.5, np.nan]])
    cluster = np.zeros(1, dtype=np.uint64)
    short = Slates(reward=one, propensity=one, target_propensity=one / 2, cluster=cluster)
    padded = Slates(
        reward=two, propensity=two, target_propensity=two / 2, cluster=cluster, filled=np.array([[True, False]])
    )
    for name in ("iips", "rips", "pi", "ips"):
        assert Judged.of(short, TERMS).result().estimators[name].value == pytest.approx(
            Judged.of(padded, TERMS).result().estimators[name].value
        ), name
