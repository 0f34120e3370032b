"""`tradewind export`: what lies on the topics, as a file that `tradewind replay` reads."""

import logging
from pathlib import Path
from time import time
from typing import Annotated, Final

import typer

app: Final = typer.Typer(add_completion=False)

_MOMENT: Final = "RFC 3339, a date, epoch ms, last=1h (s, m, h, d, w) or now"


@app.command()
def export(
    *,
    out: Annotated[
        Path, typer.Option(help="The file to write: Parquet if it ends in .parquet, else lines of JSON (.gz, .zst).")
    ],
    since: Annotated[str | None, typer.Option("--from", help=f"Only what was logged from then on: {_MOMENT}.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Only what was logged before then.")] = None,
    topics: Annotated[str | None, typer.Option(help="Only these topics, separated by commas.")] = None,
    inputs_only: Annotated[bool, typer.Option("--inputs-only", help="Only what Tradewind reads.")] = False,
    bootstrap_servers: Annotated[str | None, typer.Option(help="The Kafka brokers, host:port.")] = None,
    prefix: Annotated[str | None, typer.Option(help="Put before the name of every topic.")] = None,
) -> None:
    """Write every committed record that the topics hold at this moment, merged by the log's time.

    tradewind export --out history.jsonl.gz

    tradewind export --from last=7d --topics decisions,outcomes --out week.parquet
    """
    from infra import export as exporting
    from infra import settings
    from infra.history.progress import Progress
    from infra.history.times import between

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what goes wrong is said in one sentence
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    first, end = between(since, until, now=int(time() * 1000))
    loaded = settings.load(bootstrap_servers=bootstrap_servers, prefix=prefix)
    chosen = exporting.wanted(topics, inputs_only=inputs_only)
    with Progress() as progress:
        written = exporting.export(loaded, chosen, out, since=first, until=end, watch=progress.watching)
    print(f"{written:,} records in {out}")
