"""Lost sales solved exactly: value iteration, policy iteration, and the exact average cost of any stationary rule.

Zipkin (2008): the state is what is on hand and what is under way by arrival, L numbers in all, and the optimum is a
table over them. It has (units on hand) × (largest order)^(L−1) entries, so only small instances can be solved; a larger
one is refused with its size.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from policies.tasks.lost_sales import Instance, probabilities

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Rule = Callable[[Floats, Floats], Floats]  # on hand [B], pipeline [B, L−1] → units to order [B]

LARGEST: Final = 30_000_000  # entries of state × action: a few seconds to minutes, and some hundred MB
ROUNDS: Final = 20_000
CLOSE: Final = 1e-5  # of the average cost: the width at which its bounds are met


class TooLargeError(ValueError):
    """Why an instance isn't solved: one sentence with its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """Average cost per period, and the order of each state: [on hand + 1, largest order + 1, …]."""

    average_cost: float
    orders: Whole
    rounds: int


@dataclass(frozen=True, slots=True)
class Model:
    """An instance cut off where nothing optimal goes: `most` units on hand, orders of up to `largest`."""

    lead_time: int  # 1 or more
    most: int
    largest: int
    stay: Floats  # [most + 1, most + 1] P(u units are left | x on hand)
    cost: Floats  # [most + 1] expected cost of a period that starts with x on hand

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.most + 1, *[self.largest + 1] * (self.lead_time - 1))

    def ahead(self, value: Floats) -> Floats:
        """Expected value [x, z₁, …, z_{L−1}, a] of ordering a: what is left and z₁ are on hand next."""
        if self.lead_time == 1:  # what is ordered now is what comes next
            coming = np.arange(self.largest + 1)
            at = np.minimum(np.arange(self.most + 1)[:, None] + coming, self.most)
            return self.stay @ value[at]
        layers = [self._shifted(value, units) for units in range(self.largest + 1)]
        return np.stack(layers, axis=1)

    def _shifted(self, value: Floats, units: int) -> Floats:
        at = np.minimum(np.arange(self.most + 1) + units, self.most)
        return (self.stay @ value[at].reshape(self.most + 1, -1)).reshape(value.shape)


def _bounds(instance: Instance) -> tuple[int, int]:
    """Units on hand, and units of an order, that nothing optimal exceeds by any chance that matters."""
    demand, lead = instance.demand, max(1, instance.lead_time)
    ratio = min(0.9999, instance.penalty / max(1e-12, instance.penalty + instance.holding))
    reach = max(2.0, NormalDist().inv_cdf(max(0.5, ratio)) + 1.5) * (2.0 if demand.dispersion > 1.0 else 1.0)
    largest = ceil(demand.mean + reach * sqrt(demand.variance)) + 1
    most = ceil((lead + 1) * demand.mean + reach * sqrt((lead + 1) * demand.variance)) + 2
    return most, largest


def entries(instance: Instance) -> float:
    """States times actions of the tables."""
    most, largest = _bounds(instance)
    return float(most + 1) * float(largest + 1) ** max(1, instance.lead_time)


def model(instance: Instance) -> Model:
    """Cut an instance to a finite one. Raises TooLargeError."""
    demand, lead = instance.demand, max(1, instance.lead_time)
    most, largest = _bounds(instance)
    if entries(instance) > LARGEST:
        raise TooLargeError(
            f"the exact solution of this instance has {most + 1} × {largest + 1}^{lead} = {entries(instance):.3g} "
            f"entries; no more than {LARGEST:,} are worked out"
        )
    mass = probabilities(demand, most)  # [most + 1] of 0 … most units
    stay = np.zeros((most + 1, most + 1))
    for x in range(most + 1):
        stay[x, 1 : x + 1] = mass[:x][::-1]
        stay[x, 0] = 1.0 - mass[:x].sum()
    left = stay @ np.arange(most + 1.0)
    lost = demand.mean - (np.arange(most + 1.0) - left)
    cost = instance.holding * left + instance.penalty * lost
    return Model(lead_time=lead, most=most, largest=largest, stay=stay, cost=cost)


def value_iteration(instance: Instance) -> Solved:
    """The optimum by relative value iteration; its bounds are those of Odoni (1969). Raises TooLargeError."""
    if instance.lead_time == 0:
        return _at_once(instance)
    made = model(instance)
    value = np.zeros(made.shape)
    cost = made.cost.reshape(-1, *[1] * (made.lead_time - 1))
    for count in range(1, ROUNDS):
        ahead = made.ahead(value)
        new = cost + ahead.min(axis=-1)
        low, high = float((new - value).min()), float((new - value).max())
        value = new - new.flat[0]
        if high - low < CLOSE * max(abs(high), 1e-12):
            return Solved(average_cost=(low + high) / 2.0, orders=ahead.argmin(axis=-1), rounds=count)
    raise TooLargeError(f"value iteration wasn't done after {ROUNDS:,} rounds: sales are too slow for its tables")


def policy_iteration(instance: Instance) -> Solved:
    """The optimum by Howard's policy iteration, each policy's values by relative iteration. Raises TooLargeError."""
    if instance.lead_time == 0:
        return _at_once(instance)
    made = model(instance)
    orders = np.full(made.shape, min(made.largest, round(instance.demand.mean)))
    value = np.zeros(made.shape)
    for count in range(1, 100):
        average, value = _value_of(made, orders, value)
        ahead = made.ahead(value)
        best = ahead.min(axis=-1)
        kept = np.take_along_axis(ahead, orders[..., None], axis=-1)[..., 0]
        better = best < kept - 1e-7 * (1.0 + abs(average))  # a tie keeps its order, or it would never end
        if not better.any():
            return Solved(average_cost=average, orders=orders, rounds=count)
        orders = np.where(better, ahead.argmin(axis=-1), orders)
    raise TooLargeError("policy iteration wasn't done after 100 policies")


def exact_cost(instance: Instance, rule: Rule) -> float:
    """Average cost of a rule that goes by the state alone, without noise. Raises TooLargeError."""
    if instance.lead_time == 0:
        raise TooLargeError("an order that arrives at once leaves no state to solve for")
    made = model(instance)
    axes = np.indices(made.shape).reshape(made.lead_time, -1).astype(np.float64)
    orders = np.clip(np.rint(rule(axes[0], axes[1:].T)), 0, made.largest).astype(np.int64).reshape(made.shape)
    return _value_of(made, orders, np.zeros(made.shape))[0]


def _value_of(made: Model, orders: Whole, value: Floats) -> tuple[float, Floats]:
    """Average cost and relative values of a policy, iterated from values at hand."""
    cost = made.cost.reshape(-1, *[1] * (made.lead_time - 1))
    states = np.indices(made.shape)
    after = (*states[2:], orders)  # of what is under way, once z₁ is on hand
    low = high = 0.0
    for _ in range(ROUNDS):
        new = cost + _expected(made, value, states, after)
        low, high = float((new - value).min()), float((new - value).max())
        value = new - new.flat[0]
        if high - low < CLOSE * max(abs(high), 1e-12):
            break
    return (low + high) / 2.0, value


def _expected(made: Model, value: Floats, states: Whole, after: tuple[Whole, ...]) -> Floats:
    """Expected value of the next state under the policy whose pipelines are `after`."""
    if made.lead_time == 1:
        at = np.minimum(np.arange(made.most + 1)[None, :] + after[0][:, None], made.most)
        return (made.stay * value[at]).sum(axis=1)
    total = np.zeros(made.shape)
    for left in range(made.most + 1):
        at = np.minimum(left + states[1], made.most)
        total += made.stay[:, left].reshape(-1, *[1] * (made.lead_time - 1)) * value[(at, *after)]
    return total


def _at_once(instance: Instance) -> Solved:
    """Orders that arrive before demand: a newsvendor each period, so a base-stock level is optimal."""
    demand = instance.demand
    top = ceil(demand.mean + 12.0 * sqrt(demand.variance)) + 10
    mass = probabilities(demand, top)
    level = np.arange(top + 1.0)
    below = np.cumsum(mass)
    left = np.concatenate([[0.0], np.cumsum(below)[:-1]])  # E[(S − D)⁺] = Σ_{k<S} P(D ≤ k)
    costs = instance.holding * left + instance.penalty * (demand.mean - level + left)
    best = int(costs.argmin())
    return Solved(average_cost=float(costs[best]), orders=np.maximum(best - np.arange(top + 1), 0), rounds=1)
