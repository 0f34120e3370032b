"""One step of the policy's gradient: how a prior should rank what was shown, and how much it should explore.

Maximised, from the prior that serves, are in units that need no scale

    what the order of pairs earns (policies.meta.pairs), as a share of what it could
    + the predictive log-likelihood per outcome, which fixes what no order tells: the level, and rare features
    − `TIED` times KL(before ‖ after) of the order of a pair

first over the mean, by natural gradient, then over the width and the temperature of exploration, on a grid. The
covariance stays, so that each posterior mean is linear in the prior's. For the mean, orders are blurred as if as much
were explored as ships, and more where scores lie far apart: what is all but certain has no slope, and a trust region in
its logits would hold everything. One step is short: versions go on from each other. Exploring less seems to earn more
as long as the order is right at all; it is never less than `LEAST` of what ships, so that there is something to learn
from, and to judge the next version by.
"""

from itertools import product
from typing import Any, Final, NamedTuple

import numpy as np

from policies.beliefs.logistic import sigmoid
from policies.linalg import Floats
from policies.meta.pairs import Margins, Pairs
from policies.meta.slots import Slots, accumulate, believe, spread, whiten
from policies.slates.evidence import GaussianPrior

LEAST: Final = 0.25  # of the width, and of the temperature, that ship
TIED: Final = 0.4
_SETTLED: Final = 400.0  # slates of which some slots earned more than others: with fewer, the mean is tied more
_BLURRED: Final = 0.03  # of the mean square by which scores differ
_STEPS: Final = 15
_RATE: Final = 0.5  # of a Newton step
_TIMES: Final = (0.5, 0.5**0.5, 1.0, 2**0.5, 2.0)  # multiples of the width and of the temperature that are tried
_RIDGE: Final = 1e-9
_LEAST_CHANCE: Final = 1e-12

_linalg: Any = np.linalg  # the stubs of `solve` leave the types open


class Explored(NamedTuple):
    """How much: the width of the posterior's draws, and the temperature of the noise that is added to scores."""

    width: float
    temperature: float


def steer(
    slots: Slots, now: GaussianPrior, temperature: float, ships: Explored, memory_ms: float
) -> tuple[Floats, Explored] | None:
    """The mean [d] to which drawn slates lead from that of `now`, and how much to explore; None: they say nothing."""
    serving = Explored(now.width, temperature)
    pairs = Pairs.of(slots, np.ones_like(slots.at))
    margins = Margins.of(pairs, slots, now, memory_ms)
    worth = pairs.fair(margins.chance(*serving)) * pairs.worth
    if not worth.any():
        return None
    weight = worth / worth.sum()
    blur = np.sqrt(margins.blur(*ships) ** 2 + _BLURRED * (weight @ margins.level**2))
    tied = TIED * (1.0 + _SETTLED / pairs.slates)
    by = _climb(margins, weight, blur, _fit(slots, now, memory_ms), tied)
    return now.mean + by, _explore(margins.moved(by), weight, serving, ships)


def _climb(margins: Margins, weight: Floats, blur: Floats, fit: tuple[Floats, Floats], tied: float) -> Floats:
    """How far to move the mean [d]: by Newton's steps, with a curvature that is above that of each part.

    KL is kept to by its bound, an eighth of the square by which the logit of an order moves.
    """
    quadratic, linear = fit
    x, logit = margins.slope / blur[:, None], margins.level / blur
    fisher = (x * weight[:, None]).T @ x / 4.0
    curvature = (tied + 1.0) * fisher + quadratic
    curvature += np.diag(_RIDGE * (1.0 + np.diag(curvature)))
    moved = np.zeros(len(linear))
    for _ in range(_STEPS):
        chance = sigmoid(logit + x @ moved)
        earned = (weight * 2.0 * chance * (1.0 - chance)) @ x
        uphill = earned + linear - quadratic @ moved - tied * (fisher @ moved)
        moved = moved + _RATE * np.asarray(_linalg.solve(curvature, uphill), dtype=np.float64)
    return moved


def _fit(slots: Slots, now: GaussianPrior, memory_ms: float) -> tuple[Floats, Floats]:
    """Q [d, d] and l [d] of log p = l·u − ½uᵀQu + …, per outcome, when the prior's mean is moved by u."""
    beliefs = believe(now, accumulate(slots, now.noise, memory_ms))
    slope = slots.phi @ (beliefs.covariance @ now.precision)  # not einsum: of three operands it is a loop over all six
    off = slots.y - np.einsum("etni,eti->etn", slots.phi, beliefs.mean)
    white = whiten(spread(slots, beliefs, now.noise), np.concatenate([slope, off[..., None]], axis=3))
    left, right = white[..., : now.size].reshape(-1, now.size), white[..., now.size].ravel()
    return left.T @ left / slots.known.sum(), left.T @ right / slots.known.sum()


def _explore(margins: Margins, weight: Floats, now: Explored, ships: Explored) -> Explored:
    """What earns most among a few, not far from what serves."""
    before = margins.chance(*now)
    tried = [
        Explored(max(LEAST * ships.width, now.width * wider), max(LEAST * ships.temperature, now.temperature * hotter))
        for wider, hotter in product(_TIMES, _TIMES)
    ]
    return max(tried, key=lambda one: _worth(margins.chance(*one), before, weight))


def _worth(chance: Floats, before: Floats, weight: Floats) -> float:
    kl = before * _log_ratio(before, chance) + (1.0 - before) * _log_ratio(1.0 - before, 1.0 - chance)
    return float((weight * (2.0 * chance - TIED * kl)).sum())


def _log_ratio(one: Floats, other: Floats) -> Floats:
    return np.log(np.maximum(one, _LEAST_CHANCE) / np.maximum(other, _LEAST_CHANCE))
