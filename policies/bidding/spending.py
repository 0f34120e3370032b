"""What auctions say of how much is spent at each value for money. Numbers in, numbers out: no clock, no budget.

An auction of value v and price p is won at μ (by bidding v/μ) exactly where v/p ≥ μ. So an auction bid on at μ_t tells
what it would have cost at every μ ≥ μ_t, and nothing below: spend per auction is learned cell by cell of log v/p, each
cell from the auctions that reached it. That is the product-limit idea of Kaplan & Meier (1958) for money, and it never
uses the price of an auction that was lost. A market that has changed is noticed by the cells too. Where all prices have
moved by one factor (`levels`), what is older is moved with them; a market that moves to and fro is taken as it is on
average. Where that doesn't explain it, what is older is dropped: an adaptive window over exponentially growing blocks
(Bifet & Gavaldà 2007).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import exp, log
from typing import Final

import numpy as np

from policies.bidding.blocks import CELLS, FURTHEST, STEPS, WIDTH, Block
from policies.bidding.levels import moves
from policies.linalg import Floats

COARSER: Final = 0.25  # blocks merge while they are smaller than this share of what is newer
LOOK: Final = 0.04  # a block closes, and a change is looked for, after this share of the auctions that count ...
LEAST: Final = 5  # ... or so many of them
FEW: Final = 8  # wins, seen or expected, below which a window says nothing of a change
BELIEVED: Final = 0.9  # probability of a move back at which a market is taken to swing
SUSPECTED: Final = 0.1  # probability of a move from which it is waited for what comes of it
STILL: Final = 0.999  # probability of no move at which a block stays as it is
CERTAIN: Final = 1.0 - exp(-6.0)  # probability of a move at which it is settled


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
    older: list[Block] = field(default_factory=list[Block])  # newest first, at today's prices once a move is settled
    as_were: list[Block] = field(default_factory=list[Block])  # the same, at the prices that there were
    before: Block = field(default_factory=Block)  # the sum of `older`, at what today's prices are believed to be
    direction: float = 0.0  # of the last move that was settled: above 0 where prices rose
    swings: bool = False

    @classmethod
    def after(cls, known: Block, *, origin: float, alarm: float) -> "Spending":
        """What begins with auctions of others, as the oldest that count."""
        return cls(origin=origin, alarm=alarm, older=[known], as_were=[known], before=known)

    @property
    def total(self) -> Block:
        return self.before + self.newest

    def observe(self, value: float, *, log_mu: float, paid: float | None) -> None:
        """One auction, bid on at `log_mu`; `paid` is None where it was lost.

        Prices and value/μ are in one unit, in which the cells of prices lie around 1.
        """
        block = self.newest
        _at(block.bids, (log_mu - self.origin) / WIDTH)
        block.auctions += 1
        block.value += value
        if value <= 0.0:
            return
        _at(block.offers, CELLS / 2 + (log_mu - log(value)) / WIDTH)
        if paid is not None and paid > 0.0:
            cell = _cell((log(value) - log(paid) - self.origin) / WIDTH)
            block.spend[cell] += paid
            block.wins[cell] += 1.0
            block.paid[_cell(CELLS / 2 - log(paid) / WIDTH)] += 1.0
            block.squares += paid * paid

    def refresh(self) -> bool:
        """Now and then, close the newest block and forget all before a change, if there was one. True if it closed."""
        if self.newest.auctions < max(LEAST, LOOK * self.before.auctions):
            return False
        self.older = _merged([self.newest, *self.older])
        self.as_were = _merged([self.newest, *self.as_were])
        self.newest = Block()
        blocks, suspected = self._moved()
        place, strength = self._change()
        if strength > self.alarm and suspected < SUSPECTED:  # else a move may explain what has changed
            self._forget(place)
            blocks = self.older
        self.before = sum(blocks, Block())
        return True

    def _moved(self) -> tuple[list[Block], float]:
        """`older` at what today's prices are believed to be, and the probability of a move that isn't settled."""
        found = None if self.swings or len(self.older) < 2 else moves(self.older)
        if found is None:
            return self.older, 0.0
        moved, gone = found[:, :-1], found[:, -1]
        sure, way = float(moved.sum()), float((moved @ STEPS).sum())
        if sure > BELIEVED and way * self.direction < 0.0:
            self.swings, self.older = True, list(self.as_were)
            return self.older, 0.0
        if gone.sum() > CERTAIN:
            self._forget(int(gone.argmax()))
            return self.older, 0.0
        since = np.cumsum(moved, axis=0)  # [K − 1, S] that prices moved so far after block k
        since[:, FURTHEST] += 1.0 - since.sum(axis=1) - np.cumsum(gone)
        blocks = [
            self.older[0],
            *(
                block if each[FURTHEST] > STILL else block.moved(each)
                for block, each in zip(self.older[1:], since, strict=True)
            ),
        ]
        if sure > CERTAIN:
            self.direction, self.older = way, blocks
            return blocks, 0.0
        return blocks, sure

    def _forget(self, place: int) -> None:
        """All before the block of that place, counted from the newest."""
        del self.older[place + 1 :], self.as_were[place + 1 :]

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


def _cell(at: float) -> int:
    return int(min(CELLS - 1.0, max(0.0, at)))


def _at(cells: Floats, at: float) -> None:
    """One more, shared between the two cells that it lies between."""
    at = min(CELLS - 1e-6, max(0.0, at))
    cell = int(at)
    cells[cell] += cell + 1 - at
    cells[cell + 1] += at - cell


def _merged(blocks: list[Block]) -> list[Block]:
    """Newest first, and the coarser the older; by their lengths alone."""
    newer, merged = 0, list[Block]()
    for block in blocks:
        if merged and merged[-1].auctions + block.auctions <= COARSER * (newer - merged[-1].auctions):
            merged[-1] = merged[-1] + block
        else:
            merged.append(block)
        newer += block.auctions
    return merged


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
