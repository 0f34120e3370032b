"""What auctions say of how much is spent at each value for money. Numbers in, numbers out: no clock, no budget.

An auction of value v and price p is won at μ (by bidding v/μ) exactly where v/p ≥ μ. So an auction bid on at μ_t tells
what it would have cost at every μ ≥ μ_t, and nothing below: spend per auction is learned cell by cell of log v/p, each
cell from the auctions that reached it. That is the product-limit idea of Kaplan & Meier (1958) for money, and it never
uses the price of an auction that was lost. A market that has changed is noticed by the cells too, and what is older is
dropped: an adaptive window over exponentially growing blocks (Bifet & Gavaldà 2007).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import log
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CELLS: Final = 400
WIDTH: Final = 0.08  # of a cell, in log v/p
COARSER: Final = 0.25  # blocks merge while they are smaller than this share of what is newer
LOOK: Final = 0.04  # a block closes, and a change is looked for, after this share of the auctions that count ...
LEAST: Final = 5  # ... or so many of them
FEW: Final = 8  # wins, seen or expected, below which a window says nothing of a change


@dataclass(slots=True)
class Block:
    """Neighbouring auctions, summed. Money in units of the caller's choice."""

    spend: Floats = field(default_factory=lambda: np.zeros(CELLS))  # [CELLS]
    wins: Floats = field(default_factory=lambda: np.zeros(CELLS))  # [CELLS]
    bids: Floats = field(default_factory=lambda: np.zeros(CELLS + 1))  # [CELLS + 1] at the cell of the μ bid by
    squares: float = 0.0  # Σ price²
    value: float = 0.0
    auctions: int = 0

    def __add__(self, other: "Block") -> "Block":
        return Block(
            self.spend + other.spend,
            self.wins + other.wins,
            self.bids + other.bids,
            self.squares + other.squares,
            self.value + other.value,
            self.auctions + other.auctions,
        )

    @property
    def reached(self) -> Floats:
        """[CELLS] auctions that tell of each cell."""
        return np.cumsum(self.bids)[:CELLS]

    @property
    def typical(self) -> float:
        """Σ price² / Σ price: the payment that a unit of money spent came in. 0 before any."""
        total = float(self.spend.sum())
        return self.squares / total if total > 0.0 else 0.0


@dataclass(slots=True)
class Spending:
    """The auctions of one flight that still count. `origin` is the log v/p at the left edge of the first cell.

    >>> seen = Spending(origin=-16.0)
    >>> for price in (1.0, 2.0, 9.0):
    ...     seen.observe(4.0, log_mu=0.0, paid=price if price <= 4.0 else None)
    >>> float(seen.total.spend.sum()), float(seen.total.wins.sum())
    (3.0, 2.0)
    """

    origin: float
    alarm: float = 4.5  # standard deviations of a change that is believed
    newest: Block = field(default_factory=Block)
    older: list[Block] = field(default_factory=list[Block])  # newest first
    before: Block = field(default_factory=Block)  # the sum of `older`

    @property
    def total(self) -> Block:
        return self.before + self.newest

    def observe(self, value: float, *, log_mu: float, paid: float | None) -> None:
        """One auction, bid on at `log_mu`; `paid` is None where it was lost."""
        block = self.newest
        at = min(CELLS - 1e-6, max(0.0, (log_mu - self.origin) / WIDTH))
        cell = int(at)
        block.bids[cell] += cell + 1 - at
        block.bids[cell + 1] += at - cell
        block.auctions += 1
        block.value += value
        if paid is not None and paid > 0.0 and value > 0.0:
            cell = min(CELLS - 1, max(0, int((log(value) - log(paid) - self.origin) / WIDTH)))
            block.spend[cell] += paid
            block.wins[cell] += 1.0
            block.squares += paid * paid

    def refresh(self) -> bool:
        """Now and then, close the newest block and forget all before a change, if there was one. True if it closed."""
        if self.newest.auctions < max(LEAST, LOOK * self.before.auctions):
            return False
        self.older.insert(0, self.newest)
        self.newest = Block()
        self._merge()
        place, strength = self._change()
        if strength > self.alarm:
            del self.older[place + 1 :]
        self.before = sum(self.older, Block())
        return True

    def _merge(self) -> None:
        newer, merged = 0, list[Block]()
        for block in self.older:
            if merged and merged[-1].auctions + block.auctions <= COARSER * (newer - merged[-1].auctions):
                merged[-1] = merged[-1] + block
            else:
                merged.append(block)
            newer += block.auctions
        self.older = merged

    def _change(self) -> tuple[int, float]:
        """The cut (after which block, counted from the newest) whose two sides differ most, in deviations."""
        if len(self.older) < 2:
            return 0, 0.0
        reached = np.cumsum([block.reached for block in self.older], axis=0)  # [K, CELLS]
        wins = np.cumsum([block.wins for block in self.older], axis=0)
        spend = np.cumsum([block.spend for block in self.older], axis=0)
        by_count = _deviations(reached, wins, np.ones(len(self.older) - 1))
        typical = sum(block.squares for block in self.older) / max(float(spend[-1].sum()), 1e-300)
        few = np.minimum(wins.sum(axis=1)[:-1], wins[-1].sum() - wins.sum(axis=1)[:-1]) < FEW
        by_money = np.where(few, 0.0, _deviations(reached, spend, np.full(len(self.older) - 1, typical)))
        apart = np.maximum(by_count, by_money)
        place = int(np.argmax(apart))
        return place, float(apart[place])


def market_curve(value: Floats, price: Floats) -> Callable[[float], Floats]:
    """The spend curve of auctions that are all known: the first cell's log v/p in, money per auction by cell out."""
    paid = np.flatnonzero((value > 0.0) & (price > 0.0))
    at, money = np.log(value[paid]) - np.log(price[paid]), price[paid] / len(value)

    def curve(origin: float) -> Floats:
        cell = np.clip((at - origin) / WIDTH, 0, CELLS - 1).astype(np.int64)
        return np.bincount(cell, weights=money, minlength=CELLS).astype(np.float64)

    return curve


def _deviations(reached: Floats, seen: Floats, typical: Floats) -> Floats:
    """[K − 1] |seen − expected| / deviation of the newer side of each cut, expected from the older side's rates.

    `seen` and `reached` are cumulated from the newest on; `typical` is variance over mean of what is seen.
    """
    after, before = reached[:-1], reached[-1] - reached[:-1]
    told = before >= 1.0
    rate = np.where(told, (seen[-1] - seen[:-1]) / np.maximum(before, 1.0), 0.0)
    expected = (after * rate).sum(axis=1)
    found = np.where(told, seen[:-1], 0.0).sum(axis=1)
    unsure = (after**2 * rate / np.maximum(before, 1.0)).sum(axis=1)
    enough = np.maximum(expected, found) >= FEW * typical
    deviation = np.sqrt(typical * np.maximum(expected + unsure, FEW * typical))
    return np.where(enough, np.abs(found - expected) / np.maximum(deviation, 1e-300), 0.0)
