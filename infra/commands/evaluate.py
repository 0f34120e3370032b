"""`tradewind evaluate`: one command to measure a policy on a task whose optimum, or best plain rule, is known."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, Final, Literal, cast

import orjson
import typer

app: Final = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="""Measure a policy on a task: a summary, or with --json one JSON object; progress on standard error.

    tradewind evaluate --list

    tradewind evaluate replenishment --demand poisson --mean 5 --lead-time 4 --penalty 4 --json

    tradewind evaluate bandit --tasks 200 --policy flat-prior --json
    """,
)

Policy = Annotated[str, typer.Option(help="Its name; `tradewind evaluate --list` shows them.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same figures.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the summary.")]

TASKS: Final = ("replenishment", "bidding", "pricing", "bandit", "cold-start", "next-basket")

_TASTES: Final = "nobody knows the prior that people's tastes come from; hold meta against flat-prior and none"
NEVER: Final = {task: {"oracle-prior": _TASTES} for task in ("cold-start", "next-basket")}


@app.callback(invoke_without_command=True)
def _frame(
    *, listed: Annotated[bool, typer.Option("--list", help="Show the tasks, and the policies of each.")] = False
) -> None:
    if listed:
        for task in TASKS:
            print(f"{task:<14} {', '.join(_room(task).POLICIES)}")
        raise typer.Exit


@app.command()
def replenishment(  # noqa: PLR0913 # an instance has so many numbers
    *,
    demand: Annotated[Literal["poisson", "geometric", "negative-binomial"], typer.Option(help="Its family.")],
    mean: Annotated[float, typer.Option(min=0.01, help="Mean demand a period, in units.")],
    lead_time: Annotated[int, typer.Option(min=0, max=64, help="Periods between an order and its arrival.")],
    penalty: Annotated[float, typer.Option(min=0.0, help="Cost of a sale lost.")],
    lead_time_spread: Annotated[
        int,
        typer.Option(min=0, help="Each period's lead time is up to so much less or more; no order overtakes another."),
    ] = 0,
    holding: Annotated[float, typer.Option(min=0.0, help="Cost of a unit held for a period.")] = 1.0,
    dispersion: Annotated[float, typer.Option(min=1.0, help="Variance over mean of a negative-binomial demand.")] = 2.0,
    periods: Annotated[int, typer.Option(min=1, help="Length of the run.")] = 10_000,
    unknown: Annotated[bool, typer.Option("--unknown", help="Start cold: infer demand from censored sales.")] = False,
    policy: Policy = "meta",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Average cost per period of a lost-sales inventory. Nothing is trained here.

    Examples: `tradewind evaluate replenishment --demand poisson --mean 5 --lead-time 4 --penalty 4`,
    `tradewind evaluate replenishment --demand geometric --mean 5 --lead-time 2 --penalty 19 --unknown --json`.
    """
    given = {
        "demand": demand,
        "mean": mean,
        "lead_time": lead_time,
        "lead_time_spread": lead_time_spread,
        "penalty": penalty,
        "holding": holding,
        "dispersion": dispersion,
        "periods": periods,
        "unknown": unknown,
    }
    _evaluate("replenishment", policy, seed, given, as_json=as_json)


@app.command()
def bidding(
    *,
    auctions: Annotated[Path, typer.Option(help='Lines of JSON: {"value": v, "price": p}, in order. Gzip if .gz.')],
    budget: Annotated[float, typer.Option(min=0.0, help="What may be spent on all of them.")],
    auction: Annotated[
        Literal["second-price", "first-price"], typer.Option(help="Whether a winner pays the price, or its own bid.")
    ] = "second-price",
    objective: Annotated[
        str | None,
        typer.Option(help="Value each line by its fields, so weighted: ctr=1,cvr=20,revenue=0.5.", metavar="WEIGHTS"),
    ] = None,
    earlier: Annotated[
        list[Path] | None,
        typer.Option(help="Auctions of an earlier campaign of the same shop, to learn from first. Again for each."),
    ] = None,
    policy: Policy = "meta",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Value won in auctions under a budget, as a share of the hindsight optimum.

    Hindsight knows all prices, and in first price pays just those. Losers hear no price.

    Examples: `tradewind evaluate bidding --auctions day.jsonl --budget 100 --auction first-price`,
    `tradewind evaluate bidding --auctions day.jsonl --budget 100 --objective ctr=1,cvr=20 --json`,
    `tradewind evaluate bidding --auctions may.jsonl --budget 100 --earlier march.jsonl --earlier april.jsonl`.
    """
    given = {
        "auctions": auctions,
        "budget": budget,
        "auction": auction,
        "objective": objective,
        "earlier": tuple(earlier or ()),
    }
    _evaluate("bidding", policy, seed, given, as_json=as_json)


@app.command()
def pricing(
    *,
    periods: Annotated[int, typer.Option(min=1, help="Periods of each product: a price in each.")] = 100,
    products: Annotated[int, typer.Option(min=1, help="How many, drawn from one population.")] = 200,
    max_steps: Annotated[int, typer.Option(min=1, max=100, help="How far a price may move at once.")] = 4,
    drift: Annotated[Literal["none", "midtask"], typer.Option(help="Whether demand is redrawn midway.")] = "none",
    policy: Policy = "meta",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Regret against the best price (a + bc)/2b of products whose linear demand is learned from their sales.

    Examples: `tradewind evaluate pricing`, `tradewind evaluate pricing --drift midtask --policy flat-prior --json`.
    """
    given = {"periods": periods, "products": products, "max_steps": max_steps, "drift": drift}
    _evaluate("pricing", policy, seed, given, as_json=as_json)


@app.command()
def bandit(
    *,
    tasks: Annotated[int, typer.Option(min=1, help="Tasks, one after another; each has weights of its own.")] = 200,
    rounds: Annotated[int, typer.Option(min=1, help="Decisions in each task.")] = 40,
    arms: Annotated[int, typer.Option(min=2, help="Actions open in each round.")] = 10,
    dim: Annotated[int, typer.Option(min=1, help="Features of an action.")] = 6,
    drift: Annotated[Literal["none", "midtask"], typer.Option(help="Whether weights are redrawn mid-task.")] = "none",
    policy: Policy = "meta",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Regret per task in a stream of linear bandits that come from one population.

    Examples: `tradewind evaluate bandit --tasks 200`,
    `tradewind evaluate bandit --drift midtask --policy oracle-prior --json`.
    """
    given = {"tasks": tasks, "rounds": rounds, "arms": arms, "dim": dim, "drift": drift}
    _evaluate("bandit", policy, seed, given, as_json=as_json)


@app.command("cold-start")
def cold_start(
    *,
    ratings: Annotated[Path, typer.Option(help="CSV with columns user,item,rating,timestamp. Gzip if .gz.")],
    users_held_out: Annotated[float, typer.Option(min=0.01, max=0.9, help="Share of users never trained on.")] = 0.2,
    shots: Annotated[str, typer.Option(help="Ratings known of a held-out user, separated by commas.")] = "0,5,20",
    policy: Policy = "meta",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """RMSE of ratings by users never seen before, after a few of their ratings.

    Their first ratings by time are told; those after the most shots are judged, the same at every number of shots.

    Examples: `tradewind evaluate cold-start --ratings ratings.csv`,
    `tradewind evaluate cold-start --ratings ratings.csv --shots 0,1,10 --policy maml --json`.
    """
    given = {"ratings": ratings, "users_held_out": users_held_out, "shots": shots}
    _evaluate("cold-start", policy, seed, given, as_json=as_json)


@app.command("next-basket")
def next_basket(
    *,
    events: Annotated[Path, typer.Option(help="Recorded events, as `tradewind export` writes them. Gzip if .gz.")],
    k: Annotated[int, typer.Option(min=1, max=100, help="Length of the slate that is judged.")] = 10,
    policy: Policy = "meta",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Prequential recall and nDCG of the next basket, beside the plain rules on the same baskets.

    Examples: `tradewind evaluate next-basket --events history.jsonl.gz`,
    `tradewind evaluate next-basket --events history.jsonl.gz --k 20 --policy decayed-personal --json`.
    """
    _evaluate("next-basket", policy, seed, {"events": events, "k": k}, as_json=as_json)


def _room(task: str) -> Any:
    return import_module(f"infra.evaluate.{task.replace('-', '_')}")


def _evaluate(task: str, policy: str, seed: int, given: dict[str, Any], *, as_json: bool) -> None:
    from infra.errors import UserError
    from infra.serving.tuning import settle

    room = _room(task)
    if policy in NEVER.get(task, {}):
        raise UserError(f"--policy {policy}: {NEVER[task][policy]}")
    if policy not in room.POLICIES:
        raise UserError(f"--policy {policy}: {task} knows {', '.join(room.POLICIES)}")
    settle()
    began = perf_counter()
    run: Callable[..., dict[str, Any]] = room.evaluate
    found = run(policy=policy, seed=seed, **given)
    told = {"policy": policy, **found, "seed": seed, "seconds": round(perf_counter() - began, 3)}
    if as_json:
        print(orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY).decode())
        return
    for line in _lines(told):
        print(line)


def _lines(told: dict[str, Any], indent: str = "") -> Iterator[str]:
    """One figure a line, its name before it; what is told of several things, a line each below their name."""
    width = max(map(len, told), default=0) + 2
    for name, value in told.items():
        if isinstance(value, dict) and value:
            yield f"{indent}{name}"
            yield from _lines(cast(dict[str, Any], value), indent + "  ")
        else:
            yield f"{indent}{name:<{width}}{_readable(value)}"


def _readable(value: Any) -> str:
    if value is None or value == {}:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
