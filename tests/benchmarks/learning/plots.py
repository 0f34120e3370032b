"""The pictures of docs/learning.md, drawn from the tables' JSON."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import orjson

mpl.use("Agg")
mpl.rcParams["svg.hashsalt"] = "tradewind"  # the same figures give the same file

from matplotlib import pyplot as plt  # noqa: E402 # the backend is chosen before

Axes = Any
Draw = Callable[[Axes, Any], None]


def drawn(table: str, printed: Path, pictures: Path) -> Iterator[tuple[str, str]]:
    """Draw a table's pictures into `pictures`; the name and title of each."""
    source = printed / f"{table}.json"
    if not source.is_file():
        return
    told = orjson.loads(source.read_bytes())
    for name, title, draw in PICTURES.get(table, ()):
        figure: Any = plt.figure(figsize=(7, 3.6), layout="constrained")  # pyright: ignore[reportUnknownMemberType]
        axes: Axes = figure.add_subplot()
        draw(axes, told)
        pictures.mkdir(parents=True, exist_ok=True)
        figure.savefig(pictures / f"{name}.svg", metadata={"Date": None})
        plt.close(figure)
        yield f"{name}.svg", title


def _cold_start(axes: Axes, told: Any) -> None:
    for policy, row in told["rmse"].items():
        if policy != "none":
            axes.plot([int(n) for n in row], [one["rmse"] for one in row.values()], marker="o", label=policy)
    axes.set(xlabel="ratings known", ylabel="RMSE", xscale="symlog")
    axes.legend(fontsize="small")


def _gaps(tables: tuple[str, ...]) -> Draw:
    """Each instance a point: its gap to the optimum, the mean over seeds, in percent."""

    def draw(axes: Axes, told: Any) -> None:
        rows = [row["gaps"] for table in tables for row in told.get(table, ())]
        names = list(rows[0]) if rows else []
        for place, name in enumerate(names):
            gaps = [100.0 * sum(each[name]) / len(each[name]) for each in rows if name in each]
            axes.plot(gaps, [place] * len(gaps), marker="|", markersize=10, linestyle="")
        axes.grid(axis="x", alpha=0.3)
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="cost above the optimum, %", xscale="symlog", xlim=(-0.2, None))
        axes.invert_yaxis()

    return draw


def _regret(drift: str) -> Draw:
    def draw(axes: Axes, told: Any) -> None:
        for policy, row in told["ablation"].get(drift, {}).items():
            if policy in ("meta", "flat-prior", "oracle-prior", "linear-thompson", "linucb", "none"):
                axes.plot([10 * place + 5 for place in range(len(row["curve"]))], row["curve"], label=policy)
        axes.set(xlabel="task", ylabel="regret per task", yscale="log")
        axes.legend(fontsize="small")

    return draw


def _pricing(drift: str) -> Draw:
    def draw(axes: Axes, told: Any) -> None:
        for policy, row in told["regret"][drift].items():
            curve = row["curve"]
            groups = [curve[first : first + 5] for first in range(0, len(curve), 5)]
            at = [5 * place + 2.5 for place in range(len(groups))]
            axes.plot(at, [sum(group) / len(group) for group in groups], label=policy)
        axes.set(xlabel="period of a product", ylabel="money lost a period", yscale="log")
        axes.legend(fontsize="small")

    return draw


def _bought(axes: Axes, told: Any) -> None:
    for name, shares in told["bought"].items():
        axes.plot(list(shares), list(shares.values()), marker="o", label=name)
    axes.set(ylabel="of the most to be had")
    axes.legend(fontsize="small")


def _bidding(axes: Axes, told: Any) -> None:
    cases = list(told["tables"])
    policies = ("meta", "flat-prior", "dual-pacing-cold")
    for place, policy in enumerate(policies):  # points, not bars: on a logarithmic axis a length says nothing
        told_of = [(told["tables"][case].get(policy), number) for number, case in enumerate(cases)]
        at = [(row["loss"], number + 0.2 * (place - 1)) for row, number in told_of if row]
        axes.plot(*zip(*at, strict=True), marker="o", linestyle="", label=policy)
    axes.grid(axis="x", which="both", alpha=0.3)
    axes.set_yticks(range(len(cases)), cases, fontsize="x-small")
    axes.set(xlabel="value lost against hindsight", xscale="log")
    axes.invert_yaxis()
    axes.legend(fontsize="small")


def _recall(by: str) -> Draw:
    def draw(axes: Axes, told: Any) -> None:
        for place, where in enumerate(("warm", "cold")):
            found = {name: value for name, value in told[by][where]["recall"].items() if value is not None}
            axes.barh([n + 0.4 * place for n in range(len(found))], list(found.values()), height=0.38, label=where)
            axes.set_yticks([n + 0.2 for n in range(len(found))], list(found))
        axes.set(xlabel="recall at 10")
        axes.invert_yaxis()
        axes.legend(fontsize="small")

    return draw


PICTURES: Final[dict[str, tuple[tuple[str, str, Draw], ...]]] = {
    "replenishment": (
        ("cost-gaps-known", "Cost above the optimum, demand known, by instance", _gaps(("poisson", "others"))),
        ("cost-gaps-unknown", "The same with demand unknown, periods 200 to 2,000", _gaps(("cold",))),
    ),
    "bidding": (("bidding", "Loss by case", _bidding),),
    "first_price": (("first-price", "Loss by case, first price", _bidding),),
    "objectives": (("objectives", "What each objective buys", _bought),),
    "pricing": (
        ("pricing-none", "Money lost as a product's sales are seen", _pricing("none")),
        ("pricing-midtask", "The same, with demand drawn anew midway", _pricing("midtask")),
    ),
    "bandit": (
        ("bandit-none", "Regret as tasks go by", _regret("none")),
        ("bandit-midtask", "The same, with a change in mid-task", _regret("midtask")),
    ),
    "cold_start": (("cold-start", "Error by the number of ratings known", _cold_start),),
    "next_basket": (("next-basket", "Recall by rule", _recall("product")),),
}
