"""What an order earns: its chance is that of drawn slates, and who drew them doesn't seem to be right by that."""

import numpy as np
import pytest

from policies.linalg import Floats
from policies.meta.pairs import Margins, Pairs
from policies.meta.sample import Split
from policies.meta.schools import SCHOOLS
from policies.meta.slots import Slots, accumulate, believe, stack
from policies.slates import recommend
from policies.slates.evidence import GaussianPrior
from policies.version import Priors
from tests.unit.policies.meta.shelves import SHIPPED, Shelves, by, weights

MEMORY = recommend.MEMORY_MS
WIDE = 2.0


def told() -> tuple[Slots, Pairs]:
    streams = Shelves(weights(), people=6, visits=3).told(SHIPPED, 0)
    slots = stack([stream for _, stream in streams], len(recommend.FEATURES))
    return slots, Pairs.of(slots, np.ones_like(slots.at))


def test_the_chance_of_an_order_is_that_of_drawn_slates() -> None:
    slots, pairs = told()
    prior, temperature = GaussianPrior.of(SHIPPED | {"width": WIDE}), 0.004
    found = Margins.of(pairs, slots, prior, MEMORY).chance(WIDE, temperature)
    beliefs = believe(prior, accumulate(slots, prior.noise, MEMORY))
    rng = np.random.default_rng(1)
    for n in range(0, len(found), max(1, len(found) // 20)):
        e, t = pairs.entity[n], pairs.time[n]
        apart = slots.phi[e, t, pairs.more[n]] - slots.phi[e, t, pairs.less[n]]
        drawn = rng.multivariate_normal(beliefs.mean[e, t], WIDE**2 * beliefs.covariance[e, t], 20_000) @ apart
        noise = temperature * (rng.gumbel(size=20_000) - rng.gumbel(size=20_000))
        assert found[n] == pytest.approx(((drawn + noise) > 0).mean(), abs=0.02)


def test_a_pair_is_of_one_slate_and_its_first_earned_more() -> None:
    slots, pairs = told()
    assert len(pairs.worth) > 20
    where = pairs.entity, pairs.time
    assert (slots.y[*where, pairs.more] > slots.y[*where, pairs.less]).all()
    assert slots.known[*where, pairs.less].all()
    everything = pairs.each(pairs.worth)
    # Of each slate: Σ over pairs (y_j − y_k) over the number of pairs; mean over the slates of an entity.
    y = slots.y
    apart = np.maximum(0.0, y[..., :, None] - y[..., None, :]).sum(axis=(2, 3)) / 45.0
    assert everything == pytest.approx(apart.mean(axis=1))


def test_how_the_mean_moves_a_margin() -> None:
    slots, pairs = told()
    prior = GaussianPrior.of(SHIPPED)
    by_ = 0.01 * np.random.default_rng(2).normal(size=prior.size)
    moved = GaussianPrior(prior.mean + by_, prior.precision, prior.noise)
    before, after = (Margins.of(pairs, slots, one, MEMORY) for one in (prior, moved))
    assert before.moved(by_).level == pytest.approx(after.level)


def earned(given: Split, candidate: Priors, serving: Priors) -> float:
    return float(SCHOOLS[recommend.DOMAIN].earns(given, candidate, serving).mean())


def test_what_is_explored_counts_as_it_does_while_serving() -> None:
    shelves = Shelves(weights())
    given = Split(train=[], judged=[stream for _, stream in shelves.told(SHIPPED, 0)], cut=0)
    hotter, cooler = (SHIPPED | {"temperature": SHIPPED["temperature"] * times} for times in (4.0, 0.25))
    assert earned(given, hotter, SHIPPED) < 0.0 < earned(given, cooler, SHIPPED)
    assert shelves.worth(hotter, 9) < shelves.worth(SHIPPED, 9) < shelves.worth(cooler, 9)


def test_what_ranks_as_the_truth_does_earns_more() -> None:
    truth = weights(popular_share=1.5, own_share=0.0)
    given = Split(train=[], judged=[stream for _, stream in Shelves(truth).told(SHIPPED, 0)], cut=0)
    school = SCHOOLS[recommend.DOMAIN]
    right = school.earns(given, by(truth), SHIPPED)
    assert right.mean() > 3.0 * right.std() / np.sqrt(len(right))
    assert earned(given, by(weights(popular_share=-1.5)), SHIPPED) < 0.0


def looked_at(phi: Floats, rng: np.random.Generator) -> Floats:
    """People who have no taste at all: they take what stands high, whatever it is."""
    return (rng.random(len(phi)) < 0.6 / (1.0 + np.arange(len(phi))) ** 1.5).astype(np.float64)


def test_what_stands_first_is_no_proof_of_who_put_it_there(monkeypatch: pytest.MonkeyPatch) -> None:
    given = Split(train=[], judged=[stream for _, stream in Shelves(weights()).told(SHIPPED, 0, looked_at)], cut=0)
    cooler: Priors = SHIPPED | {"temperature": SHIPPED["temperature"] / 4.0, "width": 0.25}
    fair = earned(given, cooler, SHIPPED)
    monkeypatch.setattr("policies.meta.pairs._CLIP", 0.5)  # each pair as it came, and counts a half
    assert abs(fair) < 0.5 * 2.0 * earned(given, cooler, SHIPPED)
