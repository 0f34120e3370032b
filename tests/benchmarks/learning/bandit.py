"""The linear bandit: the four-way ablation, every baseline, with and without a change mid-task, and Vowpal Wabbit.

    python -m tests.benchmarks.learning.bandit [--quick] [--seeds N] [--only NAMES] [--skip-peers]

Tasks of d = 6, K = 10 and 40 rounds come one after another from a population that each seed draws anew. Regret per task
over all tasks and over the last half, ± the standard deviation over seeds, and, as a share of the oracle prior's, the
ratio of means. Writes build/learning/bandit.json, and the regret curves as bandit-none.svg and bandit-midtask.svg.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from infra.evaluate.bandit import POLICIES, run
from infra.serving.tuning import settle
from policies.linalg import Floats
from policies.tasks.shopper import Drift, Shoppers, population
from tests.benchmarks.learning.contest import EXPLORATIONS, Turn, contest, default, tuned

OUT: Final = Path("build/learning")
DRIFTS: Final[tuple[Drift, ...]] = ("none", "midtask")
SHOWN: Final = frozenset({"meta", "oracle-prior", "flat-prior", "none", "linear-thompson", "linucb", "maml"})
FIRST_SEED: Final = 0  # settings were chosen on seeds from 100 on


def shoppers_of(drift: Drift, seed: int) -> Shoppers:
    return population(dim=6, arms=10, rounds=40, drift=drift, seed=seed)


def ablation(drift: Drift, seeds: range, tasks: int, names: Sequence[str]) -> dict[str, Any]:
    """Policies on the same tasks; the oracle prior is always among them."""
    regrets: dict[str, Floats] = {}  # [seeds, tasks]
    micro: dict[str, float] = {}
    for name in names:
        played = [run(name, shoppers_of(drift, seed), tasks, seed) for seed in seeds]
        regrets[name] = np.stack([regret for regret, _ in played])
        micro[name] = 1e6 * sum(seconds for _, seconds in played) / (len(seeds) * tasks * 40)
        sys.stderr.write(f"{drift}: {name} {regrets[name].mean():.2f}\n")
    oracle = regrets["oracle-prior"]
    return {
        name: _row(regret, oracle) | {"microseconds": micro[name], "curve": _smooth(regret)}
        for name, regret in regrets.items()
    }


def peers(drift: Drift, seeds: range, tasks: int, tries: int) -> dict[str, Any]:
    """Vowpal Wabbit and ours in one run."""
    hows = {f"vw {name}": default(name) for name in EXPLORATIONS}
    for name in EXPLORATIONS:
        hows[f"vw {name} tuned"] = tuned(name, lambda seed: shoppers_of(drift, seed), tries, tasks // 2)
        sys.stderr.write(f"{drift}: {name} tuned to {hows[f'vw {name} tuned']}\n")
    played = [contest(shoppers_of(drift, seed), tasks, hows) for seed in seeds]
    ours = np.array([one["meta"]["regret"] for one in played])
    return {name: _against(name, played, ours) | {"settings": hows.get(name)} for name in played[0]}


def _against(name: str, played: list[dict[str, Turn]], ours: Floats) -> dict[str, Any]:
    regret = np.array([one[name]["regret"] for one in played])
    micro = {part: float(np.mean([one[name][part] for one in played])) for part in ("choosing", "learning")}
    slower = [sum(one[name][part] for part in micro) / sum(one["meta"][part] for part in micro) for one in played]
    return _row(regret, ours) | micro | {"time_over_ours": float(np.mean(slower))}


def _row(regret: Floats, against: Floats) -> dict[str, Any]:
    half = regret.shape[1] // 2
    late, late_against = regret[:, half:], against[:, half:]
    return {
        "regret": float(regret.mean()),
        "deviation": float(regret.mean(axis=1).std(ddof=1)),
        "late": float(late.mean()),
        "late_deviation": float(late.mean(axis=1).std(ddof=1)),
        "ratio": float(regret.mean() / against.mean()),
        "late_ratio": float(late.mean() / late_against.mean()),
        "late_ratio_by_seed": (late.mean(axis=1) / late_against.mean(axis=1)).tolist(),
    }


def _smooth(regret: Floats) -> list[float]:
    """Mean regret of tasks, ten by ten."""
    mean = regret.mean(axis=0)
    return [float(mean[first : first + 10].mean()) for first in range(0, len(mean), 10)]


def show(title: str, found: dict[str, Any], against: str) -> None:
    print(f"\n{title}\n{'policy':<22}{'regret':>15}{'last half':>16}{'/ ' + against:>10}{'late':>7}  by seed, late")
    for name, row in found.items():
        spread = " ".join(f"{one:.2f}" for one in row["late_ratio_by_seed"])
        time = f"{row['microseconds']:.0f} µs" if "microseconds" in row else ""
        if "choosing" in row:
            time = f"{row['choosing']:.0f} + {row['learning']:.0f} µs CPU, × {row['time_over_ours']:.2f}"
        late = f"{row['late']:>9.2f} ±{row['late_deviation']:>5.2f}"
        print(
            f"{name:<22}{row['regret']:>8.2f} ±{row['deviation']:>5.2f}{late}"
            f"{row['ratio']:>10.3f}{row['late_ratio']:>7.3f}  {spread}  {time}"
        )


def plot(drift: Drift, found: dict[str, Any]) -> None:
    """Regret per task as tasks go by."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure: Any = plt.figure(figsize=(7, 4))  # pyright: ignore[reportUnknownMemberType]
    axes: Any = figure.add_subplot()
    for name in [name for name in found if name in SHOWN]:
        axes.plot(np.arange(len(found[name]["curve"])) * 10 + 5, found[name]["curve"], label=name)
    axes.set(xlabel="task", ylabel="regret per task", yscale="log", title=f"drift: {drift}")
    axes.legend(fontsize="small")
    figure.savefig(OUT / f"bandit-{drift}.svg")
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default=",".join(POLICIES), help="policies, separated by commas")
    parser.add_argument("--skip-peers", action="store_true")
    given = parser.parse_args()
    settle()
    names = [name for name in POLICIES if name in (*given.only.split(","), "oracle-prior")]
    tasks, tries = (40, 3) if given.quick else (200, 10)
    seeds = range(FIRST_SEED, FIRST_SEED + max(2, 2 if given.quick else given.seeds))
    OUT.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {"tasks": tasks, "seeds": list(seeds), "ablation": {}, "peers": {}}
    for drift in DRIFTS:
        found = told["ablation"][drift] = ablation(drift, seeds, tasks, names)
        show(f"{tasks} tasks, {len(seeds)} seeds, drift {drift}", found, "oracle")
        plot(drift, found)
        if not given.skip_peers:
            told["peers"][drift] = peers(drift, seeds, tasks, tries)
            show(f"Vowpal Wabbit in the same run, drift {drift}", told["peers"][drift], "ours")
        (OUT / "bandit.json").write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
