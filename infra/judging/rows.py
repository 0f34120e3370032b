"""Judged decisions that are handed on at once, and what every sum over them takes: worked out once, for all rivals."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from infra.judging.score import Match, Scored
from infra.judging.strand import group_of
from policies.estimators.logged import Slates
from policies.linalg import Floats
from streams.times import DAY

Places = npt.NDArray[np.intp]  # of rows in their batch


@dataclass(frozen=True, slots=True)
class Row:
    """A decision that is judged: what was scored of it, and what it earned, by slot."""

    scored: Scored
    rewards: list[float]

    @property
    def earned(self) -> float:
        return sum(self.rewards)


class Batch:
    """Rows of one domain. Arrays are in their order."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, rival: int) -> tuple["Batch", list[Match]]:
        """The decisions of which this rival says something, and what it says."""
        matches = [row.scored.matches[rival] for row in self.rows]
        told = [match for match in matches if match is not None]
        if len(told) == len(matches):
            return self, told
        return Batch([row for row, match in zip(self.rows, matches, strict=True) if match is not None]), told

    @cached_property
    def earned(self) -> Floats:
        """[n] what each earned in all."""
        return np.array([row.earned for row in self.rows])

    @cached_property
    def served(self) -> Floats:
        """[n] Ψ of what served: its weights are 1."""
        return np.array([row.earned + sum(row.scored.served) - sum(row.scored.predicted) for row in self.rows])

    @cached_property
    def group(self) -> npt.NDArray[np.intp]:
        """[n] the group that each one's entity belongs to."""
        return np.array([group_of(row.scored.entity) for row in self.rows], dtype=np.intp)

    @cached_property
    def days(self) -> Mapping[int, Places]:
        """Where the rows of each day are."""
        found: dict[int, list[int]] = defaultdict(list)
        for place, row in enumerate(self.rows):
            found[row.scored.at // DAY].append(place)
        return {day: np.array(places) for day, places in found.items()}

    @cached_property
    def segments(self) -> Mapping[tuple[str, str], Places]:
        """Where the rows of each segment are, by its kind and name, as they first come."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place, row in enumerate(self.rows):
            for segment in row.scored.segments:
                found[segment].append(place)
        return {segment: np.array(places) for segment, places in found.items()}

    def under(self, matches: Sequence[Match]) -> Slates:
        """The rows as slates [n, k], with one rival's match of each as the target."""
        logged, to_come = self._logged
        return replace(
            logged,
            target_propensity=np.minimum(self._padded([match.slots for match in matches]), 1.0),
            v_target=self._padded([match.expected for match in matches]) + to_come,
        )

    @cached_property
    def _logged(self) -> tuple[Slates, Floats]:
        """What was logged, as its own target, and the value to go after each slot [n, k].

        The reward model's value to go adds, to the slot's own r̂, the highest r̂ of those that follow. What follows must
        be told by the situation alone, not by the action: then V is exactly the mean of Q.
        """
        scored = [row.scored for row in self.rows]
        best = self._padded([one.best for one in scored])
        to_come = np.cumsum(best[:, ::-1], axis=1)[:, ::-1] - best
        propensity, q = self._padded([one.slots for one in scored]), self._padded([one.predicted for one in scored])
        slates = Slates(
            reward=self._padded([row.rewards for row in self.rows]),
            propensity=propensity,
            target_propensity=propensity,
            cluster=np.array([_hash(one.entity) for one in scored], dtype=np.uint64),
            filled=np.arange(self._slots) < np.array([len(row.rewards) for row in self.rows])[:, None],
            q_logged=q + to_come,
            v_target=q + to_come,
        )
        return slates, to_come

    @cached_property
    def _slots(self) -> int:
        return max(len(row.rewards) for row in self.rows)

    def _padded(self, of: Sequence[Sequence[float]]) -> Floats:
        return np.array([[*one, *[0.0] * (self._slots - len(one))] for one in of])


def _hash(entity: str) -> int:
    return int.from_bytes(blake2b(entity.encode(), digest_size=8).digest(), "little")
