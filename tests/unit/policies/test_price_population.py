"""What products have in common is found from their reviews, passes the gate, and is left alone where it is nothing."""

from math import exp

import numpy as np
import pytest

from policies.artefact import ArtefactError
from policies.meta.domains import fit
from policies.meta.sample import Ring, Stream
from policies.meta.schools import SCHOOLS
from policies.meta.trial import attempt
from policies.price_ladder import FLAT, PRIOR, Evidence, believe
from policies.price_population import FEWEST, Review, Sold, foretold, learned
from policies.version import PolicyVersion

COST = 2.0


def _shop(count: int, seed: int, *, spread: float = 0.15, reviews: int = 12) -> list[list[Sold]]:
    """Products that at the price 0 sell about 10 a period and at 10 none, at prices that were drawn."""
    rng = np.random.default_rng(seed)

    def one() -> list[Sold]:
        a, b = 10.0 * exp(spread * rng.normal()), exp(0.15 * rng.normal())
        prices = rng.uniform(3.0, 8.0, reviews)
        units = np.maximum(0.0, a * (1.0 - b * prices / 10.0) + 0.5 * rng.normal(size=reviews))
        return [
            Sold(Review(p, 1.0, COST), y, judged=True) for p, y in zip(prices.tolist(), units.tolist(), strict=True)
        ]

    return [one() for _ in range(count)]


def test_products_that_are_alike_give_a_prior_that_foretells_others_better() -> None:
    found = learned(_shop(24, 0), FLAT)
    assert found is not None
    assert found["base_periods"] > 0.0
    assert found["base"] == pytest.approx(10.0, rel=0.5)
    others = _shop(24, 1)
    assert np.mean([foretold(one, found) - foretold(one, FLAT) for one in others]) > 0.02


def test_products_of_every_size_are_not_taken_to_sell_the_same() -> None:
    found = learned(_shop(24, 2, spread=1.5), FLAT)
    assert found is not None
    assert found["base_periods"] == 0.0


def test_of_too_few_products_nothing_is_learned() -> None:
    assert learned(_shop(FEWEST - 1, 3), FLAT) is None
    assert learned(_shop(30, 3, reviews=3), FLAT) is None


def test_no_product_is_told_of_what_comes_after() -> None:
    (sold,) = _shop(1, 4)
    early = foretold([one._replace(judged=at < 6) for at, one in enumerate(sold)], FLAT)
    changed = [*sold[:6], *(one._replace(units=100.0) for one in sold[6:])]
    assert foretold([one._replace(judged=at < 6) for at, one in enumerate(changed)], FLAT) == early


def test_reviews_that_nobody_wrote_count_for_what_they_are_said_to() -> None:
    """A prior of one review at the price 0 is as one more review at it."""
    prior = FLAT | {"base": 9.0, "base_periods": 1.0, "half_life": 1e9, "doubt": 1e9}
    with_prior, with_review = Evidence(), Evidence()
    for price, units in ((4.0, 6.0), (5.0, 5.0)):
        with_prior.learn(price, units, 1.0, prior)
        with_review.learn(price, units, 1.0, FLAT | {"half_life": 1e9, "doubt": 1e9})
    with_review.learn(0.0, 9.0, 1.0, FLAT | {"half_life": 1e9, "doubt": 1e9})
    ours, theirs = believe(with_prior, prior), believe(with_review, FLAT)
    assert ours.centre == pytest.approx(theirs.centre)
    assert ours.level == pytest.approx(theirs.level)
    assert ours.slope == pytest.approx(theirs.slope, rel=0.02)  # the noise is estimated from one review fewer


def _streams(sold: list[list[Sold]]) -> list[tuple[str, Stream]]:
    found: list[tuple[str, Stream]] = []
    for at, of_one in enumerate(sold):
        ring = Ring()
        for n, (review, units, _) in enumerate(of_one):
            ring.add(1_000 * at + n, [list(review)], [units])
        found.append((f"p{at}", ring.episodes()))
    return found


def test_the_gate_lets_through_what_foretells_and_nothing_that_was_made_up() -> None:
    school = SCHOOLS["pricing"]
    trial = attempt(school, _streams(_shop(24, 5)), PRIOR)
    assert trial is not None
    assert trial.passed
    assert trial.earned.entities == 0
    again = attempt(school, _streams(_shop(24, 6)), trial.candidate | {"base": 100.0, "base_periods": 5.0})
    assert again is not None
    assert again.passed  # a prior that is far off is left


def test_what_ships_was_learned_by_profit_and_takes_no_product_for_another() -> None:
    assert PRIOR != FLAT
    assert PRIOR["base_periods"] == 0.0


def test_a_prior_whose_width_would_be_lost_to_rounding_is_refused() -> None:
    version = PolicyVersion(number=1, parent=0, priors={"pricing": {**FLAT, "elasticity_sd": 1e200}})
    with pytest.raises(ArtefactError, match="elasticity_sd must be at most"):
        fit(version)
