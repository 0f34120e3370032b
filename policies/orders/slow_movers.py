"""At what stock, on hand or under way, a slow mover needs no more. Numbers in, a level out; no catalog, no clock.

A SKU that sells less than one unit a review is restocked one for one: each sale sets an order off. With lost sales, the
orders under way are then the calls of Erlang's loss system, whose law depends on the lead time by its mean alone: that
of demand over the lead time, cut off at the level S (Karush 1957; Zipkin 2000, ch. 7.2.4). With N the units under way,

    C(S) = h (S − E[N | N ≤ S]) + p (λ − E[N | N ≤ S] / L)

is the cost a day, for what arrives is what was sold: E[N] / L (Little). An order waits for its review, so L is the lead
time and half a review. Here N is negative binomial with the dispersion of demand. A newsvendor charges a unit one
review's holding; this rule charges it until it sells, which for a slow mover is most of what it costs.

Of a rate that isn't known, λ ~ Gamma(a, b), a mistake lasts about 1/λ: as long as one unit takes to sell. So the states
are weighed by how long they last, and λ ∝ Gamma(a, b) / λ is Gamma(a − 1, b): the rate to reckon with is (a − 1) / b,
the inverse of the expected time to sell a unit. What a new SKU may need more can be ordered at the next review; what
it was given too much stays until it is sold. No mistake is taken to last longer than `LASTING`. A fill rate that is
asked for is that of the rate expected, whatever it costs: it takes the mean, a / b.
"""

from typing import Final

import numpy as np
import torch

from policies.orders.fill_rate import level_of

WIDEST: Final = 255  # units of a level, at most
FASTEST: Final = (1.0, 2.0)  # units a review: below the first the level decides, above the second it has no say
LONGEST: Final = (64.0, 128.0)  # units over the lead time, likewise
LASTING: Final = 100.0  # days
SPREAD: Final = 8.0  # standard deviations of demand over the lead time that are looked at


def known_rate(rate: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
    """(a − 1) / b [B] of a Gamma(a, b) with this mean and variance; at least one in `LASTING` days, or the mean."""
    return torch.maximum(rate - variance / rate.clamp_min(1e-12), rate.clamp_max(1.0 / LASTING))


def lead_dispersion(column: dict[str, torch.Tensor]) -> torch.Tensor:
    """Variance over mean [B] of demand over the lead time: that of demand, and of not knowing its rate, L / b."""
    unsure = column["rate_variance"] / column["rate"].clamp_min(1e-12) * lead_of(column)
    return column["dispersion"].clamp_min(1.0) + unsure


def lead_of(column: dict[str, torch.Tensor]) -> torch.Tensor:
    """Days [B] from a sale to the arrival of what replaces it."""
    return column["lead_time_days"] + column["review_days"] / 2.0


def share_of_projection(column: dict[str, torch.Tensor]) -> torch.Tensor:
    """How much say the projected level has [B]: 0 for a slow mover, 1 for a fast one. Belief only, never stock."""
    rate = known_rate(column["rate"], column["rate_variance"])
    fast = (rate * column["review_days"] - FASTEST[0]) / (FASTEST[1] - FASTEST[0])
    long = (rate * lead_of(column) - LONGEST[0]) / (LONGEST[1] - LONGEST[0])
    return torch.maximum(fast, long).clamp(0.0, 1.0)


def enough(column: dict[str, torch.Tensor], batch: torch.Tensor) -> torch.Tensor:
    """The least position [B] at which an order of `batch` units [B] costs more than it saves.

    A shelf with nothing on it and nothing under way gets one order at least, where that pays: without stock nothing is
    ever sold, and nothing learned. Of what has never sold (a ≤ 1: no mean time to sell) it is the plain mean's.
    """
    rate, mean = known_rate(column["rate"], column["rate_variance"]), column["rate"]
    level = _least(column, rate, lead_dispersion(column), batch)
    if bool((column["min_fill_rate"] > 0.0).any()):
        level = level.maximum(_filling(column))
    bare = (column["position"] <= 0.0) & _pays_when_bare(column, batch)
    unseen = bare & (mean * mean <= column["rate_variance"])
    if bool(unseen.any()):
        level = torch.where(
            unseen, level.maximum(_least(column, mean, column["dispersion"].clamp_min(1.0), batch)), level
        )
    return torch.where(bare, level.clamp_min(1.0), level)


def _filling(column: dict[str, torch.Tensor]) -> torch.Tensor:
    """The level [B] that the fill rate takes; 0 where none is asked."""
    dispersion = lead_dispersion(column)
    mean, last = _reach(column, column["rate"], dispersion)
    return level_of(column["min_fill_rate"], mean, _under_way(mean, dispersion, int(last.max()))).minimum(last)


def _least(
    column: dict[str, torch.Tensor], rate: torch.Tensor, dispersion: torch.Tensor, batch: torch.Tensor
) -> torch.Tensor:
    """The level [B] at a rate and a dispersion that are taken for certain.

    An order pays at the position x while C(x + batch) < C(x). Elementwise in float64: a row's bits are its own.
    """
    lead, holding, penalty = lead_of(column), column["holding_cost"], column["shortage_cost"]
    decides = share_of_projection(column) < 1.0  # elsewhere the level isn't asked for, and 0
    mean, last = _reach(column, rate, dispersion)
    cost = _costs(mean, dispersion, penalty * rate, (holding, penalty / lead), int(last.max()))  # [B, levels]
    at = torch.arange(cost.shape[1], dtype=torch.float64)
    then = at + batch.unsqueeze(1)
    inside = torch.minimum(then, last.unsqueeze(1))
    # Beyond `last` nothing more is saved, and each unit costs its holding.
    more = cost.gather(1, inside.long()) + holding.unsqueeze(1) * (then - inside)
    pays = (more < cost) & (at <= last.unsqueeze(1)) & decides.unsqueeze(1)
    return torch.where(pays, at + 1.0, torch.zeros_like(cost)).amax(dim=1)


def _reach(
    column: dict[str, torch.Tensor], rate: torch.Tensor, dispersion: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean of the demand over the lead time, and the highest level worth a look: [B] each."""
    lead = lead_of(column)
    decides = share_of_projection(column) < 1.0
    mean = torch.where(decides, rate * lead, torch.zeros_like(lead)).clamp(0.0, LONGEST[1])
    return mean, torch.ceil(mean + SPREAD * (dispersion * mean).sqrt() + SPREAD).clamp_max(float(WIDEST))


def _costs(
    mean: torch.Tensor,
    dispersion: torch.Tensor,
    lost: torch.Tensor,
    prices: tuple[torch.Tensor, torch.Tensor],
    top: int,
) -> torch.Tensor:
    """C(S) for S = 0 … top [B, top + 1]; `lost` is what losing all costs a day, `prices` are h and p / L."""
    holding, saved = prices
    under_way = _under_way(mean, dispersion, top)
    at = torch.arange(top + 1, dtype=torch.float64)
    return holding.unsqueeze(1) * (at - under_way) + lost.unsqueeze(1) - saved.unsqueeze(1) * under_way


def _under_way(mean: torch.Tensor, dispersion: torch.Tensor, top: int) -> torch.Tensor:
    """E[N | N ≤ S] for S = 0 … top [B, top + 1]."""
    over = (dispersion - 1.0).clamp_min(1e-9)
    r, q = (mean / over).numpy(), (over / dispersion).numpy()
    weight = np.ones_like(r)  # of N = n, over that of N = 0: Panjer's recursion
    total, first = np.ones_like(r), np.zeros_like(r)
    found = [first]
    for n in range(1, top + 1):  # in numpy, whose calls take a fraction of torch's
        weight = weight * q * (r + (n - 1.0)) / n
        total, first = total + weight, first + n * weight
        found.append(first / total)
    return torch.from_numpy(np.stack(found, axis=1))  # pyright: ignore[reportUnknownMemberType]  # torch leaves it untyped


def _pays_when_bare(column: dict[str, torch.Tensor], batch: torch.Tensor) -> torch.Tensor:
    """Whether a first order pays [B], going by the plain mean rate: it is held for half the time that it sells in."""
    daily = column["shortage_cost"] * column["rate"] / lead_dispersion(column)
    return daily > column["holding_cost"] * (batch + 1.0) / 2.0
