"""`tradewind topics`: make the topics, or check them."""

from typing import Annotated, Final

import orjson
import typer

app: Final = typer.Typer(add_completion=False, no_args_is_help=True, help="The Kafka topics that Tradewind uses.")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Servers = Annotated[str | None, typer.Option("--bootstrap-servers", help="The Kafka brokers, host:port.")]
Prefix = Annotated[str | None, typer.Option(help="Put before the name of every topic.")]


@app.command()
def create(*, as_json: AsJson = False, bootstrap_servers: Servers = None, prefix: Prefix = None) -> None:
    """Make what is missing, and check everything."""
    from infra import provision, settings
    from infra.mapping.intake import wired

    loaded = settings.load(bootstrap_servers=bootstrap_servers, prefix=prefix)
    made = provision.ensure(loaded, wired(loaded))
    if as_json:
        print(orjson.dumps({"created": made}).decode())
        return
    for name in made:
        print(f"created {name}")
    print("All topics are there, and as they must be.")


@app.command()
def check(*, as_json: AsJson = False, bootstrap_servers: Servers = None, prefix: Prefix = None) -> None:
    """Say what is wrong, and change nothing. Exits 1 where something is."""
    from infra import provision, settings
    from infra.mapping.intake import wired

    loaded = settings.load(bootstrap_servers=bootstrap_servers, prefix=prefix)
    wrong = provision.check(loaded, wired(loaded))
    if as_json:
        print(orjson.dumps({"ok": not wrong, "problems": wrong}).decode())
    else:
        print("\n".join(wrong) or "All topics are there, and as they must be.")
    if wrong:
        raise typer.Exit(1)
