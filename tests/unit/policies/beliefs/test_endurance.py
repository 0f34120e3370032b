"""Many updates of the worst kind leave every belief exact: tests/benchmarks/endurance.py takes ten million of each."""

import pytest

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
