"""The commands that the documentation names: line by line of its shell blocks, and in its prose."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from infra.cli import COMMANDS, app_of

ROOT: Final = Path(__file__).parents[2]
_BLOCK: Final = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_SHELLS: Final = {"sh", "bash", "console", "shell"}
_INLINE: Final = re.compile(r"`((?:\.venv/bin/)?tradewind [^`]+)`")
_ASSIGNMENT: Final = re.compile(r"^[A-Z_]+=")
_ENDS: Final = {">", ">>", "<", "|", "&&", ";"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a block, as it stands there, without its comment."""

    page: str
    text: str

    @property
    def words(self) -> list[str]:
        """What is run and its arguments: no settings before it, nothing of redirection."""
        words = shlex.split(self.text)
        while words and _ASSIGNMENT.match(words[0]):
            words = words[1:]
        return words[: next((place for place, word in enumerate(words) if word in _ENDS), len(words))]

    @property
    def program(self) -> str:
        return self.words[0].rpartition("/")[2]


def pages() -> list[Path]:
    """All that is written for readers; what is made from the help is held by its own test."""
    made = ROOT / "docs/reference"
    return [
        ROOT / "README.md",
        *(path for path in sorted((ROOT / "docs").rglob("*.md")) if made not in path.parents),
    ]


def lines() -> list[Line]:
    """Every line of every shell block, with those that go on joined."""
    return [line for path in pages() for line in _lines(path)]


def untold() -> list[str]:
    """Blocks that look like a shell's and don't say so: what stands in them would not be found."""
    return [
        f"{path.name}: {block}"
        for path in pages()
        for _, language, block in _BLOCK.findall(path.read_text(encoding="utf-8"))
        if language not in _SHELLS and re.search(r"^\s*(?:\.venv/bin/)?tradewind [a-z]", block, re.MULTILINE)
    ]


def mentions() -> list[Line]:
    """Every `tradewind …` in the prose, and in the examples of the commands' own help."""
    return [
        Line(_name(path), text)
        for path in (*pages(), ROOT / "docs/reference/commands.md")
        for text in _INLINE.findall(" ".join(_BLOCK.sub("", path.read_text(encoding="utf-8")).split()))
    ]


def _lines(path: Path) -> Iterator[Line]:
    for _, language, block in _BLOCK.findall(path.read_text(encoding="utf-8")):
        if language in _SHELLS:
            for text in block.replace("\\\n", " ").splitlines():
                bare = re.sub(r"\s#\s.*$", "", f" {text}").strip()
                if bare:
                    yield Line(_name(path), bare)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that `tradewind` would run for these words (without its own name), and what it is given.

    Raises AssertionError where there is no such command.
    """
    assert words, "no command is named"
    name, *rest = words
    assert name in COMMANDS, f"there is no command {name!r}"
    command: Any = typer.main.get_command(app_of(name))
    children: dict[str, Any] = getattr(command, "commands", {})
    if children and rest and not rest[0].startswith("-"):
        assert rest[0] in children, f"there is no command {name} {rest[0]}"
        return children[rest[0]], rest[1:]
    return command, rest


def options_of(command: Any) -> set[str]:
    """All that it takes beside its arguments."""
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
