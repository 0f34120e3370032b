"""`tradewind export`: what lies on the topics, as a file that `tradewind replay` reads."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated, Final

import typer

app: Final = typer.Typer(add_completion=False)


@app.command()
def export(
    *,
    out: Annotated[Path, typer.Option(help="The file to write: one JSON object a line, gzip if it ends in .gz.")],
    topics: Annotated[str | None, typer.Option(help="Only these topics, separated by commas.")] = None,
    inputs_only: Annotated[bool, typer.Option("--inputs-only", help="Only what Tradewind reads.")] = False,
    bootstrap_servers: Annotated[str | None, typer.Option(help="The Kafka brokers, host:port.")] = None,
    prefix: Annotated[str | None, typer.Option(help="Put before the name of every topic.")] = None,
) -> None:
    """Write every committed record that the topics hold at this moment, merged by the log's time."""
    from infra import export as exporting
    from infra import settings
    from infra.replay.progress import Progress

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what goes wrong is said in one sentence
    loaded = settings.load(bootstrap_servers=bootstrap_servers, prefix=prefix)
    chosen = exporting.wanted(topics, inputs_only=inputs_only)
    with Progress() as progress:
        written = asyncio.run(exporting.export(loaded, chosen, out, on_total=progress.expect, on_message=progress.one))
    print(f"{written:,} records in {out}")
