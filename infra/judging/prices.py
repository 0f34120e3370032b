"""Prices are drawn from a few steps of a ladder: how likely each rival would have been to set the one that was set.

The reward model is the belief of demand at that moment, under the version that decided: profit a period at each price.
It has seen only what was before.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from agents.pricing import Made, decide
from infra.judging.logged import Decided
from infra.judging.rivals import Rule
from policies.linalg import Floats
from policies.price_ladder import nearest
from policies.version import PolicyVersion

DOMAIN: Final = "pricing"


class Priced(NamedTuple):
    """A decision as its belief has it: profit a period at each price that could be set, and which one was set."""

    made: Made
    cost: float
    profit: Floats  # [K]
    place: int

    def by(self, rule: Rule, version: PolicyVersion, one: Decided) -> Floats | None:
        """[K] how likely a rival is to set each price; None where it says nothing of prices."""
        match rule:
            case "version":
                return decide(_features(one), version, 0).choice.distribution
            case "greedy":
                asked = decide(_features(one), version, 0)
                return _only(nearest(asked.belief, self.cost, asked.prices), len(asked.prices))
            case "uniform":
                return np.full(len(self.profit), 1.0 / len(self.profit))
            case _:
                return None


def priced(one: Decided, version: PolicyVersion) -> Priced | None:
    """None where the features don't say enough, or not what was set."""
    try:
        features = _features(one)
        made, cost = decide(features, version, 0), float(features["unit_cost"])
        place = one.candidates.index(one.chosen[0])
    except (KeyError, TypeError, ValueError, IndexError, msgspec.ValidationError):
        return None
    if len(made.prices) != len(one.candidates):
        return None
    return Priced(made, cost, profits(made, cost, made.prices), place)


def _features(one: Decided) -> dict[str, Any]:
    return msgspec.json.decode(one.features, type=dict[str, Any])


def profits(made: Made, cost: float, prices: Sequence[float]) -> Floats:
    """[K] what is believed to be earned a period at each of the prices."""
    belief, at = made.belief, np.array(prices)
    return (at - cost) * np.maximum(belief.level - belief.slope * (at - belief.centre), 0.0)


def _only(place: int, of: int) -> Floats:
    return np.equal(np.arange(of), place).astype(np.float64)


def chance(distribution: Floats, found: Priced) -> tuple[list[float], list[float]]:
    """How likely the logged price is, and the profit expected of the distribution: one slot each."""
    return [float(distribution[found.place])], [float((distribution * found.profit).sum())]


def distributions(
    found: Priced, one: Decided, rivals: Sequence[tuple[Rule, PolicyVersion]], usual: list[float]
) -> list[tuple[list[float], list[float]] | None]:
    """`chance` of each rival, in order. Of what was logged the log tells it; `usual` is the profit expected of that."""

    def asked(rule: Rule, version: PolicyVersion) -> tuple[list[float], list[float]] | None:
        if rule == "logged":
            return one.slot_propensities, usual
        each = found.by(rule, version, one)
        return None if each is None else chance(each, found)

    return [asked(rule, version) for rule, version in rivals]
