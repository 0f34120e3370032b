"""Information-directed choice: the pair is the best of all pairs, and its probabilities are exact."""

import numpy as np
import pytest

from policies.bandit import information
from policies.bandit.information import information_directed, least_ratio, thompson
from policies.linalg import Floats


def ratio_of(distribution: Floats, values: Floats) -> float:
    """(expected regret)² over what knowing the best action would tell, from the definition."""
    winners = values.argmax(axis=0)
    mean = values.mean(axis=1)
    gap = values.max(axis=0).mean() - mean
    gain = np.zeros(len(values))
    for best in set(winners.tolist()):
        mine = winners == best
        gain += mine.mean() * (values[:, mine].mean(axis=1) - mean) ** 2
    return float((distribution @ gap) ** 2 / (distribution @ gain))


@pytest.mark.parametrize("seed", range(8))
def test_no_pair_of_likely_winners_has_a_smaller_ratio(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(4, 1)) + rng.uniform(0.2, 2.0, size=(4, 1)) * rng.normal(size=(4, 256))
    found = information_directed(values)
    assert found.sum() == pytest.approx(1.0)
    assert (found > 0.0).sum() <= 2
    least = ratio_of(found, values)
    for first in range(4):
        for second in range(4):
            for share in np.linspace(0.0, 1.0, 21):
                other = np.zeros(4)
                other[first] += share
                other[second] += 1.0 - share
                assert ratio_of(other, values) >= least - 1e-9


def test_a_level_that_all_values_share_changes_nothing() -> None:
    values = np.random.default_rng(9).normal(size=(5, 64))
    assert information_directed(values + 1e5) == pytest.approx(information_directed(values), abs=1e-4)


def test_where_nothing_is_to_be_learned_the_smallest_regret_wins() -> None:
    first, _, share = least_ratio([0.0, 0.3], [0.0, 0.0])
    assert (first, share) == (0, 1.0)


def test_of_equal_regrets_the_one_that_tells_more_wins() -> None:
    assert least_ratio([0.5, 0.5, 0.9], [0.1, 0.4, 0.4]) == (1, 1, 1.0)


def test_many_actions_are_chosen_among_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(10)
    values = rng.normal(size=(12, 1)) + rng.normal(size=(12, 64))
    few = information_directed(values)
    monkeypatch.setattr(information, "FEW", 0)
    assert information_directed(values) == pytest.approx(few)


def test_thompson_is_the_share_of_wins() -> None:
    values = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0]])
    assert thompson(values).tolist() == [0.25, 0.75]
