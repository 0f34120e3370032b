"""`tradewind replay`: the same steps over a file of recorded events, in one process, without a broker."""

from pathlib import Path
from time import perf_counter
from typing import Annotated

import orjson
import typer
from rich.console import Console

app = typer.Typer(add_completion=False)


@app.command()
def replay(
    *,
    events: Annotated[Path, typer.Option(help="Lines of JSON: topic, key, value, timestamp. Gzip if it ends in .gz.")],
    out: Annotated[Path | None, typer.Option(help="Write what the agents put out here, one file a topic.")] = None,
    agents: Annotated[str | None, typer.Option(help="Only these agents, by name, separated by commas.")] = None,
    batch: Annotated[int, typer.Option(min=1, max=100_000, help="Events in one batch.")] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the summary.")] = False,
) -> None:
    """Run the agents over recorded events and say how they did. Topics that Tradewind writes itself are left out."""
    from infra.measures.summary import show
    from infra.replay.cast import chosen
    from infra.replay.history import replayed
    from infra.settings import load
    from infra.tuning import settle

    cast = chosen(agents, load())
    settle()
    began = perf_counter()
    made = replayed(events, cast, batch=batch, out=out)
    made.scoreboard.took(perf_counter() - began)
    if as_json:
        print(orjson.dumps(made.result()).decode())
        return
    show(made.result(), Console())
