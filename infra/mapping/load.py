"""A mapping read from its file."""

import tomllib
from pathlib import Path
from typing import Final

from infra.errors import UserError
from infra.limited import content
from infra.mapping.fields import BadMapping
from infra.mapping.rules import Rules, compiled
from infra.settings import Settings

LARGEST: Final = 1_000_000  # bytes


def load(path: Path, named: str = "TRADEWIND_MAPPING") -> Rules:
    """The rules of a file. Raises UserError; `named` is what brought the path."""
    try:
        data = tomllib.loads(content(path, LARGEST, "a mapping").decode())
    except UserError as error:
        raise UserError(f"{named}: {error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{named}: {path} is not valid TOML: {error}") from error
    try:
        return compiled(data)
    except BadMapping as error:
        raise UserError(f"{named}: {path}: {error}") from error


def rules_of(settings: Settings) -> Rules:
    """The rules that the settings name; none where no mapping is set. Raises UserError."""
    return Rules() if settings.mapping is None else load(settings.mapping)
