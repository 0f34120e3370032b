"""`tradewind demo`: the whole main job on real data, and its summary."""

from typing import Annotated, Any, Final

import typer

app: Final = typer.Typer(add_completion=False)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object last; everything else on standard error.")]
Dashboard = Annotated[bool, typer.Option("--dashboard", help="Show it all on a live page; its address is printed.")]
Keep = Annotated[bool, typer.Option("--keep", help="Stay up after the summary, until Ctrl-C.")]
Households = Annotated[int, typer.Option(min=1, help="How many of the 2,469 households shop.")]
Days = Annotated[int, typer.Option(min=1, help="How many days of the year are played.")]
Stocked = Annotated[int, typer.Option(min=1, help="How many of the best sellers the warehouse keeps.")]
Seconds = Annotated[float, typer.Option(min=1, help="How long the year takes, if this machine keeps up.")]
Servers = Annotated[
    str | None, typer.Option("--bootstrap-servers", help="Play on this cluster instead of an embedded broker.")
]
Prefix = Annotated[str, typer.Option(help="Put before every topic; on a cluster of yours, one never played on.")]


@app.command()
def demo(  # noqa: PLR0913 # what can be chosen about a demo
    *,
    json: Json = False,
    dashboard: Dashboard = False,
    keep: Keep = False,
    households: Households = 150,
    days: Days = 366,
    stocked: Stocked = 60,
    seconds: Seconds = 100.0,
    bootstrap_servers: Servers = None,
    prefix: Prefix = "",
) -> None:
    """Run the main job on a year of real shopping, and sum it up.

    Starts a real Kafka broker, a worker with all agents, and three neighbours: a storefront and a warehouse that play
    the Complete Journey data, and a simulated ad exchange. Ends by itself after a little over two minutes.

    Examples: `tradewind demo`, `tradewind demo --dashboard --keep`, `tradewind demo --json > result.json`,
    `tradewind demo --households 100 --seconds 30`.
    """
    import orjson
    from rich.console import Console

    from infra.demo.journey import Subset
    from infra.demo.play import Plan, play
    from infra.measures.summary import show

    console = Console(stderr=json)

    def finished(result: dict[str, Any]) -> None:
        show(result, console)
        if json:
            print(orjson.dumps(result).decode(), flush=True)

    plan = Plan(
        subset=Subset(households=households, days=days, stocked=stocked),
        seconds=seconds,
        bootstrap=bootstrap_servers,
        prefix=prefix,
        dashboard=dashboard,
        keep=keep,
    )
    play(plan, console, finished)
