"""Logged decisions as arrays: what estimators are given. No I/O, no policy, no time zone.

A row is a decision whose outcome is final. Rows that can't be used are counted by whoever reads them, and never come
here: these classes raise ValueError instead of guessing.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]
Times = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]

_CHANCES: Final = ("propensity", "target_propensity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """Decisions of one action each, in the order of their time.

    `cluster` groups rows that aren't independent (all of one user, say): intervals treat a cluster as one draw. It is
    a hash, of the entity where there is one and else of the decision. `q_logged` and `v_target` come from one reward
    model that wasn't fitted on the row's own cluster: q(x, a) of the logged action, and Σ_a π(a|x) q(x, a) of the
    target policy. `q_mrdr` and `v_mrdr` are the same of a model fitted with MRDR's weights.
    """

    reward: Floats  # [n]
    propensity: Floats  # [n] in (0, 1]: how likely the logging policy was to do what it did
    target_propensity: Floats  # [n] in [0, 1]: how likely the target policy is to do the same
    cluster: Hashes  # [n]
    q_logged: Floats | None = None  # [n]
    v_target: Floats | None = None  # [n]
    q_mrdr: Floats | None = None  # [n]
    v_mrdr: Floats | None = None  # [n]

    def __post_init__(self) -> None:
        _check(self, (len(self.reward),))
        if (self.q_logged is None) != (self.v_target is None) or (self.q_mrdr is None) != (self.v_mrdr is None):
            raise ValueError("a reward model is both q of the logged action and v of the target policy")

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def weight(self) -> Floats:
        """[n] w = π(a|x) / p."""
        return self.target_propensity / self.propensity


@dataclass(frozen=True, slots=True, kw_only=True)
class Slates:
    """Decisions of several slots, or sequences of several steps: one row each, its slots first to last.

    The propensity of slot k is that of its action given the slots before it. `filled` tells which slots a shorter
    slate has; what stands in the others is not looked at. `q_logged` and `v_target` are the reward expected from slot k
    *to the end*: of the action logged there, and on average over what the target policy would put there, given the
    slots before it.
    """

    reward: Floats  # [n, k]
    propensity: Floats  # [n, k] in (0, 1]
    target_propensity: Floats  # [n, k] in [0, 1]
    cluster: Hashes  # [n]
    filled: Truths | None = None  # [n, k] all of them by default
    q_logged: Floats | None = None  # [n, k]
    v_target: Floats | None = None  # [n, k]

    def __post_init__(self) -> None:
        if self.reward.ndim != 2:
            raise ValueError("the rewards of slates are a matrix, [n, k]")
        if self.filled is not None:
            for field in fields(self):
                given = getattr(self, field.name)
                if field.name not in {"cluster", "filled"} and given is not None:
                    absent = 1.0 if field.name in _CHANCES else 0.0
                    object.__setattr__(self, field.name, np.where(self.filled, given, absent))
        _check(self, self.reward.shape)
        if (self.q_logged is None) != (self.v_target is None):
            raise ValueError("a reward model is both q of the logged action and v of the target policy")

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def weights(self) -> Floats:
        """[n, k] w of each slot; 1 where it isn't filled."""
        return self.target_propensity / self.propensity


def _check(rows: Logged | Slates, shape: tuple[int, ...]) -> None:
    """Raises ValueError where a column's shape, or a number in it, can't be."""
    for field in fields(rows):
        given = getattr(rows, field.name)
        if given is None:
            continue
        wanted = shape[:1] if field.name == "cluster" else shape
        if given.shape != wanted:
            raise ValueError(f"{field.name} has shape {given.shape}, the rewards {shape}")
        if given.dtype == np.float64 and not np.isfinite(given).all():
            raise ValueError(f"{field.name} holds what isn't a finite number")
    if not ((rows.propensity > 0) & (rows.propensity <= 1)).all():
        raise ValueError("a propensity lies outside (0, 1]")
    if not ((rows.target_propensity >= 0) & (rows.target_propensity <= 1)).all():
        raise ValueError("a target propensity lies outside [0, 1]")
