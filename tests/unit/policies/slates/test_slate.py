"""Slates: propensities are exactly the probabilities with which slates come, and a slate never minds its neighbours."""

from collections import Counter
from itertools import permutations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.draws import seed_of, uniforms
from policies.linalg import Floats
from policies.slates.evidence import GaussianPrior
from policies.slates.slate import BLOCK, DRAWS, MAX_CANDIDATES, Query, choose, highest, slot_propensities

D = 5
PRIOR = GaussianPrior(mean=np.linspace(0.0, 1.0, D), precision=40.0 * np.eye(D), noise=0.2)


def query(rng: np.random.Generator, candidates: int, size: int = 10) -> Query:
    known = rng.random((3, D))
    return Query(
        phi=rng.random((candidates, D)),
        precision=known.T @ known,
        shift=rng.random(D),
        seed=int(rng.integers(2**63)),
        size=size,
    )


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    counts=st.lists(st.integers(0, MAX_CANDIDATES) | st.just(MAX_CANDIDATES), min_size=1, max_size=2 * BLOCK),
    temperature=st.sampled_from([0.05, 1e-3, 1e-4]),
)
def test_a_slate_never_depends_on_its_neighbours(seed: int, counts: list[int], temperature: float) -> None:
    rng = np.random.default_rng(seed)
    queries = [query(rng, count, size=int(rng.integers(1, 30))) for count in counts]
    together = choose(queries, PRIOR, temperature)
    alone = [choose([one], PRIOR, temperature)[0] for one in queries]
    assert together == alone
    order: list[int] = rng.permutation(len(queries)).tolist()
    shuffled = choose([queries[place] for place in order], PRIOR, temperature)
    assert shuffled == [together[place] for place in order]


def test_a_slate_has_distinct_candidates_and_proper_propensities() -> None:
    rng = np.random.default_rng(1)
    for count in (0, 1, 3, 10, 50, 100):
        slate = choose([query(rng, count)], PRIOR, 0.05)[0]
        assert len(slate.chosen) == len(set(slate.chosen)) == min(10, count)
        assert all(0 <= place < count for place in slate.chosen)
        assert all(0.0 < p <= 1.0 for p in slate.slot_propensities)
        assert slate.propensity == pytest.approx(np.prod(slate.slot_propensities))


def plackett_luce(scores: Floats, ranking: tuple[int, ...]) -> float:
    """The textbook product, for one draw."""
    left, p = list(range(len(scores))), 1.0
    for place in ranking:
        weights = np.exp(scores[left])
        p *= float(np.exp(scores[place]) / weights.sum())
        left.remove(place)
    return p


def test_propensities_are_the_mixtures() -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(DRAWS, 4))
    for ranking in permutations(range(4)):
        expected = np.mean([plackett_luce(scores, ranking) for scores in logits])
        found = slot_propensities(logits[:, None], np.array([ranking]))[0]
        assert np.prod(found) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("spread", [1.0, 30.0, 300.0, 3000.0])  # exp(-3000) is 0
def test_propensities_of_all_rankings_sum_to_one(spread: float) -> None:
    logits = np.random.default_rng(3).normal(scale=spread, size=(DRAWS, 1, 4))
    found = [slot_propensities(logits, np.array([ranking])).prod() for ranking in permutations(range(4))]
    assert sum(found) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("gap", [650.0, 720.0, 740.0, 2000.0])  # exp(-740) has two digits left, exp(-2000) is 0
def test_propensities_far_below_the_least_float_are_still_right(gap: float) -> None:
    """Two of three candidates left far behind: which of them comes next is decided between the two."""
    logits = np.tile([0.0, -gap, -gap - 1.0], (DRAWS, 1))[:, None]
    found = slot_propensities(logits, np.array([[0, 1, 2]]))[0]
    assert found == pytest.approx([1.0, 1.0 / (1.0 + np.exp(-1.0)), 1.0], rel=1e-12)


def test_a_slate_all_but_impossible_has_its_share_at_each_slot() -> None:
    """Five times the worst of what is left: the product of the slots is too small for a float, the slots are not."""
    logits = np.tile(200.0 * np.arange(5.0), (DRAWS, 1))[:, None]
    found = slot_propensities(logits, np.arange(5)[None])[0]
    assert found == pytest.approx(np.exp([-800.0, -600.0, -400.0, -200.0, 0.0]), rel=1e-12)


def test_the_highest_are_in_order_and_the_first_first_of_equal_ones() -> None:
    rng = np.random.default_rng(6)
    for span in (3, 1_000_000):
        keys = rng.integers(0, span, (20, MAX_CANDIDATES)).astype(np.float64)
        expected = [[place for _, place in sorted(zip(-row, range(MAX_CANDIDATES), strict=True))[:10]] for row in keys]
        assert highest(keys, 10).tolist() == expected


def test_slates_come_as_often_as_their_propensity_says() -> None:
    """Over many seeds, the mean logged propensity of a slate is the frequency with which it was chosen."""
    rng = np.random.default_rng(4)
    one = query(rng, 4, size=2)
    n = 2000
    slates = choose([msgspec.structs.replace(one, seed=int(seed)) for seed in rng.integers(2**63, size=n)], PRIOR, 0.2)
    often = Counter(tuple(slate.chosen) for slate in slates)
    for pair, count in often.items():
        # inverse propensity weights of a slate average to one over all seeds: Σ 1[chosen = a] / P(a) = n
        weights = [1.0 / slate.propensity for slate in slates if tuple(slate.chosen) == pair]
        spread = np.sqrt(np.sum(np.square(weights))) / n
        assert sum(weights) / n == pytest.approx(1.0, abs=5 * spread), (pair, count)


def test_a_low_temperature_takes_the_best() -> None:
    rng = np.random.default_rng(5)
    certain = GaussianPrior(mean=PRIOR.mean, precision=1e12 * np.eye(D), noise=0.2)
    one = query(rng, 30)
    slate = choose([one], certain, 1e-9)[0]
    assert slate.chosen == np.argsort(-(one.phi @ PRIOR.mean))[:10].tolist()
    assert slate.propensity == pytest.approx(1.0)


def test_uniforms_are_uniform_and_depend_on_seed_and_place_only() -> None:
    seeds = np.array([seed_of("policy", f"event-{n}") for n in range(2000)], dtype=np.uint64)
    u = uniforms(seeds, 50)
    assert u.min() > 0.0
    assert u.max() < 1.0
    assert abs(u.mean() - 0.5) < 5 * np.sqrt(1 / 12 / u.size)
    assert abs(np.corrcoef(u[:, 0], u[:, 1])[0, 1]) < 0.1
    assert (uniforms(seeds[5:6], 50)[0] == u[5]).all()
    assert seed_of("policy", "a") != seed_of("policy", "b")
    assert seed_of("policy", "a") != seed_of("other", "a")


def test_uniforms_are_splitmix64s() -> None:
    """The first words of the reference implementation from seed 0, by their upper 53 bits."""
    words = (0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F)
    assert uniforms(np.zeros(1, dtype=np.uint64), 3)[0].tolist() == [((word >> 11) + 0.5) * 2.0**-53 for word in words]
