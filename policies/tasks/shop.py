"""Shops that never were, of all sizes and habits: households with favourites, seasons of promotion, new items.

A shop is drawn from its seed: how many households, items and kinds there are, how often and how much is bought, how
faithful households are, how strong promotions are. Nothing of it is fitted to any data.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from policies.linalg import Floats

DAY: Final = 86_400_000
OPENS: Final = 1_700_000_000_000  # epoch ms; any day would do


class Basket(NamedTuple):
    """One visit: epoch ms, who, and the distinct items bought."""

    at: int
    user: str
    items: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopTask:
    """One shop's nature. Rates are per day; shares are of the things bought."""

    households: int
    items: int
    kinds: int
    days: int
    gap_days: float
    size: float  # mean things a visit, beyond the first
    faithful: float  # share that a household takes from what it had before
    skew: float  # of popularity: weight of the i-th item is i^−skew
    promotion: float  # how many times its usual weight a promoted item has
    rests: float  # days in which a thing just bought is rarely bought again; 0: none

    def kind_of(self, item: str) -> str:
        return f"kind{int(item[1:]) % self.kinds}"


def draw_task(seed: int) -> ShopTask:
    rng = np.random.default_rng([seed, 71])

    def between(low: float, high: float) -> float:
        """Log-uniform."""
        return low * (high / low) ** float(rng.random())

    items = int(between(40, 3000))
    return ShopTask(
        households=int(between(30, 600)),
        items=items,
        kinds=max(2, int(items / rng.uniform(4, 40))),
        days=int(rng.uniform(60, 400)),
        gap_days=between(1.5, 25.0),
        size=between(0.3, 10.0),
        faithful=float(rng.uniform(0.0, 0.9)),
        skew=float(rng.uniform(0.4, 1.2)),
        promotion=between(1.0, 30.0),
        rests=(0.0, 0.0, 5.0, 20.0)[int(rng.integers(4))],
    )


def baskets(task: ShopTask, seed: int) -> Iterator[Basket]:
    """The shop's baskets in order of time. The same task and seed give the same ones."""
    rng = np.random.default_rng([seed, 72])
    base = np.power(1.0 + rng.permutation(task.items), -task.skew).astype(np.float64)
    kinds = np.arange(task.items) % task.kinds
    taste = rng.gamma(0.3, size=(task.households, task.kinds)) + 1e-3
    pace = task.gap_days * rng.lognormal(0.0, 0.6, task.households)
    big: list[float] = (task.size * rng.lognormal(0.0, 0.5, task.households)).tolist()
    favourites: list[dict[int, tuple[float, float]]] = [{} for _ in range(task.households)]  # weight, last day
    week, weights = -1, base
    for day, household in _visits(task, pace, rng):
        if int(day) // 7 != week:
            week = int(day) // 7
            weights = _promoted(task, base, week, rng)
        own = favourites[household]
        appeal = weights * taste[household][kinds]
        chosen = _fill(task, own, appeal / appeal.sum(), day, 1 + int(rng.poisson(big[household])), rng)
        for item in chosen:
            own[item] = (0.9 * own.get(item, (0.0, 0.0))[0] + 1.0, day)
        yield Basket(OPENS + int(day * DAY), f"h{household}", [f"i{item}" for item in chosen])


def _visits(task: ShopTask, pace: Floats, rng: np.random.Generator) -> list[tuple[float, int]]:
    found: list[tuple[float, int]] = []
    paces: list[float] = pace.tolist()
    for household, gap in enumerate(paces):
        day = float(rng.uniform(0.0, min(task.days, 4 * gap)))
        while day < task.days:
            hour = float(rng.normal(0.6, 0.15)) % 1.0
            found.append((int(day) + hour, household))
            day += float(rng.gamma(2.0, gap / 2.0))
    return sorted(found)


def _promoted(task: ShopTask, base: Floats, week: int, rng: np.random.Generator) -> Floats:
    """The weights of one week: a twentieth of the items is promoted, and what is new comes one by one."""
    weights = base * np.where(rng.random(task.items) < 0.05, task.promotion, 1.0)
    here = np.arange(task.items) <= task.items * (0.7 + 0.3 * week * 7 / task.days)
    return weights * here


def _fill(
    task: ShopTask,
    own: dict[int, tuple[float, float]],
    appeal: npt.NDArray[np.float64],
    day: float,
    size: int,
    rng: np.random.Generator,
) -> list[int]:
    chosen: dict[int, None] = {}
    ids = list(own)
    weight = np.array([w for w, _ in own.values()])
    if ids and task.rests:
        weight = weight * (1.0 - 0.95 * np.exp(-(day - np.array([last for _, last in own.values()])) / task.rests))
    for _ in range(2 * size):
        if len(chosen) == size:
            break
        if ids and rng.random() < task.faithful:
            chosen[ids[int(rng.choice(len(ids), p=weight / weight.sum()))]] = None
        else:
            chosen[int(rng.choice(len(appeal), p=appeal))] = None
    return list(chosen)
