"""`tradewind doctor`: say what is wrong with this set-up."""

from dataclasses import asdict
from typing import Annotated, Final

import orjson
import typer

app: Final = typer.Typer(add_completion=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Servers = Annotated[str | None, typer.Option("--bootstrap-servers", help="The Kafka brokers, host:port.")]
Prefix = Annotated[str | None, typer.Option(help="Put before the name of every topic.")]


@app.command()
def doctor(*, as_json: AsJson = False, bootstrap_servers: Servers = None, prefix: Prefix = None) -> None:
    """Check Python, disk, settings, broker, topics and transactions. Exits 1 where something is wrong."""
    from infra.doctor import examine

    findings = list(examine(bootstrap_servers=bootstrap_servers, prefix=prefix))
    well = all(finding.ok for finding in findings)
    if as_json:
        print(orjson.dumps({"ok": well, "findings": [asdict(finding) for finding in findings]}).decode())
    else:
        for finding in findings:
            print(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.check:<13} {finding.found}")
            if not finding.ok and finding.advice:
                print(f"{'':20}→ {finding.advice}")
    if not well:
        raise typer.Exit(1)
