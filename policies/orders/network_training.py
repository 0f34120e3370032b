"""The order network, meta-trained: pathwise gradients through the inventory recursion, over a population of SKUs.

Demand doesn't depend on what is ordered, so the cost of a run is differentiable in the orders (HDPO, arXiv 2306.11246).
Each step takes one lead time and 512 SKUs of many families, means, costs and beliefs, runs them a while with the
network as it is, and follows the gradient of their costs. SKUs live on between steps, so their stock is what the
network makes of it; one in eight is replaced each time.

Orders are whole: rounded at random up or down in the forward run, so that the expected order is the network's, and
the gradient goes straight through. Where demand just empties a shelf, the derivative is the mean of both sides: with it
the gradient is that of the cost as a function on whole numbers, interpolated.

A SKU is known (its mean is told) or is being learned: then its belief starts as a gamma that its true mean is drawn
from, and is updated by what it sells. So the network learns how to order while it isn't sure, and how soon it will be.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from math import cos, log, pi
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import torch

from policies.adam import Adam
from policies.orders.censored_demand import prior_of
from policies.orders.network import Known, Stock, need, terms, untrained

LANES: Final = 512
STEPS: Final = 800
LEADS: Final = (0, 1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 14)
FIRST_RATE: Final = 2.5e-3
LAST_RATE: Final = 1e-5
CLIP: Final = 1.0
RENEWED: Final = 8  # one lane in so many, each time
EMPTY: Final = 0.15  # share of them that start with an empty shelf, and of those with nothing under way
KINDS: Final = (*[(False, False)] * 3, *[(True, False)] * 2, (False, True), (True, True))  # slow, learning

_LOG_PHI: Final = cast(Callable[[torch.Tensor], torch.Tensor], torch.special.log_ndtr)  # pyright: ignore[reportUnknownMemberType]  # torch leaves it untyped


@dataclass(slots=True, kw_only=True)
class Pool:
    """SKUs of one lead time: what they are [B], what is believed of them, and their stock."""

    lead: int
    slow: bool
    varying: bool
    learning: bool
    rate: torch.Tensor  # the truth
    dispersion: torch.Tensor
    holding: torch.Tensor
    penalty: torch.Tensor
    delay: torch.Tensor  # chance that ℓ is one more than the lead time, and that it is one less
    believed_dispersion: torch.Tensor
    a: torch.Tensor
    b: torch.Tensor
    on_hand: torch.Tensor
    pipeline: torch.Tensor  # [B, W] by age, the newest last

    def known(self) -> Known:
        rate = self.a / self.b if self.learning else self.rate
        return Known(
            rate=rate,
            rate_sd=self.a.sqrt() / self.b if self.learning else torch.zeros_like(rate),
            dispersion=self.believed_dispersion if self.learning else self.dispersion,
            lead=torch.full_like(rate, float(self.lead)),
            lead_sd=(2.0 * self.delay).sqrt(),
            holding=self.holding,
            penalty=self.penalty,
        )

    def stock(self, on_hand: torch.Tensor, pipeline: torch.Tensor) -> Stock:
        """With what is overdue, where lead times vary, taken to come next."""
        waiting = max(0, self.lead - 1)
        early = pipeline[:, : pipeline.shape[1] - waiting].sum(dim=1, keepdim=True)
        arrivals = torch.zeros(len(on_hand), 1)
        if self.lead == 0:
            on_hand = on_hand + early.squeeze(1)
        elif self.lead == 1:
            arrivals = torch.cat([early, torch.zeros_like(early)], dim=1)
        else:
            late = pipeline[:, pipeline.shape[1] - waiting :]
            first = late[:, :1] + early
            arrivals = torch.cat([torch.zeros_like(early), first, late[:, 1:], torch.zeros_like(early)], dim=1)
        steps = torch.full_like(on_hand, float(self.lead))
        position = on_hand + arrivals.sum(dim=1)
        return Stock(
            on_hand=on_hand, arrivals=arrivals, position=position, steps=steps, most_steps=self.lead, even=True
        )


def _uniform(random: np.random.Generator, low: float, high: float, size: int) -> npt.NDArray[np.float64]:
    return np.exp(random.uniform(log(low), log(high), size))


def _tensor(values: npt.NDArray[Any]) -> torch.Tensor:
    return torch.as_tensor(values.astype(np.float32))


def _pool(random: np.random.Generator, lead: int, *, slow: bool, varying: bool, learning: bool, size: int) -> Pool:
    """SKUs of a population made to be broad: no retailer's."""
    believed = _uniform(random, 0.05, 1.2, size) if slow else _uniform(random, 0.8, 300.0, size)
    a = _uniform(random, 0.3, 300.0, size)
    rate = np.maximum(believed * random.standard_gamma(a) / a, 0.01) if learning else believed
    dispersion = _dispersion(random, rate)
    error = np.exp(0.5 * random.standard_normal(size) / np.sqrt(1.0 + a / 3.0))
    believed_dispersion = 1.0 + (dispersion - 1.0) * error
    penalty = _uniform(random, 0.7, 200.0, size)
    stocked = random.random(size) > EMPTY
    level = 4.0 * random.random(size) * stocked
    usual = (rate * np.where(random.random(size) > EMPTY, 1.0, 0.0))[:, None]
    pipeline = random.poisson(np.repeat(usual, max(0, lead - 1) + int(varying), axis=1))
    return Pool(
        lead=lead,
        slow=slow,
        varying=varying,
        learning=learning,
        rate=_tensor(rate),
        dispersion=_tensor(dispersion),
        holding=torch.ones(size),
        penalty=_tensor(penalty),
        delay=_tensor(random.uniform(0.02, 0.4, size) if varying else np.zeros(size)),
        believed_dispersion=_tensor(believed_dispersion),
        a=_tensor(a),
        b=_tensor(a / believed),
        on_hand=_tensor(np.floor(level * rate + random.random(size) * stocked)),
        pipeline=_tensor(pipeline),
    )


def _dispersion(random: np.random.Generator, rate: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Poisson, negative binomial of a given dispersion or of a given r (1 is the geometric): a third each."""
    size = len(rate)
    kind = random.integers(0, 3, size)
    by_r = 1.0 + rate / _uniform(random, 0.7, 10.0, size)
    return np.where(kind == 0, 1.0, np.where(kind == 1, _uniform(random, 1.05, 12.0, size), by_r))


def _renew(random: np.random.Generator, pool: Pool) -> None:
    """Replace the first lanes by new ones and move those to the end."""
    fresh = _pool(
        random, pool.lead, slow=pool.slow, varying=pool.varying, learning=pool.learning, size=len(pool.rate) // RENEWED
    )
    for field in fields(Pool):
        new, old = getattr(fresh, field.name), getattr(pool, field.name)
        if isinstance(new, torch.Tensor):
            setattr(pool, field.name, torch.cat([old[len(new) :], new]))


def _demand(random: np.random.Generator, pool: Pool, periods: int) -> torch.Tensor:
    """[periods, B]: a Poisson, its rate a gamma's where the dispersion is over one."""
    rate, over = pool.rate.double().numpy(), np.maximum(pool.dispersion.double().numpy() - 1.0, 1e-6)
    mixed = random.standard_gamma(np.broadcast_to(rate / over, (periods, len(rate)))) * over
    return _tensor(random.poisson(np.where(over > 1e-5, mixed, rate)))


def _run(weights: dict[str, torch.Tensor], pool: Pool, random: np.random.Generator, dither: float) -> torch.Tensor:
    """The mean cost of a while, each lane's in units of what it should about cost. Moves the pool on."""
    ahead = 40 if pool.slow else 16  # periods that the last order judged has after its arrival
    judged = 30 if pool.slow else 24
    demand = _demand(random, pool, judged + pool.lead + ahead)
    up = _tensor(0.5 + dither * (random.random(demand.shape) - 0.5))
    chance = _tensor(random.random(demand.shape))
    # Orders that come too late to be judged still react to the stock, which is what ends an earlier order's effect.
    fixed = {name: weight.detach() for name, weight in weights.items()}
    usual, total = _usual_cost(pool), torch.zeros_like(pool.rate)
    known = pool.known()
    given = terms(known)
    for t, wanted in enumerate(demand):
        stock = pool.stock(pool.on_hand, pool.pipeline)
        need_now = need(weights if t < judged else fixed, known, given, stock)
        total = total + _period(pool, _whole(need_now, up[t]), wanted, chance[t])
        if pool.learning:
            known = pool.known()
            given = terms(known)
    pool.on_hand, pool.pipeline = pool.on_hand.detach(), pool.pipeline.detach()
    return (total / len(demand) / usual).mean()


def _period(pool: Pool, quantity: torch.Tensor, demand: torch.Tensor, chance: torch.Tensor) -> torch.Tensor:
    """Order, sell, receive: the cost of each lane."""
    if pool.lead == 0 and not pool.varying:
        pool.on_hand = pool.on_hand + quantity
    else:
        pool.pipeline = torch.cat([pool.pipeline, quantity.unsqueeze(1)], dim=1)
    if pool.learning:
        _observe(pool, pool.on_hand.detach(), demand)
    after = pool.on_hand - demand
    left = torch.maximum(after, torch.zeros_like(after))  # at nothing left, the mean of both derivatives
    pool.on_hand, pool.pipeline = _receive(pool, left, pool.pipeline, chance)
    return pool.holding * left + pool.penalty * (left - after)


def _whole(wanted: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """Whole units, up or down by what `up` [B] says; the gradient goes straight through."""
    positive = Positive.of(wanted)
    return positive + (torch.floor(positive + up) - positive).detach()


class Positive(torch.autograd.Function):
    """x⁺, whose gradient passes below zero as well where it asks for more: a rule that never orders must find back."""

    @staticmethod
    def of(wanted: torch.Tensor) -> torch.Tensor:
        return cast(torch.Tensor, Positive.apply(wanted))  # pyright: ignore[reportUnknownMemberType]  # as above

    @staticmethod
    def forward(ctx: Any, wanted: torch.Tensor) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]  # torch types it by *args
        ctx.save_for_backward(wanted)
        return wanted.clamp_min(0.0)

    @staticmethod
    def backward(ctx: Any, to: torch.Tensor) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]  # as above
        (wanted,) = ctx.saved_tensors
        return torch.where((wanted > 0.0) | (to < 0.0), to, torch.zeros_like(to))


def _observe(pool: Pool, on_hand: torch.Tensor, demand: torch.Tensor) -> None:
    """Update Gamma(a, b) by a period's sales: counts over φ are about Poisson, and a stock-out tells what it leaves.

    The score and the information of D ≥ x are those of a normal: d log P / dm = hazard / sd, over whole units.
    """
    mean = pool.a / pool.b
    sd = (pool.believed_dispersion * mean + mean * mean / pool.a).sqrt()
    u = (on_hand - 0.5 - mean) / sd
    hazard = torch.exp(-0.5 * u * u - 0.9189385 - _LOG_PHI(-u))
    known = (hazard * (hazard - u)).clamp(1e-3, 1.0)
    censored = demand >= on_hand
    told = torch.where(censored, known, torch.ones_like(known)) / pool.believed_dispersion
    told = torch.where(on_hand > 0.0, told, torch.zeros_like(told))
    units = torch.where(censored, mean + sd * hazard / known, demand)
    pool.a = pool.a + told * units
    pool.b = pool.b + told


def _receive(
    pool: Pool, left: torch.Tensor, pipeline: torch.Tensor, chance: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """What is due arrives."""
    if pool.lead == 0 and not pool.varying:
        return left, pipeline
    if not pool.varying:
        return left + pipeline[:, 0], pipeline[:, 1:]
    late, early = chance < pool.delay, chance > 1.0 - pool.delay
    lead_time = pool.lead + late.float() - early.float()
    age = torch.arange(pipeline.shape[1], 0, -1)
    due = (age >= lead_time.unsqueeze(1)) | (age > pool.lead)
    arrived = torch.where(due, pipeline, torch.zeros_like(pipeline))
    return left + arrived.sum(dim=1), (pipeline - arrived)[:, -pool.lead :]


def _usual_cost(pool: Pool) -> torch.Tensor:
    """A newsvendor's cost over the lead time, or that of never ordering: what to measure costs in."""
    known = pool.known()
    z = terms(known).z
    density = torch.exp(-0.5 * z * z) / 2.5066
    sd = (pool.dispersion * pool.rate * (pool.lead + 1.0) ** 0.5 + (known.rate_sd * (pool.lead + 1.0)) ** 2).sqrt()
    return torch.minimum((pool.holding + pool.penalty) * density * sd, pool.penalty * pool.rate).clamp_min(1e-3)


def train(
    seed: int, tell: Callable[[str], None], steps: int = STEPS, lanes: int = LANES
) -> tuple[dict[str, npt.NDArray[np.float32]], dict[str, str]]:
    """Weights, and what is said of them; a few minutes of a core. A seed gives the same on the same machine."""
    random = np.random.default_rng([seed, 5])
    weights = {name: each.requires_grad_() for name, each in untrained(torch.Generator().manual_seed(seed)).items()}
    pools = _population(random, lanes)
    adam = Adam(weights.values())
    average = {name: each.detach().clone() for name, each in weights.items()}
    typical: dict[int, float] = {}  # cost of each pool: its gradient is measured in it
    for step in range(steps):
        place = int(random.integers(len(pools)))
        loss = _run(weights, pools[place], random, 1.0 - 0.7 * step / steps)
        now = float(loss.detach())
        typical[place] = 0.8 * typical.get(place, now) + 0.2 * now
        _follow(adam, loss / typical[place], step / steps)
        _renew(random, pools[place])
        for name, each in weights.items():
            average[name].lerp_(each.detach(), max(0.005, 1.0 / (step + 1.0)))
        if (step + 1) % 100 == 0 or step + 1 == steps:
            tell(f"step {step + 1} of {steps}: costs {sum(typical.values()) / len(typical):.4f} of the usual")
    tensors = {name: each.numpy() for name, each in average.items()} | {"prior": _prior(random)}
    return tensors, {"steps": str(steps), "lanes": str(lanes)}


def _population(random: np.random.Generator, lanes: int) -> list[Pool]:
    kinds = [(lead, slow, False, learning) for lead in LEADS for slow, learning in KINDS]
    kinds += [(lead, False, True, False) for lead in (2, 4)]
    return [
        _pool(random, lead, slow=slow, varying=varying, learning=learns, size=lanes)
        for lead, slow, varying, learns in kinds
    ]


def _follow(adam: Adam, loss: torch.Tensor, done: float) -> None:
    """One step down, its rate falling by a cosine over the training."""
    adam.forget_gradients()
    loss.backward()  # pyright: ignore[reportUnknownMemberType]  # torch leaves it untyped
    torch.nn.utils.clip_grad_norm_(adam.weights, CLIP)
    adam.step(LAST_RATE + (FIRST_RATE - LAST_RATE) * (1.0 + cos(pi * done)) / 2.0)


def _prior(random: np.random.Generator) -> npt.NDArray[np.float32]:
    """What the population says of a SKU nothing was sold of yet: log weights over mean and dispersion."""
    pools = [_pool(random, 1, slow=slow, varying=False, learning=False, size=20_000) for slow in (False, True)]
    rates, dispersions = (
        torch.cat([getattr(p, name) for p in pools]).double().numpy() for name in ("rate", "dispersion")
    )
    return prior_of(rates, dispersions).astype(np.float32)
