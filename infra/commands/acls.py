"""`tradewind acls`: what each program has to be allowed on the brokers, and no more."""

from typing import Annotated, Final, Literal

import orjson
import typer

from infra.errors import UserError

app: Final = typer.Typer(add_completion=False)

Component = Annotated[
    str | None, typer.Option(help="Of this program only: worker, learner, dashboard, history, dead-letters, …")
]
Principal = Annotated[str | None, typer.Option(help="Who is allowed.", show_default="User:tradewind-COMPONENT")]
Format = Annotated[Literal["kafka-acls", "json"], typer.Option("--format", help="Lines for kafka-acls.sh, or JSON.")]
Servers = Annotated[str | None, typer.Option("--bootstrap-servers", help="The Kafka brokers, host:port.")]
Prefix = Annotated[str | None, typer.Option(help="Put before the name of every topic.")]


@app.command()
def acls(
    *,
    component: Component = None,
    principal: Principal = None,
    form: Format = "kafka-acls",
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """Print the rights that each program needs on the brokers, from the wiring and these settings. Grants nothing.

    Somebody who may (an administrator of the cluster) runs the lines. `topics` needs the most, and only once: with the
    topics made beforehand, no worker needs the right to make any. `history` stands for export, replay, ope and tail.

    Examples: `tradewind acls --component worker --principal User:CN=worker`, `tradewind acls --format json`.
    """
    from infra import settings
    from infra.acls import COMPONENTS, command, rights, row
    from infra.names import did_you_mean

    if component is not None and component not in COMPONENTS:
        raise UserError(f"--component: there is no component {component!r}{did_you_mean(component, COMPONENTS)}")
    loaded = settings.load(bootstrap_servers=bootstrap_servers, prefix=prefix)
    chosen = COMPONENTS if component is None else [component]
    found = {name: (principal or f"User:tradewind-{name}", rights(loaded, name)) for name in chosen}
    if form == "json":
        told = {name: [row(right, who) for right in needed] for name, (who, needed) in found.items()}
        print(orjson.dumps(told).decode())
        return
    for name, (who, needed) in found.items():
        print(f"# {name}: {len(needed)} rights for {who}")
        for right in needed:
            print(command(right, who, loaded.servers[0]))
