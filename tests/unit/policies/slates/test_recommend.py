"""The prior that ships: what isn't known of a weight hardly sways a slate, however wide the weight's feature is."""

import numpy as np
import pytest

from policies.slates.evidence import Evidence
from policies.slates.recommend import FEATURES, prior_of, quantise, query
from policies.slates.slate import Query, choose
from policies.version import SHIPPED

WIDE = ("due", "bought_with", "novelty_of_user", "price_fit")


@pytest.mark.parametrize("wide", WIDE)
def test_a_wide_feature_without_weight_leaves_the_best_in_the_slate(wide: str) -> None:
    """Of new users: ten items are bought at every other visit, the others hardly ever."""
    rng = np.random.default_rng(3)
    phi = np.zeros((len(FEATURES), 100))
    phi[FEATURES.index("own_share"), :10] = 0.05
    queries: list[Query] = []
    for seed in range(150):
        phi[FEATURES.index(wide)] = rng.random(100) < 0.5
        queries.append(query(quantise(phi), Evidence(), seed, 10))
    prior, temperature = prior_of(SHIPPED)
    kept = np.mean([np.sum(np.array(slate.chosen) < 10) / 10 for slate in choose(queries, prior, temperature)])
    assert kept > 0.9


def test_slates_still_differ_by_chance() -> None:
    """So that another version can be judged by them: what is nearly as good is sometimes shown."""
    phi = np.zeros((len(FEATURES), 100))
    phi[FEATURES.index("own_share")] = np.linspace(0.2, 0.0, 100)
    queries = [query(quantise(phi), Evidence(), seed, 10) for seed in range(150)]
    shown = {place for slate in choose(queries, *prior_of(SHIPPED)) for place in slate.chosen}
    assert len(shown) > 15
