"""Auctions summed by their value for money, log v/p, and by price, in cells. Numbers only: no clock, no budget."""

from dataclasses import dataclass, field
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


def _moved(cells: Floats, weights: Floats) -> Floats:
    """Each cell's content so many STEPS down; what would leave stays in the last cell of its side."""
    everywhere = np.convolve(cells, weights[::-1])
    found = everywhere[FURTHEST : FURTHEST + len(cells)].copy()
    found[0] += everywhere[:FURTHEST].sum()
    found[-1] += everywhere[FURTHEST + len(cells) :].sum()
    return found
