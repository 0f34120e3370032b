"""A shop for tests: slates drawn by a prior from thirty candidates, bought from by weights that the test knows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from policies.linalg import Floats
from policies.meta.sample import Episode, Stream
from policies.slates import recommend
from policies.slates.evidence import GaussianPrior
from policies.slates.slate import Query, Slate, choose
from policies.version import Priors
from streams.times import DAY

D = len(recommend.FEATURES)
SHARES = ("bias", "own_share", "own_part", "trending_share", "popular_share", "like_history")
SURE = [2_000.0 if name in SHARES else 20_000.0 for name in recommend.FEATURES]
SHIPPED: Priors = recommend.FLAT | {"precision": np.diag(SURE).tolist()}  # none that another training would change

Feedback = Callable[[Floats, np.random.Generator], Floats]


@dataclass(frozen=True, slots=True)
class Shelves:
    """`truth` [d] are the weights of the chance that a candidate is bought."""

    truth: Floats
    people: int = 90
    visits: int = 8
    candidates: int = 30

    def queries(self, rng: np.random.Generator) -> list[Query]:
        """One a visit: shares of a few hundredths, as those of baskets are, and whether it was bought before."""
        phi = 0.03 * rng.gamma(0.7, size=(self.people * self.visits, self.candidates, D))
        phi[..., 0], phi[..., 3] = 1.0, phi[..., 1] > 0.03
        return [Query(phi=one, precision=np.zeros((D, D)), shift=np.zeros(D), seed=_seed(rng), size=10) for one in phi]

    def told(self, prior: Priors, seed: int, feedback: Feedback | None = None) -> list[tuple[str, Stream]]:
        """What became of slates that the prior drew; `feedback` says otherwise what a slate φ [n, d] earns."""
        rng = np.random.default_rng(seed)
        asked = self.queries(rng)
        slates = chosen(asked, prior)
        episodes = [
            Episode(
                at=1 + n // self.people * DAY,
                phi=one.phi[slate.chosen],
                y=(feedback or self.bought)(one.phi[slate.chosen], rng),
                propensities=np.array(slate.slot_propensities),
            )
            for n, (one, slate) in enumerate(zip(asked, slates, strict=True))
        ]
        return [(f"u{person}", episodes[person :: self.people]) for person in range(self.people)]

    def bought(self, phi: Floats, rng: np.random.Generator) -> Floats:
        return (rng.random(len(phi)) < np.clip(phi @ self.truth, 0.0, 1.0)).astype(np.float64)

    def worth(self, prior: Priors, seed: int) -> float:
        """What a slate of this prior sells, on average."""
        asked = self.queries(np.random.default_rng(seed))
        slates = chosen(asked, prior)
        return float(
            np.mean(
                [
                    np.clip(one.phi[slate.chosen] @ self.truth, 0.0, 1.0).sum()
                    for one, slate in zip(asked, slates, strict=True)
                ]
            )
        )


def chosen(asked: list[Query], prior: Priors) -> list[Slate]:
    return choose(asked, GaussianPrior.of(prior), float(prior["temperature"]))


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**62))


def weights(**named: float) -> Floats:
    """The shipped weights, but for those named."""
    found = np.array(SHIPPED["mean"])
    for name, value in named.items():
        found[recommend.FEATURES.index(name)] = value
    return found


def by(mean: Floats, **other: float) -> Priors:
    """The shipped prior with this mean."""
    return SHIPPED | {"mean": mean.tolist()} | other
