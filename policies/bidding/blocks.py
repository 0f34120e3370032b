"""Auctions summed by their value for money, log v/p, and by price, in cells. Numbers only: no clock, no budget."""

from dataclasses import dataclass, field
from math import exp
from typing import Final

import numpy as np

from policies.linalg import Floats

CELLS: Final = 400
WIDTH: Final = 0.08  # of a cell, in log v/p
FURTHEST: Final = 24  # cells that a level is taken to move: prices 6.8 times as high, or as low
STEPS: Final = np.arange(-FURTHEST, FURTHEST + 1)  # [S] cells; 1: prices are e^WIDTH times as high
_FACTORS: Final = np.exp(STEPS * WIDTH)
_SQUARES: Final = np.exp(2.0 * STEPS * WIDTH)


@dataclass(slots=True)
class Block:
    """Neighbouring auctions, summed. Money in units of the caller's choice."""

    spend: Floats = field(default_factory=lambda: np.zeros(CELLS))  # [CELLS]
    wins: Floats = field(default_factory=lambda: np.zeros(CELLS))  # [CELLS]
    bids: Floats = field(default_factory=lambda: np.zeros(CELLS + 1))  # [CELLS + 1] at the cell of the μ bid by
    paid: Floats = field(default_factory=lambda: np.zeros(CELLS))  # [CELLS] wins, by −log p
    offers: Floats = field(default_factory=lambda: np.zeros(CELLS + 1))  # [CELLS + 1] bids, by −log b
    squares: float = 0.0  # Σ price²
    value: float = 0.0
    auctions: int = 0

    def __add__(self, other: "Block") -> "Block":
        return Block(
            self.spend + other.spend,
            self.wins + other.wins,
            self.bids + other.bids,
            self.paid + other.paid,
            self.offers + other.offers,
            self.squares + other.squares,
            self.value + other.value,
            self.auctions + other.auctions,
        )

    @property
    def reached(self) -> Floats:
        """[CELLS] auctions that tell of each cell."""
        return np.cumsum(self.bids)[:CELLS]

    @property
    def outbid(self) -> Floats:
        """[CELLS] auctions that tell of each cell of prices: those with bids as high, or higher."""
        return np.cumsum(self.offers)[:CELLS]

    @property
    def typical(self) -> float:
        """Σ price² / Σ price: the payment that a unit of money spent came in. 0 before any."""
        total = float(self.spend.sum())
        return self.squares / total if total > 0.0 else 0.0

    def times(self, share: float) -> "Block":
        """As if they had been so many times as many."""
        return Block(
            self.spend * share,
            self.wins * share,
            self.bids * share,
            self.paid * share,
            self.offers * share,
            self.squares * share,
            self.value * share,
            round(self.auctions * share),
        )

    def dearer(self, by: float) -> "Block":
        """The same with all money e^by times as much, in another currency for one.

        >>> block = Block(spend=np.eye(CELLS)[200], wins=np.eye(CELLS)[200], squares=1.0, auctions=1)
        >>> other = block.dearer(20.5 * WIDTH)
        >>> other.wins[179:181].tolist(), round(other.typical / exp(20.5 * WIDTH), 6)
        ([0.5, 0.5], 1.0)
        """
        cells, factor = by / WIDTH, exp(by)
        return Block(
            _shifted(self.spend, -cells) * factor,
            _shifted(self.wins, -cells),
            _shifted(self.bids, -cells),
            _shifted(self.paid, -cells),
            _shifted(self.offers, -cells),
            self.squares * factor * factor,
            self.value,
            self.auctions,
        )

    def moved(self, weights: Floats) -> "Block":
        """What these auctions would have told at prices e^(STEPS·WIDTH) times as high, each with its weight, [S].

        >>> block = Block(spend=np.eye(CELLS)[200], wins=np.eye(CELLS)[200], squares=1.0, auctions=1)
        >>> dearer = block.moved(np.eye(len(STEPS))[FURTHEST + 10])
        >>> int(dearer.wins.argmax()), round(float(dearer.spend[190]), 3)
        (190, 2.226)
        """
        return Block(
            _moved(self.spend, weights * _FACTORS),
            _moved(self.wins, weights),
            _moved(self.bids, weights),
            _moved(self.paid, weights),
            _moved(self.offers, weights),
            self.squares * float(weights @ _SQUARES),
            self.value,
            self.auctions,
        )


def _shifted(cells: Floats, by: float) -> Floats:
    """Each cell's content so many cells up, shared between two; what would leave stays in the last cell of its side."""
    at = np.arange(len(cells)) + by
    low = np.floor(at)
    found, last = np.zeros(len(cells)), len(cells) - 1
    for place, share in ((low, low + 1.0 - at), (low + 1.0, at - low)):
        found += np.bincount(np.clip(place, 0, last).astype(np.int64), weights=cells * share, minlength=len(cells))
    return found


def _moved(cells: Floats, weights: Floats) -> Floats:
    """Each cell's content so many STEPS down; what would leave stays in the last cell of its side."""
    everywhere = np.convolve(cells, weights[::-1])
    found = everywhere[FURTHEST : FURTHEST + len(cells)].copy()
    found[0] += everywhere[:FURTHEST].sum()
    found[-1] += everywhere[FURTHEST + len(cells) :].sum()
    return found
