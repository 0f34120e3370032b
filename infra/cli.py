"""The command `tradewind`: a table of its sub-commands, and the boundary where errors become sentences.

Convention for a sub-command:

- It has one module, `infra/commands/<name>.py`, and one line in `COMMANDS` below: its name and the one-line help that
  `tradewind --help` shows. The module is imported only when that command is used, so it may import what it likes at
  its top; a heavy library that only some of its paths need (torch, faust) is imported inside the function.
- The module exposes `app`, a `typer.Typer(add_completion=False)`: for a group (`tradewind topics create`) with its
  `@app.command()`s and `no_args_is_help=True`; for a single command (`tradewind worker`) with exactly one
  `@app.command()` and no callback: its name doesn't matter, its options are the command's own.
- What a person can put right is raised as `infra.errors.UserError("one clear sentence")`, from anywhere: it is printed
  as `tradewind: <sentence>` on standard error, and the exit code is 2. A command that has said all it has to say and
  failed raises `typer.Exit(code)`. Anything else is a bug, and shows its traceback.
- A command prints its result on standard output (rich or print); progress and remarks go to standard error, so that
  `--json` output can be piped.
"""

import sys
from importlib import import_module
from typing import Annotated, Final

import typer

from infra.errors import UserError

COMMANDS: Final = {
    "demo": "Run the whole main job on real data, and sum it up.",
    "worker": "Run agents against a Kafka cluster.",
    "learner": "Learn from what the workers experience.",
    "policies": "List, show, promote, roll back and pretrain versions of the policy.",
    "topics": "Create or check the topics.",
    "dashboard": "Show what flows, how good it is, and why, on one live page.",
    "acls": "Print the rights on the brokers that each program needs.",
    "pseudonym": "Print the pseudonym of a user.",
    "doctor": "Say what is wrong with this set-up.",
    "evaluate": "Measure a policy on a task whose optimum is known.",
    "replay": "Run the same steps over recorded events, without a broker.",
    "ope": "Estimate what another policy would have earned, from a log of decisions.",
    "what-if": "Simulate other orders or other bids on what was recorded.",
    "export": "Write recorded events to a file that replay reads.",
    "forget": "Remove all that is kept of one user.",
    "asyncapi": "Write the contract of all topics as an AsyncAPI document.",
    "tail": "Print what a topic holds, readably.",
    "map": "Propose and check a mapping from your own messages.",
    "dead-letters": "List, show and retry what could not be read.",
    "broker": "Start, stop or look at the embedded Kafka broker.",
}


def main(arguments: list[str] | None = None) -> None:
    """Run `tradewind` with `arguments` (those of the process by default). Ends by SystemExit."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        if given and given[0] in COMMANDS:
            app_of(given[0])(given[1:], prog_name=f"tradewind {given[0]}")
        else:
            _frame()(given, prog_name="tradewind")
    except UserError as error:
        print(f"tradewind: {error}", file=sys.stderr)  # noqa: T201 # the boundary where errors become sentences
        raise SystemExit(2) from None


def app_of(name: str) -> typer.Typer:
    """The app of one of `COMMANDS`: its module is imported now."""
    app: typer.Typer = import_module(f"infra.commands.{name.replace('-', '_')}").app
    app.pretty_exceptions_enable = False  # a bug's traceback goes to logs: plain, and without the values of settings
    return app


def _frame() -> typer.Typer:
    """`tradewind` itself: its options, and the table as help. Its commands are never invoked: `main` loads them."""
    frame = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="An event-driven streaming agent for commerce, beside Apache Kafka.",
    )
    frame.callback()(_options)
    for name, text in COMMANDS.items():
        frame.command(name, help=text)(_never_invoked)
    return frame


def _show_version(*, asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # a fifth of the time that the help takes

        typer.echo(f"tradewind {version('tradewind')}")
        raise typer.Exit


def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """The options that come before a command's name."""


def _never_invoked() -> None:
    """A line of the help."""


if __name__ == "__main__":
    main()
