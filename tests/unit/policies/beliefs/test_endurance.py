"""Many updates of the worst kind leave every belief exact: tests/benchmarks/endurance.py takes ten million of each, and
tests/benchmarks/long_life.py as many of one entity in a row.
"""

import pytest

from tests.benchmarks import long_life
from tests.benchmarks.endurance import BELIEFS, KEPT

# Steps and entities: a hundred thousand updates in all, or as many as take a moment; and the largest error.
TAKEN = {
    "gaussian": (2_000, 50, 1e-4),
    "logistic": (400, 2, 1e-6),
    "rates": (2_000, 50, 1e-8),
    "amounts": (2_000, 50, 1e-10),
    "censored": (2_000, 5, 1e-9),
    "runs": (1_000, 1, 1e-4),
}


@pytest.mark.parametrize("kept", [1.0, KEPT])
@pytest.mark.parametrize("name", BELIEFS)
def test_many_updates_of_the_worst_kind_leave_it_exact(name: str, kept: float) -> None:
    steps, entities, most = TAKEN[name]
    assert BELIEFS[name](steps, entities, kept).error < most


@pytest.mark.parametrize("name", BELIEFS)
def test_many_updates_of_one_entity_in_a_row_leave_it_exact(name: str) -> None:
    ended = list(long_life.BELIEFS[name](2_000))
    assert [one.kept for one in ended] == [1.0, KEPT]
    assert max(one.error for one in ended) < TAKEN[name][2]
