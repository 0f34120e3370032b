"""The options of a command that looks at a history, written once: which one, which part of it, and how to print."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from infra.settings import Settings
    from infra.whatif.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class OverHistory:
    """What was said of the history. Its fields are the options, in the order of the help."""

    events: Annotated[
        Path | None, typer.Option(help="A history of `tradewind export` instead of a cluster: a file, or a directory.")
    ] = None
    since: Annotated[
        str | None, typer.Option("--from", help="What was logged from then on: RFC 3339, epoch ms or last=7d.")
    ] = None
    until: Annotated[str | None, typer.Option("--to", help="What was logged before then.")] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object last instead of the table.")] = False
    bootstrap_servers: Annotated[
        str | None, typer.Option("--bootstrap-servers", help="The Kafka brokers, host:port.")
    ] = None
    prefix: Annotated[str | None, typer.Option(help="Put before the name of every topic.")] = None

    @property
    def settings(self) -> "Settings":
        """Those of the command. Raises UserError."""
        from infra.serving.tuning import settle
        from infra.settings import load

        settle()
        return load(bootstrap_servers=self.bootstrap_servers, prefix=self.prefix)

    def source(self, settings: "Settings") -> "Source":
        """Where it lies. Raises UserError."""
        from infra.history.times import between
        from infra.whatif.source import Source

        first, end = between(self.since, self.until, now=int(time() * 1000))
        return Source(settings=settings, events=self.events, since=first, until=end)


def over_history(command: Callable[..., None]) -> Callable[..., None]:
    """The command with these options after its own; it is given them together, as `where`."""
    own = [one for one in inspect.signature(command).parameters.values() if one.name != "where"]
    shared = list(inspect.signature(OverHistory).parameters.values())
    names = {one.name for one in shared}

    def run(**given: Any) -> None:
        where = OverHistory(**{name: value for name, value in given.items() if name in names})
        command(where=where, **{name: value for name, value in given.items() if name not in names})

    asked: Any = run
    asked.__signature__ = inspect.Signature([*own, *shared])
    asked.__annotations__ = {one.name: one.annotation for one in (*own, *shared)}
    asked.__name__, asked.__doc__ = command.__name__, command.__doc__
    return run
