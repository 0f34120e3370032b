"""What deploy files name, found in them: settings, commands and metrics."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.cli import COMMANDS
from infra.settings import PREFIX, Settings

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "infra/deploy"
METRICS_PORT = 9464


def documents(path: Path) -> list[Any]:
    """The YAML documents of a file, without empty ones."""
    text = path.read_text(encoding="utf-8")
    return [found for found in yaml.load_all(text, Loader=yaml.CSafeLoader) if found is not None]


def settings_in(environment: Mapping[str, str]) -> dict[str, str]:
    """What of an environment is meant for Tradewind, by the name of the setting."""
    return {name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if name.startswith(PREFIX)}


def check_environment(environment: Mapping[str, str], *, filled: Mapping[str, str] | None = None) -> Settings:
    """Load what an environment sets, with `filled` for what is known only later: it must be what Tradewind knows."""
    given = {**settings_in(environment), **(filled or {})}
    assert set(given) <= set(Settings.model_fields)
    return Settings(**given)  # pyright: ignore[reportArgumentType] # texts, as an environment has them


def check_command(arguments: list[str]) -> None:
    """The arguments of a container: a command that is there, and options that it has."""
    from importlib import import_module

    from typer.main import get_command

    name, *options = arguments
    assert name in COMMANDS
    known = {
        option for found in get_command(import_module(f"infra.commands.{name}").app).params for option in found.opts
    }
    assert {option for option in options if option.startswith("--")} <= known


def names_in(expression: str) -> set[str]:
    """The metrics of ours that a query names."""
    return set(re.findall(r"\btradewind_[a-z_]+", expression))


def labels_in(expression: str) -> Iterator[tuple[str, set[str]]]:
    """The labels by which a query picks from each metric of ours."""
    for name, matchers in re.findall(r"\b(tradewind_[a-z_]+)\{([^}]*)\}", expression):
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
