"""How a user rates: what is known of items, and a belief about the user that a few ratings move in closed form.

y = μ + b_i + h·β_u + w_i·t_u + ε, with θ_u = (β_u, t_u) ~ N(m, Σ). β_u is the user's level as ratings go by, h where a
rating lies along it: levels long apart are less alike than neighbours, so the first few ratings tell only part of the
level to come. Items, m, Σ and σ² are learned from users who have rated much; a new user starts from N(m, Σ), whatever
the scale of the ratings, and m is moved by which items were chosen to be rated, that which is asked about among them.
How unsure items are is carried along. No file, no clock.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from policies.linalg import Floats
from policies.ratings.choices import Choices, learn
from policies.ratings.normal import Guess, Normal
from policies.ratings.sums import Grouping
from policies.ratings.table import Numbers, Ratings, knots, positions, stages
from policies.ratings.variational import Em

ROUNDS: Final = 25
USUAL: Final = 10.0  # ratings as far along as is usual that each item's are taken to stand beside


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingModel:
    """The items, and the prior of a user; in deviations of the ratings. B levels and F factors of taste."""

    centre: float
    scale: float
    lowest: float
    highest: float
    noise: float  # σ²
    items: Guess  # (b_i, w_i)
    prior: Normal  # θ, [B + F]
    knots: tuple[int, ...]  # [B]
    ahead: Floats  # [items, B] h of ratings to come: how far along they are isn't known, so what is usual of the item
    choices: Choices | None = None  # None: only what was said of items counts, not which
    caution: float = 1.0  # a rating told is taken to be so many times as noisy: tastes aren't quite normal

    @property
    def factors(self) -> int:
        return len(self.prior.mean) - len(self.knots)

    def adapt(self, item: Numbers, rating: Floats) -> Floats:
        """[1 + 2D, D] for a user whose first ratings these were, oldest first, D = B + F: the mean of θ, and below it
        what a move of the prior's mean still moves (itself when nothing is known yet, less with each rating), parted
        by how much of the user's choices is known.
        """
        levels, noise = len(self.knots), self.noise * self.caution
        known, unsure = self.items.mean[item], self.items.cov[item]
        phi = np.concatenate([stages(np.arange(len(item)), self.knots), known[:, 1:]], axis=1)
        y = (rating - self.centre) / self.scale - known[:, 0]
        prior = self._prior(item)
        precision = np.linalg.inv(prior.cov)
        right = precision @ prior.mean + (phi.T @ y) / noise
        second = phi.T @ phi / noise
        second[levels:, levels:] += unsure[:, 1:, 1:].sum(axis=0) / noise
        right[levels:] -= unsure[:, 1:, 0].sum(axis=0) / noise
        found = np.linalg.solve(precision + second, np.concatenate([right[:, None], precision], axis=1))
        told = self.choices.told(len(item)) if self.choices else 0.0
        parted = [found[:, :1], (1.0 - told) * found[:, 1:], told * found[:, 1:]]
        return np.asarray(np.concatenate(parted, axis=1).T, dtype=np.float64)

    def _prior(self, item: Numbers) -> Normal:
        """θ of those who rate these items first."""
        if self.choices is None or not len(item):
            return self.prior
        moved, explained = self.choices.moved(item), self.choices.explained
        return Normal(mean=self.prior.mean + moved, cov=self.prior.cov - explained)

    def predict(self, belief: Floats, item: Numbers) -> Floats:
        """[n] ratings to come of these items by a user of whom that is believed, within the range that was seen."""
        levels = len(self.knots)
        moved = self.choices.raters[item] @ belief[1:] if self.choices else 0.0
        theta = np.broadcast_to(belief[0] + moved, (len(item), len(belief[0])))
        return self.rated((self.ahead[item] * theta[:, :levels]).sum(axis=1), theta[:, levels:], item)

    def rated(self, level: float | Floats, taste: Floats, item: Numbers) -> Floats:
        """[n] ratings of these items by a user of that level and taste ([F], or [n, F] one for each), within the range
        that was seen.
        """
        known = self.items.mean[item]
        y = known[:, 0] + level + (known[:, 1:] * taste).sum(axis=1)
        return np.clip(self.centre + self.scale * y, self.lowest, self.highest)

    def flat(self) -> "RatingModel":
        """The same items, and for users a prior that knows nothing of them: one deviation for every weight."""
        levels = len(self.knots)
        size = np.maximum(np.sqrt((self.items.mean[:, 1:] ** 2).mean(axis=0)), 1e-6)
        cov = np.diag(np.concatenate([np.full(levels, 1e-6), 1.0 / size**2]))
        cov[:levels, :levels] += 1.0  # a level that doesn't stray
        return replace(self, prior=Normal(mean=np.zeros(len(cov)), cov=cov), choices=None, caution=1.0)


def fit(
    given: Ratings, *, items: int, factors: int, rng: np.random.Generator, rounds: int = ROUNDS, told: int = 0
) -> RatingModel:
    """Learn the items, and what users have in common. `items` counts those that nobody here has rated, too.

    Ratings that are to be predicted come after the first `told` of their user.
    """
    centre, scale = float(given.rating.mean()), float(given.rating.std()) or 1.0
    position = positions(given.user)
    at = knots(position)
    stage = stages(position, at)
    em = Em.start(replace(given, rating=(given.rating - centre) / scale), stage, items, factors, rng)
    for _ in range(rounds):
        em.users()
        em.items()
    known, users = em.known[:, 1], em.user
    return RatingModel(
        centre=centre,
        scale=scale,
        lowest=float(given.rating.min()),
        highest=float(given.rating.max()),
        noise=em.noise,
        items=em.item,
        prior=em.user_prior,
        choices=learn(given, em.item.mean, known, users, told) if told and users is not None else None,
        knots=at,
        ahead=_ahead(given.item, stage, np.flatnonzero(position >= min(told, int(position.max()))), items),
    )


def _ahead(item: Numbers, stage: Floats, late: Numbers, items: int) -> Floats:
    """[items, B] the mean of h over each item's late ratings."""
    by_item, h = Grouping.of(item[late], items), stage[late]
    total = by_item.sums(lambda rows: h[rows]) + USUAL * h.mean(axis=0)
    return np.asarray(total / (by_item.counts + USUAL)[:, None], dtype=np.float64)
