"""Ratings as columns, and how far along its user each of them is. No file, no clock."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from policies.linalg import Floats

Numbers = npt.NDArray[np.int64]

KNOTS: Final = (0, 7, 29, 119)  # ratings of a user before the one at hand
SHARE: Final = 0.05  # of all ratings that lie at or beyond a knot, or it isn't used


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Ratings by number of user and item, both counted from 0 and without gaps for users; oldest first."""

    user: Numbers  # [N]
    item: Numbers  # [N]
    rating: Floats  # [N]


def positions(user: Numbers) -> Numbers:
    """How many ratings of the same user stand before each.

    >>> positions(np.array([4, 7, 4, 4])).tolist()
    [0, 0, 1, 2]
    """
    order = np.argsort(user, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(user[order]) != 0]))
    found = np.empty(len(user), dtype=np.int64)
    found[order] = np.arange(len(user)) - np.repeat(starts, np.diff(np.append(starts, len(user))))
    return found


def knots(position: Numbers) -> tuple[int, ...]:
    """Those of KNOTS that enough ratings lie beyond; the first one always."""
    return tuple(knot for knot in KNOTS if knot == 0 or float((position >= knot).mean()) >= SHARE)


def stages(position: Numbers, at: tuple[int, ...]) -> Floats:
    """[n, len(at)] the weights of the knots at each position: between two, linear in the logarithm; they sum to 1.

    >>> stages(np.array([0, 1, 3, 9]), (0, 3)).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.0, 1.0]]
    """
    z, places = np.log1p(position.astype(np.float64)), np.log1p(np.array(at, dtype=np.float64))
    return np.stack([np.interp(z, places, row) for row in np.eye(len(at))], axis=1)
