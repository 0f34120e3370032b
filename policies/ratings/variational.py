"""Items, users and what each have in common, by variational EM over who rated what (Lim & Teh 2007).

y = b_i + h·β_u + w_i·t_u + ε, ε ~ N(0, σ²), with θ_u = (β_u, t_u) ~ N(m, Σ) and (b_i, w_i) ~ N(G z_i, P), all
covariances full. h places the rating along its user: a level that strays is one that early ratings tell less of. z_i is
how often the item was rated: what is seldom rated is liked less (ratings are not missing at random; Steck 2010).
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from policies.linalg import Floats
from policies.ratings.normal import Guess, Normal, in_common, posterior
from policies.ratings.sums import Grouping, outer
from policies.ratings.table import Numbers, Ratings

SPREAD: Final = 0.3  # of the first guess of w, in deviations of the ratings
LASTING: Final = 0.1  # first guess of the variance of a user's level that stays ...
STRAYING: Final = 0.1  # ... and of what fades from knot to knot ...
FADE: Final = 0.6  # ... to this share


@dataclass(slots=True, kw_only=True)
class Em:
    """One fit under way, in deviations of the ratings. `user` holds θ, `item` holds (b, w)."""

    given: Ratings
    stage: Floats  # [N, B] h
    by_user: Grouping
    by_item: Grouping
    known: Floats  # [items, 2] z
    item: Guess
    item_prior: Normal
    user_prior: Normal
    user: Guess | None = None
    noise: float = 0.7
    doubt: float = 0.0  # Σ ψᵀ C ψ over ratings: what of the error is the items' uncertainty

    @classmethod
    def start(cls, given: Ratings, stage: Floats, items: int, factors: int, rng: np.random.Generator) -> "Em":
        d, levels = 1 + factors, int(stage.shape[1])
        by_item = Grouping.of(given.item, items)
        mean = SPREAD * rng.standard_normal((items, d))
        mean[:, 0] = by_item.sums(lambda rows: given.rating[rows, None])[:, 0] / (by_item.counts + 5.0)
        return cls(
            given=given,
            stage=stage,
            by_user=Grouping.of(given.user, int(given.user.max()) + 1),
            by_item=by_item,
            known=_fame(by_item.counts),
            item=Guess(mean=mean, cov=np.zeros((items, d, d))),
            item_prior=Normal(mean=np.zeros((items, d)), cov=_first_of_items(factors)),
            user_prior=Normal(mean=np.zeros(levels + factors), cov=_first_of_users(levels, factors)),
        )

    @property
    def levels(self) -> int:
        return int(self.stage.shape[1])

    def users(self) -> None:
        """q(θ_u) given the items; then σ², m and Σ."""
        mean, cov, y, levels = self.item.mean, self.item.cov, self.given.rating, self.levels
        d = levels + mean.shape[1] - 1

        def terms(rows: Numbers) -> Floats:
            item = self.given.item[rows]
            phi = np.concatenate([self.stage[rows], mean[item, 1:]], axis=1)
            second, first = outer(phi), phi * (y[rows] - mean[item, 0])[:, None]
            second[:, levels:, levels:] += cov[item, 1:, 1:]
            first[:, levels:] -= cov[item, 1:, 0]
            return np.concatenate([second.reshape(len(rows), -1), first], axis=1)

        told = self.by_user.sums(terms)
        second, first = told[:, : d * d].reshape(-1, d, d), told[:, d * d :]
        if self.user is not None:
            unsure = float((self.user.cov * second).sum()) + self.doubt
            self.noise = max(1e-6, (self._squares(self.user) + unsure) / len(y))
        self.user = posterior(self.user_prior, second / self.noise, first / self.noise)
        counts = self.by_user.counts
        found = in_common(self.user, counts, _first_of_users(levels, d - levels), np.ones((len(counts), 1)))
        self.user_prior = replace(found, mean=found.mean[0])

    def items(self) -> None:
        """q(b_i, w_i) given the users; then G and P."""
        user = self.user
        if user is None:
            return
        y, levels = self.given.rating, self.levels
        factors = user.mean.shape[1] - levels
        d = 1 + factors

        def terms(rows: Numbers) -> Floats:
            who, stage = self.given.user[rows], self.stage[rows]
            theta, cov = user.mean[who], user.cov[who]
            psi = np.concatenate([np.ones((len(rows), 1)), theta[:, levels:]], axis=1)
            second, first = outer(psi), psi * (y[rows] - (stage * theta[:, :levels]).sum(axis=1))[:, None]
            more = cov[:, levels:, levels:].reshape(len(rows), -1)
            first[:, 1:] -= (stage[:, :, None] * cov[:, :levels, levels:]).sum(axis=1)
            return np.concatenate([second.reshape(len(rows), -1), first, more], axis=1)

        told = self.by_item.sums(terms)
        certain, first = told[:, : d * d].reshape(-1, d, d), told[:, d * d : d * d + d]
        second = certain.copy()
        second[:, 1:, 1:] += told[:, d * d + d :].reshape(len(told), factors, factors)
        self.item = posterior(self.item_prior, second / self.noise, first / self.noise)
        self.doubt = float((self.item.cov * certain).sum())
        self.item_prior = in_common(self.item, self.by_item.counts, _first_of_items(factors), self.known)

    def _squares(self, user: Guess) -> float:
        """Σ (y − f)² at the means."""
        known, who, levels = self.item.mean[self.given.item], user.mean[self.given.user], self.levels
        level = (self.stage * who[:, :levels]).sum(axis=1)
        f = known[:, 0] + level + (known[:, 1:] * who[:, levels:]).sum(axis=1)
        return float(((self.given.rating - f) ** 2).sum())


def _fame(counts: Numbers) -> Floats:
    """[items, 2] 1, and the log of how often each was rated, in deviations."""
    said = np.log1p(counts.astype(np.float64))
    return np.stack([np.ones(len(said)), (said - said.mean()) / max(float(said.std()), 1e-6)], axis=1)


def _first_of_items(factors: int) -> Floats:
    return np.diag([0.3] + [0.1] * factors)


def _first_of_users(levels: int, factors: int) -> Floats:
    found = np.eye(levels + factors)
    apart = np.abs(np.arange(levels)[:, None] - np.arange(levels)[None, :])
    found[:levels, :levels] = LASTING + STRAYING * FADE**apart + 1e-3 * np.eye(levels)
    return found
