"""The replenishment rule on Zipkin's lost-sales instances (Zipkin 2008), against their optimum. Run by hand:

    python -m tests.benchmarks.lost_sales [--quick]

Poisson demand of mean 5 a period, holding cost 1 charged at the period's end, orders arrive L periods later. Costs are
simulated, on the same demand for every rule, and compared with the optimum from value iteration. Base-stock and capped
base-stock get their best parameters per instance, found by search; our rule gets none. "learning" starts from the
shipped prior and sees only what was sold, and how much of each period it was in stock.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import torch

from policies.orders.demand import DemandPrior
from policies.orders.replenish import MAX_STEPS, order

MEAN: Final = 5.0
LEAD_TIMES: Final = (1, 2, 3, 4)
OPTIMUM: Final = {  # average cost per period by shortage cost, for L = 1 … 4
    4.0: (4.0407, 4.3953, 4.5986, 4.728),
    9.0: (5.4383, 6.0936, 6.5314, 6.836),
    19.0: (6.6758, 7.6644, 8.3626, 8.887),
    39.0: (7.8360, 9.1064, 10.0384, 10.795),
}
PRIOR: Final = DemandPrior.of({"half_life_days": 1e9})  # the mean doesn't move here: nothing is to be forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    lead_time: int
    shortage_cost: float
    runs: int
    periods: int
    warm_up: int
    seed: int = 11


@dataclass(slots=True, kw_only=True)
class Lanes:
    """Simulations side by side, [B]: stock, orders under way by arrival [B, L − 1], and what was seen of demand."""

    on_hand: torch.Tensor
    pipeline: torch.Tensor
    sold: torch.Tensor
    watched: torch.Tensor

    @property
    def position(self) -> torch.Tensor:
        return self.on_hand + self.pipeline.sum(dim=1)


Rule = Callable[[Lanes], torch.Tensor]


def simulate(instance: Instance, rule: Rule, settings: int = 1) -> torch.Tensor:
    """Mean cost per period, [periods, settings]; lanes are `runs` × `settings`, each run's demand shared by all."""
    random = torch.Generator().manual_seed(instance.seed)
    runs, lead = instance.runs, instance.lead_time
    size = runs * settings
    full = torch.full((size,), 2.0 * MEAN, dtype=torch.float64)
    lanes = Lanes(
        on_hand=full,
        pipeline=torch.full((size, lead - 1), MEAN, dtype=torch.float64),
        sold=torch.zeros_like(full),
        watched=torch.zeros_like(full),
    )
    costs = torch.empty(instance.periods, settings, dtype=torch.float64)
    for period in range(instance.periods):
        quantity = rule(lanes)
        demand = torch.poisson(torch.full((runs,), MEAN, dtype=torch.float64), generator=random)
        luck = torch.rand(runs, 64, dtype=torch.float64, generator=random)
        demand, luck = demand.repeat_interleave(settings), luck.repeat_interleave(settings, dim=0)
        left, lost = (lanes.on_hand - demand).clamp_min(0.0), (demand - lanes.on_hand).clamp_min(0.0)
        costs[period] = (left + instance.shortage_cost * lost).view(runs, settings).mean(dim=0)
        lanes.sold = lanes.sold + demand.minimum(lanes.on_hand)
        lanes.watched = lanes.watched + in_stock_share(lanes.on_hand, demand, luck)
        coming = torch.cat([lanes.pipeline, quantity.unsqueeze(1)], dim=1)
        lanes.on_hand, lanes.pipeline = left + coming[:, 0], coming[:, 1:]
    return costs


def in_stock_share(on_hand: torch.Tensor, demand: torch.Tensor, luck: torch.Tensor) -> torch.Tensor:
    """How much of a period [B] passed before the last unit went: the x-th of D uniform times is Beta(x, D − x + 1)."""
    logs = -luck.log().cumsum(dim=1)  # sums of exponentials are gammas, and their ratios betas
    first = logs.gather(1, (on_hand.long() - 1).clamp(0, 62).unsqueeze(1)).squeeze(1)
    whole = logs.gather(1, demand.long().clamp(0, 63).unsqueeze(1)).squeeze(1)
    share = torch.where(on_hand > 0.0, first / whole, torch.zeros_like(first))
    return torch.where(demand >= on_hand, share, torch.ones_like(share))


def projected(instance: Instance, *, learning: bool) -> Rule:
    """The shipped rule, with the rate known or learned."""
    lead = float(instance.lead_time)

    def rule(lanes: Lanes) -> torch.Tensor:
        a = PRIOR.a + lanes.sold if learning else torch.full_like(lanes.sold, MEAN * 1e9)
        b = PRIOR.b + lanes.watched if learning else torch.full_like(lanes.sold, 1e9)
        columns = [lanes.on_hand, lanes.position, a / b, a / (b * b)]
        constants = (1.0, lead, lead, 1.0, 1.0, instance.shortage_cost, 1.0, 0.0, 1e9, 0.0)
        columns += [torch.full_like(a, value) for value in constants]
        arrivals = torch.zeros(len(a), MAX_STEPS + 1, dtype=torch.float64)
        arrivals[:, 1 : instance.lead_time] = lanes.pipeline
        return order(torch.stack(columns, dim=1), arrivals)[0]

    return rule


def base_stock(levels: torch.Tensor, caps: torch.Tensor, runs: int) -> Rule:
    """Order up to a position, at most the cap; one pair per setting."""
    level, cap = levels.repeat(runs), caps.repeat(runs)
    return lambda lanes: (level - lanes.position).clamp_min(0.0).minimum(cap)


def steady(instance: Instance, rule: Rule, settings: int = 1) -> torch.Tensor:
    """Mean cost per period after the warm-up, [settings]."""
    return simulate(instance, rule, settings)[instance.warm_up :].mean(dim=0)


def best_base_stock(search: Instance, judge: Instance, *, capped: bool) -> float:
    """The cost of the best level (and cap) of a search, judged on demand that the search hasn't seen."""
    top = int(MEAN * (search.lead_time + 1) + 5.0 * (MEAN * (search.lead_time + 1)) ** 0.5)
    first = int(MEAN * search.lead_time)
    caps = torch.arange(4.0, 14.0) if capped else torch.tensor([1e9])
    grid = torch.cartesian_prod(torch.arange(float(first), float(top)), caps).double()
    costs = steady(search, base_stock(grid[:, 0], grid[:, 1], search.runs), len(grid))
    best = grid[int(costs.argmin())]
    return float(steady(judge, base_stock(best[:1], best[1:], judge.runs)))


def main() -> None:
    parser = argparse.ArgumentParser(description="Gaps to the optimum on Zipkin's lost-sales instances")
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs: gaps to about one percent point")
    runs = 60 if parser.parse_args().quick else 600
    torch.set_num_threads(1)
    _say("gap to the optimal average cost; learning: rate unknown, by day 30 / 100 / 365, and after it")
    _say(f"{'p':>3} {'L':>2} {'optimum':>8} {'base-stock':>11} {'capped':>8} {'ours':>8}   learning")
    gaps: list[list[float]] = []
    for shortage_cost, optima in OPTIMUM.items():
        for lead_time, optimum in zip(LEAD_TIMES, optima, strict=True):
            instance = Instance(lead_time=lead_time, shortage_cost=shortage_cost, runs=runs, periods=1100, warm_up=100)
            gaps.append([cost / optimum - 1.0 for cost in measure(instance)])
            _say(f"{shortage_cost:3.0f} {lead_time:2} {optimum:8.4f} {_percent(gaps[-1])}")
    _say(f"{'mean':>15} {_percent([sum(column) / len(gaps) for column in zip(*gaps, strict=True)])}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _percent(gaps: list[float]) -> str:
    cells = [f"{100.0 * gap:+7.2f}%" for gap in gaps]
    return f"{'':2} {cells[0]:>8} {cells[1]:>8} {cells[2]:>8}   {' '.join(cells[3:])}"


def measure(instance: Instance) -> list[float]:
    """Average costs: base-stock, capped base-stock, ours, and ours learning over four spans."""
    search = replace(instance, runs=max(1, instance.runs // 20), seed=instance.seed + 1)
    learning = simulate(instance, projected(instance, learning=True))
    return [
        best_base_stock(search, instance, capped=False),
        best_base_stock(search, instance, capped=True),
        float(steady(instance, projected(instance, learning=False))),
        *(float(learning[first:last].mean()) for first, last in ((0, 30), (0, 100), (0, 365), (365, 1100))),
    ]


if __name__ == "__main__":
    main()
