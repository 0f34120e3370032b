"""The page of the settings, from `infra/settings.py`."""

from collections.abc import Iterator
from typing import Any, Final

from infra.reference.kinds import Schema, cell, in_words
from infra.settings import CONFIG, DEFAULT_CONFIG, PREFIX, Settings

NAME: Final = "settings.md"
_ABOUT: Final = f"""\
# Settings

Each is an environment variable, or a line of `{DEFAULT_CONFIG}` in the working directory (`{CONFIG}` names another
file) by the name without `{PREFIX}`, in small letters. The environment goes first. What isn't known, or out of bounds,
is refused with a sentence that names it.

This page is made from `infra/settings.py` by `python -m infra.reference`.
"""


def page() -> str:
    """The page, as Markdown."""
    return "\n".join([_ABOUT, *_table(), ""])


def _table() -> Iterator[str]:
    yield "| environment | what it says | takes | default |"
    yield "|---|---|---|---|"
    for name, schema in Settings.model_json_schema()["properties"].items():
        about: Schema = schema
        yield f"| `{PREFIX}{name.upper()}` | {cell(about['description'])} | {in_words(about)} | {_default(about)} |"


def _default(schema: Schema) -> str:
    value: Any = schema.get("default")
    if value is None or value in ("", {}):
        return "not set"
    return f"`{value}`"
