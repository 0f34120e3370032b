"""The prior that workers go by: trained the same from the same seed, and silent on what hangs on money."""

import numpy as np

from policies.bidding.pacing import FLAT, PRIOR
from policies.bidding.pacing_training import lost, train
from policies.tasks.campaigns import drawn


def test_the_same_seed_gives_the_same_prior_and_money_is_not_spoken_of() -> None:
    said = list[str]()
    tensors, about = train(3, said.append, flights=4, lengths=(100, 150))
    again, same = train(3, said.append, flights=4, lengths=(100, 150))
    assert about == same
    assert {name: array.tobytes() for name, array in tensors.items()} == {
        name: array.tobytes() for name, array in again.items()
    }
    assert tensors.keys() == FLAT.keys()
    assert (tensors["log_mu"], tensors["revenue"][1], tensors["price"][2]) == (0.0, 0.0, 0.0)
    assert float(about["live_loss"]) < float(about["live_loss_flat_prior"])
    assert said


def test_what_ships_fits_its_users_and_loses_less_than_a_flat_prior_elsewhere() -> None:
    for name, value in FLAT.items():
        assert np.shape(PRIOR[name]) == np.shape(value)
        assert isinstance(PRIOR[name], type(value))
    rng = np.random.default_rng(99)
    given = [drawn(rng, (200, 500)) for _ in range(12)]
    assert lost(PRIOR, given) < 0.8 * lost(FLAT, given)
