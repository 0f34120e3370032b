"""The gate: a better prior passes, a worse one and luck do not; nobody is judged who was learned from."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from policies.bidding.population import Flight
from policies.meta.gate import FEWEST, Verdict, judge
from policies.meta.sample import ENTITIES, KEEP, ROWS, Ring, Sample, Split, Stream, cut_of, fold, split
from policies.meta.schools import SCHOOLS
from policies.meta.slots import log_likelihood, stack
from policies.meta.trial import Trial, attempt
from policies.orders import demand
from policies.slates import recommend
from policies.slates.evidence import GaussianPrior
from policies.version import Priors
from streams.times import DAY

D = len(recommend.FEATURES)
# Features of these shoppers are all of one size, so that no weight is surer than another.
SHIPPED = recommend.PRIOR | {"precision": (2000.0 * np.eye(D)).tolist()}
CENTRE = np.array(SHIPPED["mean"]) + np.linspace(-0.1, 0.1, D)


def shoppers(seed: int, count: int, *, drawn: bool = False) -> Split:
    """Entities whose weights scatter around a centre that isn't the shipped one; ten slots a day for ten days."""
    rng = np.random.default_rng(seed)

    def one() -> Stream:
        ring, own = Ring(), CENTRE + 0.03 * rng.normal(size=D)
        for day in range(10):
            phi = rng.random((10, D))
            ring.add(day * DAY + 1, phi.tolist(), (phi @ own + 0.2 * rng.normal(size=10)).tolist(), [0.1] * 10 * drawn)
        return ring.episodes()

    streams = [(f"u{n}", one()) for n in range(count)]
    return split(streams, 0, cut_of((stream for _, stream in streams), 0.75))


def better(given: Split, candidate: Priors, serving: Priors) -> bool:
    school = SCHOOLS[recommend.DOMAIN]
    return judge(school.score(given, candidate) - school.score(given, serving)).better


@pytest.mark.parametrize("seed", range(3))
def test_what_was_learned_passes_and_its_reverse_does_not(seed: int) -> None:
    given = shoppers(seed, 60)
    learned = SCHOOLS[recommend.DOMAIN].propose(given, SHIPPED)
    assert learned is not None
    assert better(given, learned, SHIPPED)
    assert not better(given, SHIPPED, learned)
    assert _away(learned) < 0.7 * _away(SHIPPED)


def _away(prior: Priors) -> float:
    return float(np.abs(np.array(prior["mean"]) - CENTRE).mean())


@pytest.mark.parametrize("seed", range(3))
def test_a_worse_prior_is_refused(seed: int) -> None:
    worse: Priors = SHIPPED | {"mean": (np.array(SHIPPED["mean"]) - 0.3).tolist()}
    assert not better(shoppers(seed, 60), worse, SHIPPED)


def test_luck_passes_as_rarely_as_it_should() -> None:
    rng = np.random.default_rng(0)
    passed = sum(judge(rng.normal(size=12)).better for _ in range(4000))
    assert 0.035 < passed / 4000 < 0.065


def test_few_say_nothing() -> None:
    assert not judge(np.ones(FEWEST - 1)).better
    assert judge(np.ones(FEWEST)).better
    assert not judge(np.zeros(0)).better


def _trial(earned: float, foretold: float) -> Trial:
    verdicts = [Verdict(entities=9, gain=gain, lower=gain - 0.001) for gain in (foretold, earned)]
    return Trial(candidate=SHIPPED, foretold=verdicts[0], earned=verdicts[1], trained_on=9, cut=0)


def test_what_it_earns_decides_where_that_can_be_told_unless_it_foretells_much_worse() -> None:
    assert _trial(earned=0.01, foretold=0.0).passed
    assert _trial(earned=0.01, foretold=-0.005).passed
    assert not _trial(earned=0.01, foretold=-0.02).passed
    assert not _trial(earned=0.0, foretold=1.0).passed
    unseen = replace(_trial(earned=0.0, foretold=0.01), earned=judge(np.zeros(0)))
    assert unseen.passed
    assert not replace(unseen, foretold=judge(np.zeros(9))).passed


def test_a_slate_of_what_earns_less_is_foreseen() -> None:
    given, school = shoppers(0, 60, drawn=True), SCHOOLS[recommend.DOMAIN]
    wrong: Priors = SHIPPED | {"mean": (-5 * CENTRE).tolist()}
    right: Priors = SHIPPED | {"mean": CENTRE.tolist()}
    assert judge(school.earns(given, right, wrong)).better
    assert not judge(school.earns(given, wrong, right)).better
    assert school.earns(shoppers(0, 60), wrong, right).size == 0  # nothing was drawn: it can't be told


def test_foretold_one_by_one_is_the_likelihood_of_all_together() -> None:
    """With nothing forgotten, Σ log p(y_t | before t) is the marginal likelihood, from the textbook's formula."""
    stream = shoppers(1, 8).judged[0][:3]
    prior = GaussianPrior.of(SHIPPED)
    slots = stack([stream, stream[:1]], D)
    phi, y = np.concatenate([one.phi for one in stream]), np.concatenate([one.y for one in stream])
    covariance = phi @ np.linalg.inv(prior.precision) @ phi.T + prior.noise * np.eye(len(y))
    off = y - phi @ prior.mean
    whole = -0.5 * (off @ np.linalg.solve(covariance, off) + np.linalg.slogdet(2 * np.pi * covariance)[1])
    found = log_likelihood(slots, prior, 1e30)
    assert found[0].sum() == pytest.approx(whole)
    assert found[1, 1:] == pytest.approx(0.0)  # padding foretells nothing


def test_nobody_is_judged_who_was_learned_from_and_nothing_before_the_cut_is_later() -> None:
    streams = [(f"u{n}", _days(n)) for n in range(40)]
    found = split(streams, 2, cut_of((stream for _, stream in streams), 0.75))
    assert max(one.at for stream in found.train for one in stream) < found.cut
    assert len(found.train) == sum(fold(name) != 2 for name, _ in streams)
    assert len(found.judged) == sum(fold(name) == 2 for name, _ in streams) > 5
    assert all(any(one.at >= found.cut for one in stream) for stream in found.judged)
    assert min(one.at for stream in found.as_new.judged for one in stream) >= found.cut


def _days(n: int) -> Stream:
    ring = Ring()
    for day in range(8):
        ring.add(day * DAY + n, [[1.0]], [float(n)])
    return ring.episodes()


def _campaigns(shift: float) -> list[tuple[str, Stream]]:
    """Sixteen campaigns one after another, in a market that is `shift` off the shipped prior's, in logs."""
    found: list[tuple[str, Stream]] = []
    for n in range(16):
        flight = Flight(shift + 0.01 * (n % 5), 600, 300, 3, 0, 0, 0, shift, 0.5, 10.0, 50.0, 40.0)
        ring = Ring()
        ring.add(n * DAY, [list(map(float, flight))], [1.0])
        found.append((f"c{n}", ring.episodes()))
    return found


def test_of_few_entities_each_is_judged_by_a_candidate_that_does_not_know_it() -> None:
    school = SCHOOLS["bidding"]
    other = attempt(school, _campaigns(1.5), school.shipped)
    assert other is not None
    assert other.foretold.entities == 9  # those after the median
    assert other.passed
    same = attempt(school, _campaigns(1.5), other.candidate)
    assert same is not None
    assert not same.passed


def test_the_sample_is_bounded_and_does_not_hang_on_the_order() -> None:
    names = [f"u{n}" for n in range(3 * ENTITIES)]
    forward, backward = Sample(), Sample()
    out = [forward.admit(name) for name in names]
    for name in reversed(names):
        backward.admit(name)
    assert forward.members == backward.members
    assert len(forward.members) == ENTITIES
    left = {leaves for _, leaves in out if leaves}
    kept = {name for name, (inside, _) in zip(names, out, strict=True) if inside}
    assert kept - left == {name for _, name in forward.members}


def test_a_ring_is_bounded() -> None:
    ring = Ring()
    for n in range(100):
        ring.add(n, [[1.0, 2.0]] * 50, [float(n)] * 50)
    assert [one.at for one in ring.episodes()] == list(range(100 - KEEP, 100))
    assert ring.episodes()[0].phi.shape == (ROWS, 2)


def _watches(seed: int) -> Split:
    """SKUs that sell about two a day, each at its own rate, and are listed one after another."""
    rng = np.random.default_rng(seed)

    def one(first: int) -> Stream:
        ring, rate = Ring(), rng.gamma(20.0, 0.1)
        for day in range(first, first + 6):
            ring.add(day * DAY, [[1.0]], [float(rng.poisson(rate))])
        return ring.episodes()

    streams = [(f"s{n}", one(n % 20)) for n in range(480)]
    return split(streams, 0, cut_of((stream for _, stream in streams), 0.75))


def test_a_prior_of_demand_passes_where_it_is_better() -> None:
    given, school = _watches(0), SCHOOLS["replenishment"]
    learned: Any = school.propose(given, demand.PRIOR)
    assert learned["a"] / learned["b"] == pytest.approx(2.0, rel=0.2)
    gains = school.score(given, learned) - school.score(given, demand.PRIOR)
    assert judge(gains).better
    assert not judge(-gains).better
