"""What markets have in common: a prior over how spend falls as more value is asked for money. No clock, no currency.

In a market with log-normal values and prices, the money spent per auction at value for money μ is
S(μ) = p̄·Φ((a − log μ)/b): p̄ the mean price, and a, b the price-weighted mean and deviation of log v/p. Money is
counted in budgets per auction ρ, value in its mean v̄, so that no unit matters: log p̄/ρ runs from "all can be had" to
"1 in 100".
A prior is a weight for each of a fixed grid of such markets; its posterior mean, cell by cell, is what is expected
where the flight itself has seen nothing. Of first-price auctions the prices themselves are believed: log-normal, in ρ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import erf, sqrt
from typing import Final

import numpy as np

from policies.artefact import Array
from policies.bidding.blocks import CELLS, WIDTH, Block
from policies.bidding.landscape import Landscape
from policies.bidding.pacing import DOMAIN, SCHEMA
from policies.linalg import Floats
from policies.shipped import tensors

REACH: Final = CELLS  # cells on either side of log v̄/ρ that a market is laid out over
TINY: Final = 1e-12

_PRICES: Final = np.linspace(-2.5, 5.5, 33)  # log p̄/ρ
_SPREADS: Final = (0.3, 0.6, 1.0, 1.6, 2.4)  # b
_OFFSETS: Final = (-0.6, 0.0, 0.6)  # of a, from where independent log-normals have it
GRID: Final = np.array(
    [(h, -h - b * b / 2 + offset, b) for h in _PRICES for b in _SPREADS for offset in _OFFSETS]
)  # [G, 3] log p̄/ρ, a − log v̄/ρ, b


@cache
def curves() -> Floats:
    """[G, 2·REACH] money spent per auction in each cell of log v/p, the middle being log v̄/ρ."""
    edges = (np.arange(2 * REACH + 1) - REACH) * WIDTH
    at = (edges[None, :] - GRID[:, 1:2]) / GRID[:, 2:3]
    below = np.array([0.5 * (1.0 + erf(x / sqrt(2.0))) for x in at.ravel().tolist()]).reshape(at.shape)
    return np.exp(GRID[:, :1]) * np.diff(below, axis=1)


@cache
def _log_curves() -> Floats:
    return np.log(curves() + TINY)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketPrior:
    """`log_weight` of each market of GRID, [G]; `strength` is what its curve counts for, in auctions."""

    log_weight: Floats
    strength: float
    alarm: float  # deviations at which a change of the market is believed
    haste: float  # spend this many times as fast as would last: a price that rises takes more than one that falls gives
    price: tuple[float, float, float] = (0.0, 1.0, 0.0)  # of log price/ρ: mean, deviation, strength in auctions

    @property
    def landscape(self) -> Landscape:
        """What the highest rival bid is believed to be, in ρ, before any auction."""
        return Landscape.open({"price": self.price})

    def expected(self, seen: Block, middle: float) -> Floats:
        """[CELLS] money per auction in each cell, given what was seen; `middle` is the cell of log v̄/ρ."""
        weight = self.log_weight + evidence(seen, middle)
        posterior = np.exp(weight - weight.max())
        start = _start(middle)
        return (posterior / posterior.sum()) @ curves()[:, start : start + CELLS]


def evidence(seen: Block, middle: float) -> Floats:
    """[G] log likelihood of each market, quasi-Poisson: money comes in lumps of its typical payment."""
    start = _start(middle)
    told = -(curves()[:, start : start + CELLS] @ seen.reached)
    if seen.typical > 0.0:
        paid = np.flatnonzero(seen.spend)
        told = (told + _log_curves()[:, start + paid] @ seen.spend[paid]) / seen.typical
    return told


def _start(middle: float) -> int:
    return min(REACH, max(0, round(REACH - middle)))


FLAT: Final = MarketPrior(log_weight=np.zeros(len(GRID)), strength=30.0, alarm=4.5, haste=1.0)


def from_tensors(tensors: Mapping[str, Array]) -> MarketPrior:
    """The prior that an artefact holds. Raises KeyError or ValueError for one that doesn't fit."""
    weights = np.asarray(tensors["log_weight"], dtype=np.float64)
    if weights.shape != (len(GRID),) or not np.isfinite(weights).all():
        raise ValueError(f"log_weight must be {len(GRID)} finite numbers")
    strength, alarm, haste = (float(x) for x in tensors["settings"])
    mean, deviation, auctions = (float(x) for x in tensors.get("landscape", np.array(FLAT.price)))
    if not (np.isfinite([mean, auctions]).all() and 0.0 < deviation < np.inf):
        raise ValueError("landscape must be a finite mean, a deviation above 0 and a finite strength")
    price = mean, deviation, auctions
    return MarketPrior(log_weight=weights, strength=strength, alarm=alarm, haste=haste, price=price)


@cache
def shipped() -> MarketPrior:
    """The prior that ships with the package. Raises ArtefactError for a file that is damaged."""
    return from_tensors(tensors(DOMAIN, schema=SCHEMA))
