"""`tradewind dashboard`: one live page of what flows, how good it is, and why."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from infra.errors import UserError

if TYPE_CHECKING:
    from infra.settings import Settings

app: Final = typer.Typer(add_completion=False)

Host = Annotated[str, typer.Option(help="The address to listen at; other than this machine only with a token.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="The port to listen at; 0 takes a free one.")]
From = Annotated[
    str, typer.Option("--from", help="Where in the topics to begin: beginning, now, last=24h, ts=2026-05-01T00:00Z.")
]
Servers = Annotated[str | None, typer.Option("--bootstrap-servers", help="The Kafka brokers, host:port.")]
Prefix = Annotated[str | None, typer.Option(help="Put before the name of every topic.")]


@app.command()
def dashboard(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8360,
    from_: From = "last=24h",
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """Serve the dashboard until SIGTERM or Ctrl-C; prints its address once it listens.

    It only reads topics, outside every consumer group: workers never wait for it. Where TRADEWIND_DASHBOARD_TOKEN is
    set, who knows the token can promote and roll back policy versions and have a user forgotten.

    Examples: `tradewind dashboard`, `tradewind dashboard --from beginning --port 9000`.
    """
    from infra import logs, settings

    loaded = settings.load(bootstrap_servers=bootstrap_servers, prefix=prefix)
    logs.follow(loaded)
    _serve(loaded, host, port, from_)


def _serve(loaded: "Settings", host: str, port: int, start: str) -> None:
    try:
        from infra.dashboard.serving import serve
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in {"infra", "agents", "streams", "policies"}:
            raise
        raise UserError("the dashboard needs the extra 'dashboard': pip install 'tradewind[dashboard]'") from error
    serve(loaded, host=host, port=port, start=start, announce=lambda text: print(text, flush=True))
