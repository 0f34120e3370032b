"""Average cost per period of a lost-sales inventory under a policy. Nothing is trained here.

A run is 64 shelves side by side, each a path of its own of `periods` periods from a stocked shelf; costs are averaged
over them, so that the figure has less noise than one path's. With `unknown`, a policy is told costs and lead time, and
sees what is sold; the classical rules are told the demand's family besides.
"""

from collections.abc import Callable
from math import isfinite
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from infra.errors import UserError
from policies.baselines.lost_sales_exact import (
    Solved,
    TooLargeError,
    entries,
    policy_iteration,
    value_iteration,
)
from policies.baselines.myopic_orders import LARGEST as MYOPIC_LARGEST
from policies.baselines.myopic_orders import MyopicOrders, largest_stock
from policies.baselines.order_levels import Kind, LevelOrders, fit
from policies.baselines.plug_in import PlugInLevels, PlugInOrders
from policies.baselines.table_orders import TableOrders
from policies.orders.censored_demand import CensoredDemand, flat_prior
from policies.orders.network import shipped
from policies.orders.network_orders import NetworkOrders, weights_of
from policies.tasks.lost_sales import Demand, Instance, Rule, Run, run

SHELVES: Final = 64
CHEAP: Final = 400_000  # entries up to which the optimum is worked out beside any policy
LEARNED: Final = (200, 2000)  # the periods over which a policy that started cold is judged
MOST_UNITS: Final = 1e7
PRIORS: Final = ("flat-prior", "oracle-prior")
ALL_ALIKE: Final = "demand is known, so no prior is used: this is meta; with --unknown they differ"

KINDS: Final[dict[str, Kind]] = {
    "base-stock": "base-stock",
    "capped-base-stock": "capped-base-stock",
    "s-S": "s-S",
}
Make = Callable[[Instance, int, bool], Rule]


def evaluate(  # noqa: PLR0913 # an instance has so many numbers
    *,
    policy: str,
    seed: int,
    demand: Literal["poisson", "geometric", "negative-binomial"],
    mean: float,
    lead_time: int,
    penalty: float,
    holding: float,
    dispersion: float,
    periods: int,
    unknown: bool,
    lead_time_spread: int = 0,
) -> dict[str, Any]:
    """`average_cost` over all periods, `average_cost_200_2000` over those, the optimum where it is cheap to have."""
    for name, number in (("mean", mean), ("penalty", penalty), ("holding", holding), ("dispersion", dispersion)):
        if not isfinite(number) or number < 0.0:
            raise UserError(f"--{name} {number}: a finite number of zero or more is needed")
    if not 0.0 < mean <= MOST_UNITS:
        raise UserError(f"--mean {mean}: a number above zero, and no more than {MOST_UNITS:,.0f}, is needed")
    if periods < 1 or lead_time < 0:
        raise UserError("--periods must be one or more, and --lead-time zero or more")
    if not 0 <= lead_time_spread <= lead_time:
        raise UserError(f"--lead-time-spread {lead_time_spread}: it must lie between 0 and the lead time, {lead_time}")
    instance = Instance(
        demand=Demand(family=demand, mean=mean, spread=max(1.0, dispersion)),
        lead_time=lead_time,
        penalty=penalty,
        holding=holding,
        delays=evenly_around(lead_time, lead_time_spread),
    )
    try:
        rule = MAKERS[policy](instance, seed, unknown)
    except TooLargeError as error:
        raise UserError(f"--policy {policy}: {error}") from error
    done = simulate(instance, rule, periods, seed, policy)
    note = {} if unknown or policy not in PRIORS else {"note": ALL_ALIKE}
    return _told(done) | _optimum(instance, rule) | note


def evenly_around(lead_time: int, spread: int) -> tuple[float, ...]:
    """The chances of lead times 0, 1, 2 … where each of `lead_time` ± `spread` periods is as likely; none if fixed.

    >>> evenly_around(2, 1)
    (0.0, 0.3333333333333333, 0.3333333333333333, 0.3333333333333333)
    """
    if spread == 0:
        return ()
    return (0.0,) * (lead_time - spread) + (1.0 / (2 * spread + 1),) * (2 * spread + 1)


def simulate(instance: Instance, rule: Rule, periods: int, seed: int, name: str = "") -> Run:
    """The shelves of a seed under a rule; the demand is the same for each rule."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    bar = track(range(periods), name, console=console, transient=True, disable=not console.is_terminal)
    return run(instance, rule, periods, SHELVES, np.random.default_rng([seed, 20]), bar)


def _told(done: Run) -> dict[str, Any]:
    by_shelf = done.costs.mean(axis=0)
    first, last = LEARNED
    found: dict[str, Any] = {
        "average_cost": float(by_shelf.mean()),
        "standard_error": float(by_shelf.std(ddof=1) / len(by_shelf) ** 0.5),
        "fill_rate": float(done.sold.sum() / max(1.0, done.wanted.sum())),
        "shelves": len(by_shelf),
    }
    if len(done.costs) > first:
        found["average_cost_200_2000"] = float(done.costs[first:last].mean())
    return found


def _optimum(instance: Instance, rule: Rule) -> dict[str, float]:
    """What no policy can beat on average, where it is cheap to work out or has been."""
    if instance.delays:
        return {}
    try:
        if isinstance(rule, TableOrders):
            return {"optimal_cost": rule.solved.average_cost}
        if entries(instance) > CHEAP:
            return {}
        return {"optimal_cost": value_iteration(instance).average_cost}
    except TooLargeError:
        return {}


def _network(prior: Callable[[], npt.NDArray[np.float64]]) -> Make:
    def make(instance: Instance, seed: int, unknown: bool) -> Rule:  # noqa: ARG001 # as every maker
        belief = CensoredDemand(SHELVES, prior()) if unknown else None
        return NetworkOrders(instance, SHELVES, weights_of(shipped()), belief)

    return make


def _told_all(instance: Instance, seed: int, unknown: bool) -> Rule:  # noqa: ARG001 # as every maker
    """The oracle's prior is the demand itself: to be behind it is what inferring costs."""
    return NetworkOrders(instance, SHELVES, weights_of(shipped()))


def _none(instance: Instance, seed: int, unknown: bool) -> Rule:  # noqa: ARG001 # as every maker
    plain = NetworkOrders(instance, SHELVES, None)
    return PlugInOrders(instance, SHELVES, plain) if unknown else plain


def _levels(kind: Kind) -> Make:
    def make(instance: Instance, seed: int, unknown: bool) -> Rule:
        if unknown:
            return PlugInLevels(instance, kind, SHELVES, seed)
        return LevelOrders(fit(instance, kind, seed))

    return make


def _myopic(instance: Instance, seed: int, unknown: bool) -> Rule:  # noqa: ARG001 # as every maker
    if not unknown and not instance.delays and largest_stock(instance) <= MYOPIC_LARGEST:
        return MyopicOrders(instance)
    plain = NetworkOrders(instance, SHELVES, None, myopic=True)
    return PlugInOrders(instance, SHELVES, plain) if unknown else plain


def _solved(solve: Callable[[Instance], Solved]) -> Make:
    def make(instance: Instance, seed: int, unknown: bool) -> Rule:  # noqa: ARG001 # as every maker
        if unknown:
            raise TooLargeError("it needs to know the demand: leave out --unknown")
        if instance.delays:
            raise TooLargeError("it needs a lead time that is fixed: leave out --lead-time-spread")
        return TableOrders(solve(instance))

    return make


def learned_prior() -> npt.NDArray[np.float64]:
    """Log weights over mean and dispersion, of the population that the network was trained on."""
    return shipped()["prior"].astype(np.float64)


MAKERS: Final[dict[str, Make]] = {
    "meta": _network(learned_prior),
    "flat-prior": _network(flat_prior),
    "oracle-prior": _told_all,
    "none": _none,
    **{name: _levels(kind) for name, kind in KINDS.items()},
    "myopic": _myopic,
    "value-iteration": _solved(value_iteration),
    "policy-iteration": _solved(policy_iteration),
}
POLICIES: Final = tuple(MAKERS)
