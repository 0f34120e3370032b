"""What an estimator is: a function of a few sums over the log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from policies.estimators.logged import Floats, Logged, Slates
from policies.estimators.terms import Terms

Rows = TypeVar("Rows", Logged, Slates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What each row adds: base + product, of which the product is a gain (a weight, perhaps cut) times a residual."""

    base: Floats  # [n] what is known of the target policy without weights; 0 for IPS
    gain: Floats  # [n] how much the row counts: w for IPS
    product: Floats  # [n] gain times what was observed; less what the model expected
    control: Floats  # [n] what is 0 on average where propensities are right: w − 1


@dataclass(frozen=True, kw_only=True)  # no slots: a generic alias sets a field on what it makes
class Estimator(Generic[Rows]):
    """An estimate is mean(base) + Σ product / n, or / Σ gain where it is self-normalised.

    `sums` names the estimator whose parts it shares. A `cut` one is biased on purpose: gains it cut are missing, and
    its interval allows for any reward in their place.
    """

    name: str
    parts: Callable[[Rows, Terms], Parts]
    sums: str
    normalised: bool = False
    cut: bool = False
    of_rewards: bool = False  # its residual is a decision's reward itself
    by_slot: bool = False  # its gain is a mean over slots, so that product / gain is no reward of anything
    model: str = ""  # the column of rows that it needs: q_logged or q_mrdr

    def fits(self, rows: Rows) -> bool:
        """Whether the rows hold what it needs."""
        return not self.model or getattr(rows, self.model) is not None


def residual(rows: Logged, q: Floats | None) -> Floats:
    """[n] r − q(x, a)."""
    if q is None:
        raise ValueError("these rows come without a reward model")
    return rows.reward - q


def doubly_robust(rows: Logged, gain: Floats) -> Parts:
    """v(x) + gain · (r − q(x, a)), from the rows' own reward model."""
    rest = residual(rows, rows.q_logged)
    base = rows.v_target if rows.v_target is not None else 0 * rest
    return Parts(base=base, gain=gain, product=gain * rest, control=rows.weight - 1)
