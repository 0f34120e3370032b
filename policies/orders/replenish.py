"""How much of a SKU to order at a review. Numbers in, a quantity out; no catalog, no topic, no clock.

Of what sells less than one unit a review, the position (on hand and under way) is raised to the level of `slow_movers`.
Of what sells two or more, the rule orders up to a *projected* inventory level (van Jaarsveld & Arts, arXiv 2101.07519):
not the position is raised, as base-stock does, but what is expected to be left on the shelf when an order placed now
arrives. Lost sales make the two differ, and base-stock pay for it. The projection runs two moments through the
recursion I ← (I + arrivals − D)⁺ with a normal closure, so its cost doesn't grow with the units; D has the variance of
the demand and of what isn't known of its rate.

The level is a newsvendor's: mean + z · sd at arrival, z = Φ⁻¹(p / (p + h′)). In h′ = h · (1 + 0.3 log₂(1 + L)) a unit
is charged more than its first review's holding, for it waits longer the more orders are under way (L, in reviews).
The 0.3 is fitted by simulation over rates 0.1 … 100 and L = 1 … 8. In between, the order is a mean of both, weighed by
the rate. A fill rate that is asked for raises the critical ratio, and the slow mover's level, until what is believed of
demand predicts it (`fill_rate`). `tests/benchmarks/lost_sales.py` measures the rule on Poisson demand,
`tests/benchmarks/stock.py` on that of real shoppers.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, pi, sqrt
from typing import Final, cast

import numpy as np
import torch

from policies.orders import fill_rate, slow_movers
from policies.orders.demand import Belief

BLOCK: Final = 256  # rows are scored in blocks of this, or WIDE of it: a row's result must not depend on the others
WIDE: Final = 4  # its operations cost little more than those of one
MAX_STEPS: Final = 64  # of the projection; a longer lead time is walked in longer steps
SHADE: Final = 0.3
SERVICE: Final = (0.001, 0.9995)  # bounds of the critical ratio: costs of zero must not order everything

_SQRT_2PI: Final = sqrt(2.0 * pi)
_Elementwise = Callable[[torch.Tensor], torch.Tensor]
_PHI: Final = cast(_Elementwise, torch.special.ndtr)  # pyright: ignore[reportUnknownMemberType]  # torch leaves it untyped
_PHI_INVERSE: Final = cast(_Elementwise, torch.special.ndtri)  # pyright: ignore[reportUnknownMemberType]  # as above


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An order under way: units, and the days until it arrives."""

    days: float
    units: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What one review goes by. Costs are per unit: holding per day, shortage per lost sale."""

    on_hand: float
    due: tuple[Due, ...]
    belief: Belief
    lead_time_days: float
    review_days: float
    holding_cost: float
    shortage_cost: float
    pack_size: float
    min_order: float
    max_order: float
    min_fill_rate: float = 0.0  # share of the units wanted that are to be sold at least; 0: what the costs say

    @property
    def position(self) -> float:
        """On hand and under way."""
        return self.on_hand + sum(due.units for due in self.due)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The order, and why: units `projected` at its arrival without it, against the `level` wanted at `service`; and the
    position that is `enough`. How much say the first pair has is `fast`, from 0 to 1; the rest is the second's."""

    quantity: float
    projected: float
    level: float
    service: float
    enough: float
    fast: float


def choose(reviews: Sequence[Review], beliefs: Sequence[Belief] | None = None) -> list[Choice]:
    """Decide each review. The result of one never depends on its neighbours.

    With `beliefs`, one a review, those count instead of what the reviews say.
    """
    believed = [review.belief for review in reviews] if beliefs is None else beliefs
    chosen: list[Choice] = []
    start = 0
    while start < len(reviews):
        rows = BLOCK * min(WIDE, -(-(len(reviews) - start) // BLOCK))
        chosen += _choose_block(reviews[start : start + rows], believed[start : start + rows], rows)
        start += rows
    return chosen


def _choose_block(reviews: Sequence[Review], beliefs: Sequence[Belief], rows: int) -> Iterator[Choice]:
    facts = np.ones((rows, len(FACTS)))
    facts[:, FACTS.index("min_fill_rate")] = 0.0  # of rows that only fill the block none is asked: it is much work
    facts[: len(reviews)] = [_facts(review, belief) for review, belief in zip(reviews, beliefs, strict=True)]
    arrivals = np.zeros((rows, MAX_STEPS + 1))
    for row, review in enumerate(reviews):
        if review.due:
            arrivals[row] = arrivals_of(review)
    out = order(torch.from_numpy(facts), torch.from_numpy(arrivals))  # pyright: ignore[reportUnknownMemberType]  # torch leaves it untyped
    found = cast(list[list[float]], torch.stack(out, dim=1).tolist())  # pyright: ignore[reportUnknownMemberType]  # as above
    for quantity, projected, level, service, enough, fast in found[: len(reviews)]:
        yield Choice(quantity=quantity, projected=projected, level=level, service=service, enough=enough, fast=fast)


FACTS: Final[tuple[str, ...]] = (
    "on_hand",
    "position",
    "rate",
    "rate_variance",
    "dispersion",
    "steps",
    "lead_time_days",
    "review_days",
    "holding_cost",
    "shortage_cost",
    "pack_size",
    "min_order",
    "max_order",
    "min_fill_rate",
)


def _facts(review: Review, belief: Belief) -> list[float]:
    """One row of `order`'s input, by FACTS."""
    return [
        review.on_hand,
        review.position,
        belief.mean,
        belief.variance,
        belief.dispersion,
        float(steps_of(review)),
        review.lead_time_days,
        review.review_days,
        review.holding_cost,
        review.shortage_cost,
        review.pack_size,
        review.min_order,
        review.max_order,
        review.min_fill_rate,
    ]


def steps_of(review: Review) -> int:
    """Into how many steps the lead time is cut: one a review, at most 64."""
    return min(MAX_STEPS, ceil(review.lead_time_days / review.review_days - 1e-9))


def arrivals_of(review: Review) -> list[float]:
    """Units that arrive at the start of each step, [MAX_STEPS + 1]; the last are those due with the new order."""
    steps = steps_of(review)
    units = [0.0] * (MAX_STEPS + 1)
    for due in review.due:
        place = round(due.days / review.lead_time_days * steps) if steps else 0
        units[min(max(place, 0), steps)] += due.units
    return units


def order(facts: torch.Tensor, arrivals: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """A Choice's fields in their order, each [B], from facts [B, FACTS] and arrivals [B, MAX_STEPS + 1].

    Elementwise in float64 throughout, so that a row's bits don't depend on the batch.
    """
    column = {name: facts[:, place] for place, name in enumerate(FACTS)}
    projected, spread = _project(column, arrivals)
    final = column["lead_time_days"] + column["review_days"]
    demand = column["rate"] * column["review_days"]
    unknown = column["rate_variance"] * (final * final - column["lead_time_days"] ** 2)
    sd = (spread + column["dispersion"] * demand + unknown).sqrt()
    reviews_ahead = column["lead_time_days"] / column["review_days"]
    holding = column["holding_cost"] * column["review_days"] * (1.0 + SHADE * torch.log2(1.0 + reviews_ahead))
    service = (column["shortage_cost"] / (column["shortage_cost"] + holding + 1e-12)).clamp(*SERVICE)
    if bool((column["min_fill_rate"] > 0.0).any()):
        wanted = fill_rate.service_of(column["min_fill_rate"], demand, sd)
        service = service.maximum(wanted.clamp_max(SERVICE[1]))
    z, tail = _PHI_INVERSE(service), _tail(service, column, final)
    # What is left on the shelf can't be less than nothing, however unsure it is: what an empty one needs is enough.
    bare, alone = _due_with_it(column, arrivals), (column["dispersion"] * demand + unknown).sqrt()
    empty = (z + tail) * alone - bare < (z + tail) * sd - projected
    left, sd = torch.where(empty, bare, projected), torch.where(empty, alone, sd)
    level = demand + z * sd + tail * sd
    smooth = fit_to_packs(column, level - left, (left - demand - tail * sd, sd, service))
    level = level + (projected - left)
    enough, one_for_one = _restock(column)
    fast = slow_movers.share_of_projection(column)
    return _between(column, one_for_one, smooth, fast), projected, level, service, enough, fast


def _restock(column: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """The position that is enough, and the order in whole packs that raises it there [B]."""
    pack = column["pack_size"]
    fewest, most = _packs(column)
    enough = slow_movers.enough(column, fewest * pack)
    short = torch.ceil((enough - column["position"]) / pack - 1e-9)
    packs = torch.where(short > 0.0, short.maximum(fewest), torch.zeros_like(short))
    return enough, torch.where(most < fewest, torch.zeros_like(packs), packs.minimum(most)) * pack


def _between(
    column: dict[str, torch.Tensor], slow: torch.Tensor, fast: torch.Tensor, share: torch.Tensor
) -> torch.Tensor:
    """The mean [B] of two orders in whole packs, `share` of it the second, again in whole packs within the bounds.

    Neither order grows with the stock (the second by a pack, in one state of four thousand where much is under way),
    and the share doesn't depend on it: so the mean doesn't grow with it either.
    """
    pack = column["pack_size"]
    fewest, _ = _packs(column)
    packs = torch.floor((slow + share * (fast - slow)) / pack + 0.5)
    packs = torch.where(packs < fewest, torch.where(2.0 * packs >= fewest, fewest, torch.zeros_like(packs)), packs)
    return packs * pack


def _packs(column: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """The fewest and the most packs [B] that may be ordered."""
    pack = column["pack_size"]
    return torch.ceil(column["min_order"] / pack).clamp_min(1.0), torch.floor(column["max_order"] / pack)


def _tail(service: torch.Tensor, column: dict[str, torch.Tensor], days: torch.Tensor) -> torch.Tensor:
    """How many standard deviations the skew of demand puts on top of a normal's quantile [B].

    Cornish and Fisher (1938), first order, with the skewness of the negative binomial of the same mean and dispersion
    over `days`. A slow mover's demand is far from normal: without it, the last units that a high service asks for are
    missing. What isn't known of the rate adds no skew here: it is learned sooner than an overstocked slow mover sells.
    Below the mean there is no such tail, and the expansion would have a lower service ask for more.
    """
    z = _PHI_INVERSE(service).clamp_min(0.0)
    variance = column["dispersion"] * (column["rate"] * days).clamp_min(1e-6)
    skewness = (2.0 * column["dispersion"] - 1.0).clamp_min(0.0) / variance.sqrt()
    return (z * z - 1.0).clamp_min(0.0) * skewness / 6.0


def _project(column: dict[str, torch.Tensor], arrivals: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance [B] of the units left when an order placed now arrives, before it is unpacked."""
    steps, lead = column["steps"], column["lead_time_days"]
    length = lead / steps.clamp_min(1.0)
    mean, variance = column["on_hand"], torch.zeros_like(lead)
    for step in range(int(steps.max())):
        under_way = steps > step
        mean = torch.where(under_way, mean + arrivals[:, step], mean)
        # The rate is one unknown throughout, so its part of the variance grows with the square of time.
        unknown = column["rate_variance"] * length * length * (2.0 * step + 1.0)
        less = mean - column["rate"] * length
        more = variance + column["dispersion"] * column["rate"] * length + unknown
        left, wide = _positive_part(less, more)
        mean, variance = torch.where(under_way, left, mean), torch.where(under_way, wide, variance)
    return mean + _due_with_it(column, arrivals), variance


def _due_with_it(column: dict[str, torch.Tensor], arrivals: torch.Tensor) -> torch.Tensor:
    """Units [B] that arrive when an order placed now does."""
    return arrivals.gather(1, column["steps"].long().unsqueeze(1)).squeeze(1)


def _positive_part(mean: torch.Tensor, variance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance [B] of Y⁺ for a normal Y."""
    sd = variance.sqrt()
    first = _loss(mean, sd)
    below, density = _normal(mean / sd)
    second = (mean * mean + variance) * below + mean * sd * density
    return first, (second - first * first).clamp_min(0.0)


def _loss(mean: torch.Tensor, sd: torch.Tensor) -> torch.Tensor:
    """E[Y⁺] [B] of a normal Y."""
    below, density = _normal(mean / sd)
    return (mean * below + sd * density).clamp_min(0.0)


def _normal(u: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Φ(u) and φ(u)."""
    return _PHI(u), torch.exp(-0.5 * u * u) / _SQRT_2PI


def fit_to_packs(
    column: dict[str, torch.Tensor], need: torch.Tensor, after: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
) -> torch.Tensor:
    """The quantity [B] in whole packs, within the bounds, that is cheaper of the two next to `need`.

    `after` is mean and sd of the units left a review after arrival without an order, and the critical ratio.
    """
    pack = column["pack_size"]
    fewest, most = _packs(column)
    low = torch.floor(need.clamp_min(0.0) / pack)
    high = (low + 1.0).maximum(fewest).minimum(most)
    low = torch.where(low < fewest, torch.zeros_like(low), low.minimum(most))
    better = _cost(high * pack, after) < _cost(low * pack, after)
    packs = torch.where(better, high, low)
    # With nothing left and nothing coming, not ordering means losing every sale, not waiting for the next review.
    daily_loss = column["shortage_cost"] * column["rate"]
    bare = (column["position"] <= 0.0) & (packs == 0.0) & (daily_loss > column["holding_cost"] * high * pack / 2.0)
    packs = torch.where(bare, high, packs)
    return torch.where(most < fewest, torch.zeros_like(packs), packs) * pack


def _cost(quantity: torch.Tensor, after: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """The newsvendor's cost [B] of an order, in units of holding plus shortage cost."""
    mean, sd, service = after
    left = mean + quantity
    over = _loss(left, sd)
    return (1.0 - service) * over + service * (over - left)
