"""Whether all prices have moved by one factor, and by which: then the market keeps its shape, and little is unlearned.

Prices are known where they were paid, and otherwise to lie above a bid. So for each cut between neighbouring blocks and
each s on a grid, the wins since are asked how likely they are under the prices before, all e^s times as high: a
posterior over when the level last changed, if it did (run lengths: Adams & MacKay 2007), and how far. A few wins and
losses say that; to learn the curve of spend anew takes hundreds. Beside them stands another market altogether: the wins
since under their own rates, less what so many free numbers would gain by chance (Schwarz 1978). Values say nothing
here. Arrays in, arrays out.
"""

from math import log
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from policies.bidding.blocks import CELLS, FURTHEST, STEPS, WIDTH, Block
from policies.linalg import Floats

HAZARD: Final = 1 / 2_000  # of a change, each auction
SPREAD: Final = 0.6  # deviation of the log of a change's factor
TOLD: Final = 8.0  # wins before a change that it takes to know of one
KNOWN: Final = 2.0  # auctions that have to tell of a cell
SMOOTH: Final = 3.0  # deviation in cells of the kernel that rates are smoothed with ...
MANY: Final = 60.0  # ... of up to so many wins; of more it's narrower, or its bias would pass for a move
EDGE: Final = 6  # cells whose mean rate is that of the cells beyond them, of which nothing is known
FREE: Final = 8.0  # numbers that a curve of its own has
LEAST: Final = 1e-5  # wins per auction and cell
NEGLIGIBLE: Final = -7.0  # log odds of all changes below which there is none

_OFFSETS: Final = np.arange(-8, 9)
_BELL: Final = np.where(STEPS == 0, 0.0, np.exp(-0.5 * (STEPS * WIDTH / SPREAD) ** 2))
with np.errstate(divide="ignore"):
    _PRIOR: Final = np.log(_BELL / _BELL.sum())


def moves(blocks: list[Block]) -> Floats | None:
    """[K − 1, S + 1] probability that prices last moved after block k, counted from the newest, and so far.

    The last column: that another market began there. What is missing to 1 is the probability that nothing changed;
    None: it's as good as certain.
    """
    odds = _log_odds(blocks)
    if odds is None or odds.max() < NEGLIGIBLE:
        return None
    most = max(0.0, float(odds.max()))
    found = np.exp(odds - most)
    return found / (found.sum() + np.exp(-most))


def _log_odds(blocks: list[Block]) -> Floats | None:
    """[K − 1, S + 1] against no change at all."""
    wins, reached = (
        np.cumsum(np.stack(each), axis=0) for each in ([b.paid for b in blocks], [b.outbid for b in blocks])
    )
    auctions = np.cumsum([block.auctions for block in blocks])
    won = np.flatnonzero(wins[-1])
    if not len(won):
        return None
    high = min(CELLS, int(won[-1]) + FURTHEST + 1)
    odds = np.full((len(blocks) - 1, len(STEPS) + 1), -np.inf)
    for cut in range(len(blocks) - 1):
        before = wins[-1] - wins[cut]
        if before.sum() < TOLD:
            continue
        rates = _rates(before, reached[-1] - reached[cut])
        low = min(high - 1, int(np.argmax(reached[cut] > 0.0)))
        moved, log_moved = (
            sliding_window_view(each, high - low)[low : low + len(STEPS)] for each in (rates, np.log(rates))
        )
        own = _rates(wins[cut], reached[cut])[FURTHEST + low : FURTHEST + high]
        curves, log_curves = np.vstack([moved, own]), np.vstack([log_moved, np.log(own)])
        likelihood = log_curves @ wins[cut][low:high] - curves @ reached[cut][low:high]  # Poisson
        sure = 1.0 - auctions[cut] / auctions[-1]  # the rates before are estimates too
        odds[cut] = sure * (likelihood - likelihood[FURTHEST]) + log(HAZARD * blocks[cut].auctions)
        odds[cut, :-1] += _PRIOR
        odds[cut, -1] -= 0.5 * FREE * log(1.0 + wins[cut].sum())
    return odds


def _rates(wins: Floats, reached: Floats) -> Floats:
    """[CELLS + 2·FURTHEST] wins per auction in each cell, smoothed, and going on beyond both ends."""
    width = min(SMOOTH, max(1.0, SMOOTH * (MANY / max(1.0, float(wins.sum()))) ** (1 / 3)))
    kernel = np.exp(-0.5 * (_OFFSETS / width) ** 2)
    kernel /= kernel.sum()
    told = np.convolve(reached, kernel, "same")
    first = int(np.argmax(told >= KNOWN))
    rates = np.convolve(wins, kernel, "same")[first:] / np.maximum(told[first:], 1e-9)
    beyond = np.full(FURTHEST + first, rates[:EDGE].mean())
    return np.maximum(np.concatenate([beyond, rates, np.zeros(FURTHEST)]), LEAST)
