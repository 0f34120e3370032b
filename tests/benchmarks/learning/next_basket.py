"""Next basket: the learned rule beside every plain one, on Complete Journey 2017 and on shops that nobody tuned for.

    python -m tests.benchmarks.learning.next_basket [--quick] [--seeds N] [--sparing N] [--only NAME]

Complete Journey by product and by product type, whole, by the protocol of `tradewind evaluate next-basket`; the shipped
weights were trained on nothing after its first 60%. Then drawn shops of seeds that training never uses. Intervals are
bootstraps over households; on drawn shops the spread is over shops. `--quick` takes an eighth of the households.
`--sparing N` judges one basket in N, and the rule then learns from fewer. Writes build/learning/next_basket.json; with
`--only` what else is in it stays.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np
import orjson

from infra.evaluate.journey import By, journey
from infra.evaluate.next_basket import BASELINES, MAKERS, Given, Run, ahead, means
from infra.serving.tuning import settle
from policies.tasks.shop import Basket, baskets, draw_task

OUT: Final = Path("build/learning/next_basket.json")
ABLATION: Final = ("meta", "flat-prior", "none")  # nobody knows the prior that an oracle would
OURS: Final = (*ABLATION, "meta-unguarded", "meta-without-leanings")
UNSEEN: Final = 2_000_000  # seeds from here on draw shops that no training has met
FLAT: Final = ("flat-prior",)  # what depends on the seed
QUICK: Final = 8
SMALL: Final = 100  # households of a drawn shop at most, and three days between visits at least: it is to be quick
K: Final = 10


def measured(
    log: Sequence[Basket], kinds: Mapping[str, str], names: Sequence[str], seed: int, sparing: int = 1
) -> dict[str, Any]:
    """All rules on one log."""
    began = perf_counter()
    run = Run(rules={name: MAKERS[name](Given(kinds, seed, K)) for name in names}, k=K, sparing=sparing)
    run.over(log)
    told: dict[str, Any] = {"baskets": len(run.households["warm"]), "cold_baskets": len(run.households["cold"])}
    for where in ("warm", "cold", "new"):
        told[where] = {measure: means(run, where, measure) for measure in ("recall", "ndcg")}
        told[where]["ahead"] = {name: ahead(run, name, seed, where) for name in names if name not in BASELINES}
    told["milliseconds"] = {
        name: 1e3 * each.seconds / max(1, len(run.households["warm"])) for name, each in run.judged.items()
    }
    return {**told, "seconds": perf_counter() - began}


def on_journey(by: By, *, quick: bool, seeds: int, sparing: int) -> dict[str, Any]:
    """Whole: the served rule and its ablation. An eighth of the households: each part of the rule taken away besides,
    and the untrained by seed."""
    log, kinds = journey(by)
    if not quick:
        return measured(log, kinds, [*ABLATION, *BASELINES], seed=0, sparing=sparing)
    log = [basket for basket in log if int(basket.user) % QUICK == 0]
    found = measured(log, kinds, [*OURS, *BASELINES], seed=0, sparing=sparing)
    others = [measured(log, kinds, FLAT, seed, sparing)["warm"]["recall"] for seed in range(1, seeds)]
    found["flat_prior_by_seed"] = [found["warm"]["recall"]["flat-prior"], *(each["flat-prior"] for each in others)]
    return found


def on_drawn_shops(seeds: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for seed in range(UNSEEN, UNSEEN + seeds):
        task = draw_task(seed)
        task = replace(task, households=min(SMALL, task.households), gap_days=max(3.0, task.gap_days))
        kinds = {f"i{item}": task.kind_of(f"i{item}") for item in range(task.items)} if seed % 2 else {}
        found.append({"seed": seed, **measured(list(baskets(task, seed)), kinds, [*OURS, *BASELINES], seed)})
    return found


def show(title: str, found: Mapping[str, Any]) -> None:
    print(f"\n{title}: {found['baskets']:,} baskets, {found['cold_baskets']:,} masked; {found['seconds']:.0f} s")
    print(f"{'rule':24} recall@{K}  nDCG@{K} |  cold recall |  new recall |    ms")
    for name in found["warm"]["recall"]:
        cells = [found["warm"]["recall"][name], found["warm"]["ndcg"][name]]
        cells += [found["cold"]["recall"][name], found["new"]["recall"][name]]
        shown = [" " * 6 if cell is None else f"{cell:.4f}" for cell in cells]
        line = f"{name:24} {shown[0]:>9} {shown[1]:>8} | {shown[2]:>12} | {shown[3]:>11} |"
        print(f"{line} {found['milliseconds'][name]:5.2f}")
    for where in ("warm", "cold"):
        for name, lead in found[where]["ahead"].items():
            if lead is not None:
                print(
                    f"{where} {name} ahead of {lead['of']}: {lead['by']:+.2%} ({lead['from']:+.2%} … {lead['to']:+.2%})"
                )


def show_shops(shops: Sequence[Mapping[str, Any]]) -> None:
    for where in ("warm", "cold"):
        for name in OURS:
            leads = [shop[where]["ahead"][name]["by"] for shop in shops if shop[where]["ahead"][name] is not None]
            if leads:
                spread = f"mean {np.mean(leads):+.2%}, worst {min(leads):+.2%}, best {max(leads):+.2%}"
                print(f"{where} {name}: ahead of the strongest baseline of each of {len(leads)} shops: {spread}")


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--quick", action="store_true")
    given.add_argument("--seeds", type=int, default=5)
    given.add_argument("--sparing", type=int, default=1, help="judge one in so many of the baskets")
    given.add_argument("--only", choices=("product", "type", "drawn"))
    asked = given.parse_args()
    settle()
    told: dict[str, Any] = orjson.loads(OUT.read_bytes()) if asked.only and OUT.is_file() else {}
    bys: tuple[By, ...] = ("type", "product")
    for by in bys:
        if asked.only in (None, by):
            told[by] = on_journey(by, quick=asked.quick, seeds=asked.seeds, sparing=asked.sparing)
            show(f"Complete Journey by {by}", told[by])
    if asked.only in (None, "drawn"):
        told["drawn"] = on_drawn_shops(asked.seeds)
        for shop in told["drawn"]:
            show(f"drawn shop {shop['seed']}", shop)
        show_shops(told["drawn"])
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY))


if __name__ == "__main__":
    main()
