"""How well a prior foretells: a truer one does better, and only what is to be told counts."""

from math import lgamma, log

import numpy as np
import pytest

from policies.orders.demand import DemandPrior
from policies.orders.foretold import Seen, log_likelihood

STEADY = {"size": 1.0, "dispersion": 1.0, "half_life_days": 1e9, "hazard": 0.0}


def prior(a: float, b: float, **other: float) -> DemandPrior:
    return DemandPrior.of({**STEADY, "a": a, "b": b, **other})


def watches(rate: float, size: float = 1.0, days: int = 60, seed: int = 3) -> list[tuple[Seen, bool]]:
    random = np.random.default_rng(seed)
    counts = random.poisson(rate, days).tolist()
    units = [float(sum(int(random.geometric(1.0 / size)) for _ in range(n))) for n in counts]
    return [(Seen(1.0, float(n), 0.0, each), True) for n, each in zip(counts, units, strict=True)]


def test_the_first_watch_is_foretold_by_the_prior_alone() -> None:
    a, b, units = 3.0, 2.0, 4.0
    by_hand = lgamma(units + a) - lgamma(a) - lgamma(units + 1.0) + a * log(b / (b + 1.0)) - units * log(b + 1.0)
    assert log_likelihood([(Seen(1.0, units, 0.0, units), True)], prior(a, b)) == pytest.approx(by_hand, rel=1e-3)


def test_the_truth_foretells_better_than_a_mistake() -> None:
    seen = watches(2.0)
    assert log_likelihood(seen, prior(200.0, 100.0)) > log_likelihood(seen, prior(100.0, 100.0)) + 0.1


def test_what_is_not_told_is_learned_from_all_the_same() -> None:
    seen = watches(2.0)
    late = [(one, place >= 50) for place, (one, _) in enumerate(seen)]
    cold = [(one, True) for one, told in late if told]
    assert log_likelihood(late, prior(0.1, 10.0)) > log_likelihood(cold, prior(0.1, 10.0))


def test_none_told_say_nothing() -> None:
    assert log_likelihood([(one, False) for one, _ in watches(2.0)], prior(1.0, 1.0)) == 0.0


def test_single_units_are_foretold_as_single_units() -> None:
    """What is told of many orders at once must not make each of them seem to be of any size down to nothing."""
    steady = log_likelihood(watches(0.5, days=400), prior(50.0, 100.0))
    entropy = sum(-p * log(p) for n in range(12) for p in [np.exp(-0.5 + n * log(0.5) - lgamma(n + 1.0))])
    assert steady == pytest.approx(-entropy, abs=0.06)
