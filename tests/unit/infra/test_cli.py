"""The frame of the command line: help without imports, errors as sentences, exit codes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text
from typer.main import get_command

from infra import cli
from infra.errors import UserError


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert [name for name in cli.COMMANDS if name not in out] == []


def test_without_arguments_it_shows_the_help_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys)
    assert code == 2
    assert "Commands" in out + err


def test_an_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "brocker")
    assert code == 2
    assert "brocker" in err


def test_the_version_is_the_distributions(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert run(capsys, "--version")[:2] == (0, f"tradewind {version('tradewind')}\n")


def test_a_user_error_is_one_sentence_on_stderr(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    code, out, err = run(capsys, "broker", "up", "--data-dir", str(file / "below"))
    assert (code, out) == (2, "")
    assert err.startswith("tradewind: --data-dir: ")
    assert err.count("\n") == 1


def test_a_bug_is_not_dressed_up_as_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise ZeroDivisionError(name)

    monkeypatch.setattr(cli, "app_of", broken)
    with pytest.raises(ZeroDivisionError):
        cli.main(["broker", "status"])


def test_a_user_error_is_what_its_raiser_wrote() -> None:
    assert str(UserError("TRADEWIND_X: too small; raise it")) == "TRADEWIND_X: too small; raise it"


@pytest.mark.parametrize("arguments", [["--help"], ["broker", "--help"], ["broker", "status", "--data-dir", "nowhere"]])
def test_what_does_not_need_them_imports_no_heavy_library(arguments: list[str]) -> None:
    heavy = ["torch", "faust", "river", "pandas", "aiokafka", "numpy"]
    program = (
        "import sys; from infra import cli\n"
        f"try: cli.main({arguments!r})\n"
        "except SystemExit: pass\n"
        f"print('loaded:', [name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_of_the_table_loads_and_has_help(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, out, _ = run(capsys, name, "--help")
    assert code == 0
    assert f"tradewind {name}" in out


def helps(command: Any) -> Iterator[str]:
    """The help of a command, of its options, and of its sub-commands."""
    yield command.help or ""
    yield from (getattr(option, "help", None) or "" for option in command.params)
    for below in getattr(command, "commands", {}).values():
        yield from helps(below)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_no_help_has_words_in_brackets_that_the_screen_would_take_for_colours(name: str) -> None:
    for text in helps(get_command(cli.app_of(name))):
        assert Text.from_markup(text).plain == text
