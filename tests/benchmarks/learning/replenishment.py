"""Replenishment: gaps to the optimum, by hand:

    python -m tests.benchmarks.learning.replenishment [--quick] [--seeds N]

Known demand: the exact average cost of each rule on Zipkin's (2008) instances and on others small enough to solve,
from the equations of its stationary policy, so without noise; the levels of the classical rules are searched from five
seeds, and the spread is theirs. Instances too large to solve, and those whose lead times vary, are simulated, against
the best capped base-stock. Unknown demand: periods 200 to 2,000 of 64 shelves that start cold; the noise that the
demand itself brings is taken out by what the same demand costs the oracle prior, which knows it from the start and so
is as far from the optimum as `meta` is where demand is known.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import orjson
import torch

from infra.evaluate.replenishment import LEARNED, MAKERS, evenly_around, simulate
from policies.baselines.lost_sales_exact import exact_cost, value_iteration
from policies.baselines.order_levels import Kind, LevelOrders, fit
from policies.tasks.lost_sales import Demand, Family, Floats, Instance, Rule
from tests.benchmarks.lost_sales import LEAD_TIMES, MEAN, OPTIMUM

KINDS: Final[tuple[Kind, ...]] = ("base-stock", "capped-base-stock", "s-S")
COLD: Final = ("meta", "flat-prior", "oracle-prior", "none", "base-stock", "capped-base-stock", "s-S", "myopic")
TOLD: Final = "oracle-prior"  # which knows the demand from the start
OTHERS: Final[tuple[tuple[Family, float, float], ...]] = (
    ("poisson", 0.1, 1.0),
    ("poisson", 0.5, 1.0),
    ("poisson", 2.0, 1.0),
    ("poisson", 10.0, 1.0),
    ("geometric", 0.3, 1.0),
    ("geometric", 1.0, 1.0),
    ("geometric", 5.0, 1.0),
    ("negative-binomial", 5.0, 2.0),
    ("negative-binomial", 5.0, 4.0),
    ("negative-binomial", 0.3, 5.0),
    ("negative-binomial", 1.1, 11.6),
)
LARGE: Final[tuple[tuple[Family, float, float, int, float], ...]] = (
    ("poisson", 20.0, 1.0, 6, 9.0),
    ("poisson", 50.0, 1.0, 4, 19.0),
    ("poisson", 5.0, 1.0, 10, 9.0),
    ("poisson", 5.0, 1.0, 10, 39.0),
    ("poisson", 0.5, 1.0, 10, 39.0),
    ("geometric", 10.0, 1.0, 4, 9.0),
    ("geometric", 20.0, 1.0, 2, 19.0),
    ("negative-binomial", 20.0, 5.0, 6, 19.0),
    ("negative-binomial", 5.0, 3.0, 8, 4.0),
)

VARIED: Final[tuple[tuple[Family, float, float, int, int, float], ...]] = (  # the last but one: lead time ± so many
    ("poisson", 5.0, 1.0, 2, 2, 39.0),
    ("poisson", 5.0, 1.0, 4, 2, 9.0),
    ("negative-binomial", 1.1, 11.6, 2, 1, 19.0),
)


def instance(family: Family, mean: float, spread: float, lead_time: int, penalty: float) -> Instance:
    demand = Demand(family=family, mean=mean, spread=spread)
    return Instance(demand=demand, lead_time=lead_time, penalty=penalty)


def as_state_rule(rule: Rule, size: int = 64) -> Callable[[Floats, Floats], Floats]:
    """A rule of 64 shelves, asked for any number of states."""

    def order(on_hand: Floats, pipeline: Floats) -> Floats:
        found: list[Floats] = []
        for start in range(0, len(on_hand), size):
            states, ways = on_hand[start : start + size], pipeline[start : start + size]
            filled = np.resize(np.concatenate([states[:, None], ways], axis=1), (size, 1 + ways.shape[1]))
            found.append(rule.order(filled[:, 0].copy(), filled[:, 1:].copy())[: len(states)])
        return np.concatenate(found)

    return order


def known(one: Instance, optimum: float, seeds: int) -> dict[str, list[float]]:
    """Gaps to the optimum by rule, exactly; one for each seed of a search."""
    gaps = {
        name: [exact_cost(one, as_state_rule(MAKERS[name](one, 0, False))) / optimum - 1.0]
        for name in ("meta", "none", "myopic")
    }
    for kind in KINDS:
        costs: dict[tuple[float, float, float], float] = {}
        gaps[kind] = []
        for seed in range(seeds):
            levels = fit(one, kind, 1000 + seed)
            key = (float(levels.reorder[0]), float(levels.up_to[0]), float(levels.cap[0]))
            if key not in costs:
                costs[key] = exact_cost(one, LevelOrders(levels).order)
            gaps[kind].append(costs[key] / optimum - 1.0)
    return gaps


def cold(one: Instance, optimum: float, seeds: int, known_gap: float) -> dict[str, list[float]]:
    """Gaps over periods 200 to 2,000 of a run that starts cold, by seed."""
    first, last = LEARNED
    gaps: dict[str, list[float]] = {name: [] for name in COLD}
    for seed in range(seeds):
        told = simulate(one, MAKERS[TOLD](one, seed, True), last, 500 + seed).costs[first:].mean()
        for name in COLD:
            rule = MAKERS[name](one, seed, True)
            costs = told if name == TOLD else simulate(one, rule, last, 500 + seed).costs[first:].mean()
            gaps[name].append(float((costs - told) / optimum + known_gap))
    return gaps


def large(one: Instance, seeds: int) -> dict[str, list[float]]:
    """Average cost over that of the best capped base-stock on the same demand, less one, by seed."""
    found: dict[str, list[float]] = {"meta": [], "none": [], "base-stock": []}
    for seed in range(seeds):
        capped = simulate(one, MAKERS["capped-base-stock"](one, seed, False), 1500, 900 + seed).costs.mean()
        for name, gaps in found.items():
            costs = simulate(one, MAKERS[name](one, seed, False), 1500, 900 + seed).costs.mean()
            gaps.append(float(costs / capped - 1.0))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Gaps to the optimum of lost sales")
    parser.add_argument("--quick", action="store_true", help="a few instances of each table")
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    poisson = _poisson(given.seeds, quick=given.quick)
    told = {"poisson": poisson, "others": _others(given.seeds, quick=given.quick)}
    _head("Too large to solve: cost over the best capped base-stock's", ("meta", "none", "base-stock"))
    told["large"] = [_row(one, large(one, given.seeds)) for one in _large(quick=given.quick)]
    _head("Lead times that vary: cost over the best capped base-stock's", ("meta", "none", "base-stock"))
    told["varied"] = [_row(one, large(one, given.seeds)) for one in _varied(quick=given.quick)]
    told["cold"] = _cold(given.seeds, poisson, quick=given.quick)
    path = Path("build/learning/replenishment.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))


def _zipkin(*, quick: bool) -> list[tuple[Instance, float]]:
    """Zipkin's instances, with their optima."""
    return [
        (instance("poisson", MEAN, 1.0, lead_time, penalty), optimum)
        for penalty, optima in OPTIMUM.items()
        for lead_time, optimum in zip(LEAD_TIMES, optima, strict=True)
        if not quick or lead_time <= 2
    ]


def _poisson(seeds: int, *, quick: bool) -> list[dict[str, Any]]:
    _head("Poisson, mean 5: exact gap to the optimum", ("meta", "none", "myopic", *KINDS))
    rows = [_row(one, known(one, optimum, seeds)) for one, optimum in _zipkin(quick=quick)]
    _mean(rows)
    return rows


def _others(seeds: int, *, quick: bool) -> list[dict[str, Any]]:
    _head("Other demand: exact gap to the optimum", ("meta", "none", "myopic", *KINDS))
    rows: list[dict[str, Any]] = []
    for family, mean, spread in OTHERS[:3] if quick else OTHERS:
        for penalty, lead_time in ((4.0, 1), (4.0, 2), (19.0, 1), (19.0, 2)):
            one = instance(family, mean, spread, lead_time, penalty)
            rows.append(_row(one, known(one, value_iteration(one).average_cost, seeds)))
    _mean(rows)
    return rows


def _cold(seeds: int, told: list[dict[str, Any]], *, quick: bool) -> list[dict[str, Any]]:
    _head("Unknown demand, periods 200 to 2,000: gap to the optimum", COLD)
    rows = [
        _row(one, cold(one, optimum, seeds, row["gaps"]["meta"][0]))
        for row, (one, optimum) in zip(told, _zipkin(quick=quick), strict=True)
        if not quick or one.lead_time == 2
    ]
    _mean(rows)
    return rows


def _large(*, quick: bool) -> list[Instance]:
    return [
        instance(family, mean, spread, lead_time, penalty)
        for family, mean, spread, lead_time, penalty in (LARGE[:2] if quick else LARGE)
    ]


def _varied(*, quick: bool) -> list[Instance]:
    return [
        replace(instance(family, mean, spread, lead_time, penalty), delays=evenly_around(lead_time, around))
        for family, mean, spread, lead_time, around, penalty in (VARIED[:1] if quick else VARIED)
    ]


def _head(title: str, names: Sequence[str]) -> None:
    _say(f"\n{title}; ± is the spread over seeds\n{'':34}" + "".join(f"{name:>20}" for name in names))


def _row(one: Instance, gaps: dict[str, list[float]]) -> dict[str, Any]:
    demand = one.demand
    around = f"±{one.longest - one.lead_time}" if one.delays else ""
    name = f"{demand.family} {demand.mean:g} φ={demand.dispersion:g} L={one.lead_time}{around} p={one.penalty:g}"
    _say(f"{name:<34}" + "".join(f"{_cell(each):>20}" for each in gaps.values()))
    return {"instance": name, "gaps": gaps}


def _cell(gaps: Sequence[float]) -> str:
    spread = f" ±{100.0 * float(np.std(gaps)):.2f}" if len(gaps) > 1 else ""
    return f"{100.0 * float(np.mean(gaps)):+.2f}%{spread}"


def _mean(rows: list[dict[str, Any]]) -> None:
    each = [cast(dict[str, list[float]], row["gaps"]) for row in rows]
    means = {name: [float(np.mean(gaps[name])) for gaps in each] for name in each[0]}
    _say(f"{'mean (largest)':<34}" + "".join(f"{_both(found):>20}" for found in means.values()))


def _both(found: list[float]) -> str:
    return f"{100.0 * float(np.mean(found)):+.2f}% ({100.0 * max(found):.2f}%)"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
