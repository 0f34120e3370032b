"""The encoder as a part of a policy version: its weights are the prior of the domain `history`, learned like any other.

Encoders are told apart by a hash of their weights, since what is believed of a user is believed in the space of one.
"""

from functools import cache
from hashlib import blake2b
from typing import Final, NamedTuple

import numpy as np

from policies.attention.encoder import Weights, shipped
from policies.version import PolicyVersion, Priors

DOMAIN: Final = "history"
PRIOR: Final[Priors] = {name: array.tolist() for name, array in shipped().arrays().items()}


class Encoder(NamedTuple):
    """`name` is a hash of the weights, in hex."""

    name: str
    weights: Weights


def weights_of(prior: Priors) -> Weights:
    """The weights in a domain's prior. Raises ValueError."""
    return Weights.of({name: np.asarray(value) for name, value in prior.items()})


def encoder_of(policy: PolicyVersion) -> Encoder:
    """What a version sees histories by; the shipped one where it brings none of its own."""
    learned = policy.priors.get(DOMAIN)
    return _named(weights_of(policy.prior(DOMAIN, PRIOR))) if learned else _shipped()


@cache
def _shipped() -> Encoder:
    return _named(shipped())


def _named(weights: Weights) -> Encoder:
    body = b"".join(array.tobytes() for array in weights.arrays().values())
    return Encoder(blake2b(body, digest_size=8).hexdigest(), weights)
