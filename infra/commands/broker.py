"""`tradewind broker`: the embedded Kafka broker, up, down and status."""

import signal
from pathlib import Path
from threading import Event
from typing import Annotated, Final

import typer

from infra.broker import jars, probe, server
from infra.broker.home import Home, Running, default_path
from infra.errors import UserError

app: Final = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="A real Apache Kafka on this machine, one node, without Docker or Java.",
)

DEFAULT_PORT: Final = 9092

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Where it keeps its data.", show_default="the user's data folder"),
]
Port = Annotated[
    int | None,
    typer.Option(
        help="The port on 127.0.0.1; 0 for any free one.",
        min=0,
        max=65_535,
        show_default=str(DEFAULT_PORT),
    ),
]
Foreground = Annotated[bool, typer.Option("--foreground", help="Stay here; Ctrl-C stops the broker.")]


def _home(data_dir: Path | None) -> Home:
    return Home((data_dir or default_path()).expanduser().absolute())


@app.command()
def up(*, port: Port = None, data_dir: DataDir = None, foreground: Foreground = False) -> None:
    """Start the broker, unless it is up already, and wait until it answers."""
    home = _home(data_dir)
    if foreground:
        _stay(home, _or_default(port))
        return
    found = home.running()
    if found is None:
        print(_up(server.up(home, _or_default(port)), home))
    elif port in (None, 0, found.port):
        print(f"already {_up(found, home)}")
    else:
        raise UserError(
            f"--port: the broker of {home.path} is up already, at {found.address}; `tradewind broker down` stops it"
        )


def _or_default(port: int | None) -> int:
    return DEFAULT_PORT if port is None else port


def _up(broker: Running, home: Home) -> str:
    return f"up: {broker.address} (Apache Kafka {broker.version}, pid {broker.pid}, data in {home.path})"


def _stay(home: Home, port: int) -> None:
    asked = Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda _number, _frame: asked.set())
    with server.running(home.path, port) as broker:
        print(_up(broker, home), flush=True)
        while not asked.wait(1.0):
            if home.running() is None:
                raise UserError(f"the broker ended by itself; its log is {home.log}")
    print("down")


@app.command()
def down(*, data_dir: DataDir = None) -> None:
    """Stop the broker. Its data stays."""
    home = _home(data_dir)
    print("down" if server.down(home) else f"down already: no broker runs on {home.path}")


@app.command()
def status(*, data_dir: DataDir = None) -> None:
    """Say whether the broker is up, and where. The exit code is 1 where it isn't."""
    home = _home(data_dir)
    broker = home.running()
    if broker is None:
        print(f"down: no broker runs on {home.path}")
        raise typer.Exit(1)
    answer = probe.ask(broker.address)
    if answer is None or answer.cluster_id != broker.cluster_id:
        print(
            f"not answering: process {broker.pid} runs, but nothing of it answers at {broker.address}; see {home.log}"
        )
        raise typer.Exit(1)
    print(_up(broker, home))
    print(f"topics: {answer.topics}")


@app.command()
def fetch() -> None:
    """Download what the broker is made of, so that it can start without a network."""
    jars.classpath()
    print(f"Apache Kafka {jars.KAFKA_VERSION} is here")
