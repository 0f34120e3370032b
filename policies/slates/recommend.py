"""Which items for whom: the features of a (user, item) pair, the prior over their weights, and what a purchase earns.

A pair's features are all shares or ratios of order one, kept as whole multiples of 1/4096 so that the decision log
holds them exactly. With the flat prior the score is the chance that the item is in the next basket, as a Beta prior
gives it: the user's own visits that had it, and what everyone bought in the last day, worth fifteen visits. Half of the
own part goes by how much of those baskets the item was: one bought on small trips too is missed sooner. The prior that
ships has gone on from there over drawn shops (policies.slates.training).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from policies import shipped
from policies.baskets.encoder import SCHEMA  # the evaluated network lies in the same file
from policies.linalg import Floats
from policies.slates.evidence import Evidence, GaussianPrior
from policies.slates.slate import Query
from policies.version import PolicyVersion, Priors

DOMAIN: Final = "recommendation"
SCALE: Final = 4096  # features are logged as integers, in units of 1/4096
MEMORY_MS: Final = 90 * 86_400_000.0  # how long an entity's own evidence counts against the prior

FEATURES: Final = (
    "bias",
    "own_share",
    "own_part",
    "bought_before",
    "due",
    "just_bought",
    "trending_share",
    "popular_share",
    "bought_with",
    "category_share",
    "novelty_of_user",
    "price_fit",
    "like_history",
)
ENCODED: Final = FEATURES.index("like_history")  # the one that an encoder makes (policies.attention)

_MEAN: Final = {
    "own_share": 0.5,
    "own_part": 0.5,
    "trending_share": 1.0,
    "popular_share": 0.1,
    "category_share": 0.01,
    "like_history": 1.0,
}
# What a Beta prior says, of no shop in particular; every weight is as sure as every other.
FLAT: Final[Priors] = {
    "mean": [_MEAN.get(name, 0.0) for name in FEATURES],
    "precision": [[2_000.0 * (i == j) for j in range(len(FEATURES))] for i in range(len(FEATURES))],
    "noise": 0.15,
    "temperature": 0.003,
    "width": 1.0,
}


PRIOR: Final[Priors] = shipped.numbers(DOMAIN, schema=SCHEMA, names=FLAT)

REWARDS: Final = {"purchase": 1.0, "add_to_cart": 0.3, "click": 0.1}  # the best that happened to a slot counts

EARLIER: Final = (12,)  # how many features there were before, the same first ones: logs and versions of then are read

Ints = npt.NDArray[np.int64]


def quantise(phi: Floats) -> Ints:
    """Features [d, C] in units of 1/4096, within ±16, by candidate: [C, d]. Of one feature [C]: [C]."""
    return np.rint(np.clip(phi, -16.0, 16.0) * SCALE).astype(np.int64, order="C").T.copy()


def read(contexts: bytes, slots: int) -> Floats:
    """Features [slots, d] that were kept as int32, in their units; those that there weren't yet were 0 then."""
    known = np.frombuffer(contexts, dtype=np.int32).reshape(slots, -1) / SCALE
    phi = np.zeros((slots, len(FEATURES)))
    phi[:, : known.shape[1]] = known
    return phi


def prior_of(policy: PolicyVersion) -> tuple[GaussianPrior, float]:
    """The prior over the weights, and the temperature of exploration."""
    given = policy.prior(DOMAIN, PRIOR)
    return GaussianPrior.of(given), float(given["temperature"])


def query(features: Ints, evidence: Evidence, seed: int, size: int) -> Query:
    """One slate asked for, from logged features [C, d]: those that an older log lacks are left out."""
    precision, shift = evidence.read(features.shape[1])
    return Query(
        phi=features.astype(np.float64) * (1.0 / SCALE), precision=precision, shift=shift, seed=seed, size=size
    )
