"""The page of the commands, from their own help."""

import re
from collections.abc import Iterator
from typing import Any, Final

import typer

from infra.cli import COMMANDS, app_of
from infra.reference.kinds import cell, code

NAME: Final = "commands.md"
_ABOUT: Final = """\
# Commands

What `--help` says, in one place. A command prints its result on standard output, progress and remarks on standard
error; with `--json` the result is one JSON object. Exit code 0 is good, 1 says that something was found wanting, 2 that
it could not be done, and what to put right. Where a command talks to a cluster, the [settings](settings.md) say which.

This page is made from `infra/commands/` by `python -m infra.reference`.
"""


def page() -> str:
    """The page, as Markdown."""
    return "\n".join([_ABOUT, *_overview(), "", *(line for name in COMMANDS for line in _command(name))])


def _overview() -> Iterator[str]:
    yield "| command | |"
    yield "|---|---|"
    for name, about in COMMANDS.items():
        yield f"| [`tradewind {name}`](#tradewind-{name}) | {cell(about)} |"


def _command(name: str) -> Iterator[str]:
    command: Any = typer.main.get_command(app_of(name))
    children: dict[str, Any] = getattr(command, "commands", {})
    yield from (f"## tradewind {name}", "")
    if not children:
        yield from _described(command, f"tradewind {name}")
        return
    yield from (_prose(command.help or COMMANDS[name]), "")
    yield from _options(command, f"tradewind {name}")
    for below, child in children.items():
        yield from (f"### tradewind {name} {below}", "")
        yield from _described(child, f"tradewind {name} {below}")


def _described(command: Any, called: str) -> Iterator[str]:
    context = command.make_context(called, [], resilient_parsing=True)
    yield from ("```text", " ".join([called, *command.collect_usage_pieces(context)]), "```", "")
    yield from (_prose(command.help or ""), "")
    yield from _options(command, called)


def _options(command: Any, called: str) -> Iterator[str]:
    context = command.make_context(called, [], resilient_parsing=True)
    told = [parameter.get_help_record(context) for parameter in command.params]
    rows = [f"| {code(name)} | {cell(about)} |" for name, about in filter(None, told)]
    if rows:
        yield from ("| option | |", "|---|---|", *rows, "")


def _prose(text: str) -> str:
    """A docstring as Markdown: what a terminal can't show stays as it is."""
    return re.sub(r"\n[ \t]+", "\n", text.replace("\b", "").strip()).replace("<", "&lt;")
