"""How a user rates: what is known of items, and a belief about the user that a few ratings move in closed form.

y = μ + b_i + φ_i·θ_u + ε, with φ_i = (1, w_i), θ_u ~ N(m, Σ), (b_i, w_i) ~ N(p, P), ε ~ N(0, σ²). Items, m, Σ, P and σ²
are learned from users who have rated much, by variational EM (Lim & Teh 2007; with full covariances); a new user starts
from N(m, Σ), whatever the scale of the ratings. How unsure items are is carried along. No file, no clock.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from policies.linalg import Floats
from policies.ratings.sums import Grouping, outer

Numbers = npt.NDArray[np.int64]

ROUNDS: Final = 25
PSEUDO: Final = 3.0  # users and items that the first guess of Σ and P counts for
SPREAD: Final = 0.3  # of the first guess of w, in deviations of the ratings


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Ratings by number of user and item, both counted from 0 and without gaps for users."""

    user: Numbers  # [N]
    item: Numbers  # [N]
    rating: Floats  # [N]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """Gaussian beliefs of many: means [n, D] and covariances [n, D, D]."""

    mean: Floats
    cov: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """What they have in common."""

    mean: Floats  # [D]
    cov: Floats  # [D, D]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingModel:
    """The items, and the prior of a user; in deviations of the ratings. D = 1 + number of factors."""

    centre: float
    scale: float
    lowest: float
    highest: float
    noise: float  # σ²
    items: Guess  # (b_i, w_i)
    prior: Normal  # θ

    @property
    def dimension(self) -> int:
        return len(self.prior.mean)

    def adapt(self, item: Numbers, rating: Floats) -> Floats:
        """[D] mean of θ for a user who gave these ratings."""
        phi = _with_one(self.items.mean[item, 1:])
        y = (rating - self.centre) / self.scale - self.items.mean[item, 0]
        precision = np.linalg.inv(self.prior.cov)
        right = precision @ self.prior.mean + (phi.T @ y) / self.noise
        precision = precision + phi.T @ phi / self.noise
        precision[1:, 1:] += self.items.cov[item, 1:, 1:].sum(axis=0) / self.noise
        right[1:] -= self.items.cov[item, 1:, 0].sum(axis=0) / self.noise
        return np.asarray(np.linalg.solve(precision, right), dtype=np.float64)

    def predict(self, theta: Floats, item: Numbers) -> Floats:
        """[n] ratings of these items by a user of weights `theta`, within the range that was seen."""
        known = self.items.mean[item]
        y = known[:, 0] + theta[0] + known[:, 1:] @ theta[1:]
        return np.clip(self.centre + self.scale * y, self.lowest, self.highest)

    def flat(self) -> "RatingModel":
        """The same items, and for users a prior that knows nothing of them: one deviation for every weight."""
        size = np.sqrt((_with_one(self.items.mean[:, 1:]) ** 2).mean(axis=0))
        prior = Normal(mean=np.zeros(len(size)), cov=np.diag(1.0 / np.maximum(size, 1e-6) ** 2))
        return replace(self, prior=prior)


def fit(given: Ratings, *, items: int, factors: int, rng: np.random.Generator, rounds: int = ROUNDS) -> RatingModel:
    """Learn the items, and what users have in common. `items` counts those that nobody here has rated, too."""
    centre, scale = float(given.rating.mean()), float(given.rating.std()) or 1.0
    em = _Em.start(replace(given, rating=(given.rating - centre) / scale), items, factors, rng)
    for _ in range(rounds):
        em.users()
        em.items_()
    return RatingModel(
        centre=centre,
        scale=scale,
        lowest=float(given.rating.min()),
        highest=float(given.rating.max()),
        noise=em.noise,
        items=em.item,
        prior=em.user_prior,
    )


@dataclass(slots=True, kw_only=True)
class _Em:
    """One fit under way. `user` holds θ, `item` holds (b, w)."""

    given: Ratings
    by_user: Grouping
    by_item: Grouping
    item: Guess
    item_prior: Normal
    user_prior: Normal
    user: Guess | None = None
    noise: float = 0.7
    doubt: float = 0.0  # Σ ψᵀ C ψ over ratings: what of the error is the items' uncertainty

    @classmethod
    def start(cls, given: Ratings, items: int, factors: int, rng: np.random.Generator) -> "_Em":
        d = 1 + factors
        by_item = Grouping.of(given.item, items)
        mean = SPREAD * rng.standard_normal((items, d))
        mean[:, 0] = by_item.sums(lambda rows: given.rating[rows, None])[:, 0] / (by_item.counts + 5.0)
        return cls(
            given=given,
            by_user=Grouping.of(given.user, int(given.user.max()) + 1),
            by_item=by_item,
            item=Guess(mean=mean, cov=np.zeros((items, d, d))),
            item_prior=_first(d, 0.3, 0.1),
            user_prior=_first(d, 0.3, 1.0),
        )

    def users(self) -> None:
        """q(θ_u) given the items; then σ², m and Σ."""
        mean, cov, y = self.item.mean, self.item.cov, self.given.rating
        d = mean.shape[1]

        def terms(rows: Numbers) -> Floats:
            item = self.given.item[rows]
            phi = _with_one(mean[item, 1:])
            second, first = outer(phi), phi * (y[rows] - mean[item, 0])[:, None]
            second[:, 1:, 1:] += cov[item, 1:, 1:]
            first[:, 1:] -= cov[item, 1:, 0]
            return np.concatenate([second.reshape(len(rows), -1), first], axis=1)

        told = self.by_user.sums(terms)
        second, first = told[:, : d * d].reshape(-1, d, d), told[:, d * d :]
        if self.user is not None:
            unsure = float((self.user.cov * second).sum()) + self.doubt
            self.noise = max(1e-6, (self._squares(self.user) + unsure) / len(y))
        self.user = _posterior(self.user_prior, second / self.noise, first / self.noise)
        self.user_prior = _in_common(self.user, self.by_user.counts > 0, _first(d, 0.3, 1.0))

    def items_(self) -> None:
        """q(b_i, w_i) given the users; then p and P."""
        user = self.user
        if user is None:
            return
        y, d = self.given.rating, user.mean.shape[1]

        def terms(rows: Numbers) -> Floats:
            who = self.given.user[rows]
            psi = _with_one(user.mean[who, 1:])
            second, first = outer(psi), psi * (y[rows] - user.mean[who, 0])[:, None]
            more = user.cov[who, 1:, 1:].reshape(len(rows), -1)
            first[:, 1:] -= user.cov[who, 1:, 0]
            return np.concatenate([second.reshape(len(rows), -1), first, more], axis=1)

        told = self.by_item.sums(terms)
        certain, first = told[:, : d * d].reshape(-1, d, d), told[:, d * d : d * d + d]
        second = certain.copy()
        second[:, 1:, 1:] += told[:, d * d + d :].reshape(len(told), d - 1, d - 1)
        self.item = _posterior(self.item_prior, second / self.noise, first / self.noise)
        self.doubt = float((self.item.cov * certain).sum())
        self.item_prior = _in_common(self.item, self.by_item.counts > 0, _first(d, 0.3, 0.1))

    def _squares(self, user: Guess) -> float:
        """Σ (y − f)² at the means."""
        known, who = self.item.mean[self.given.item], user.mean[self.given.user]
        f = known[:, 0] + who[:, 0] + (known[:, 1:] * who[:, 1:]).sum(axis=1)
        return float(((self.given.rating - f) ** 2).sum())


def _with_one(w: Floats) -> Floats:
    return np.concatenate([np.ones((len(w), 1)), w], axis=1)


def _first(d: int, bias: float, factor: float) -> Normal:
    return Normal(mean=np.zeros(d), cov=np.diag([bias] + [factor] * (d - 1)))


def _posterior(prior: Normal, second: Floats, first: Floats) -> Guess:
    precision = np.linalg.inv(prior.cov)
    cov = np.asarray(np.linalg.inv(precision + second), dtype=np.float64)
    return Guess(mean=(cov @ (precision @ prior.mean + first)[:, :, None])[:, :, 0], cov=cov)


def _in_common(guess: Guess, seen: npt.NDArray[np.bool_], first: Normal) -> Normal:
    """The normal that those seen come from, the first guess counting as a few more."""
    mean = guess.mean[seen].mean(axis=0)
    apart = guess.mean[seen] - mean
    scatter = guess.cov[seen].sum(axis=0) + apart.T @ apart + PSEUDO * first.cov
    return Normal(mean=mean, cov=np.asarray(scatter / (int(seen.sum()) + PSEUDO), dtype=np.float64))
