"""Every command that the documents name exists, takes what it is given, and is run by some test, or says why not."""

import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from infra.cli import main
from infra.settings import CONFIG, PREFIX, Settings
from tests.docs.blocks import ROOT, Line, command_of, lines, mentions, options_of, pages, untold

LONG_S: Final = 240

# Pages whose every command one test of their own runs.
WHOLE: Final = {
    "docs/subscribe.md": "tests/kafka/test_subscribe.py",
    "docs/own-events.md": "tests/kafka/test_own_events.py",
    "docs/index.md": "tests/docs/test_start.py",
    "docs/cluster.md": "tests/docs/test_start.py",
}

# Other commands, by how they begin: the test that runs the same with what it needs, or the reason that none does.
ELSEWHERE: Final = {
    "tradewind doctor": "tests/docs/test_start.py",
    "tradewind topics create": "tests/docs/test_start.py",
    "tradewind worker": "tests/docs/test_start.py",
    "tradewind learner": "tests/docs/test_start.py",
    "tradewind dashboard": "tests/kafka/test_dashboard.py",
    "tradewind replay --": "tests/kafka/test_judging.py",
    "tradewind policies list": "tests/docs/test_start.py",
    "tradewind policies show": "tests/kafka/test_policies.py",
    "tradewind policies rollback": "tests/kafka/test_policies.py",
    "tradewind policies offer": "tests/kafka/test_policies.py",
    "tradewind policies promote": "tests/kafka/test_policies.py",
    "tradewind policies pretrain": "tests/unit/infra/test_policies.py",
    "tradewind what-if ": "tests/unit/whatif/test_command.py",
    "curl ": "tests/kafka/test_metrics.py",
    "pytest tests/chaos": "tests/chaos",
}
NOT_RUN: Final = {
    "tradewind demo": "takes minutes; tests/unit/demo holds its parts, tests/kafka/test_main_job.py what it runs",
    "make ": "each takes minutes, or runs the tests themselves; its target and arguments are checked below",
    "export ": "sets a variable: that it is a setting is checked below",
    "cd ": "goes to a folder: that it exists is checked below",
    "docker ": "there is no container engine; tests/unit/deploy holds what the files say",
    "helm ": "there is no cluster; tests/unit/deploy holds what the chart says",
}
# What needs no broker and takes seconds is run here, in one folder, in the order of the page.
HERE: Final = ("docs/ope.md", "docs/scale.md", "docs/security.md", "docs/new-domain.md")


def told_of(line: Line) -> list[str]:
    """What the tables say of it."""
    said = " ".join([line.program, *line.words[1:]])
    return [start for start in (*ELSEWHERE, *NOT_RUN) if said.startswith(start)]


def of(program: str) -> list[Line]:
    return [line for line in lines() if line.program == program]


def test_shell_blocks_say_so() -> None:
    assert untold() == []


@pytest.mark.parametrize("line", of("tradewind"), ids=lambda line: line.text)
def test_a_command_takes_what_it_is_given(line: Line) -> None:
    command, given = command_of(line.words[1:])
    command.make_context(line.text, list(given))  # raises where an option is unknown, or a value out of bounds


def wrong_with(line: Line) -> str:
    """What a mention in the prose names and isn't there. It may name several commands (`up|down`), and no values."""
    name, *rest = re.sub(r"[…'\",;()]", "", line.text).split()[1:]
    if name.startswith("-") or not name.islower():
        return ""  # `tradewind --help`, `tradewind TOPIC`
    below = [each for each in rest[:1] for each in each.split("|") if re.fullmatch("[a-z][a-z-]*", each)]
    told = {word.partition("=")[0] for word in rest if word.startswith("--")}
    try:
        whole, _ = command_of([name])
        group = bool(getattr(whole, "commands", None))
        commands = [command_of([name, each])[0] for each in below] if group and below else [whole]
    except AssertionError as error:
        return str(error)
    unknown = [told - options_of(command) for command in commands]
    return f"no {unknown}" if any(unknown) else ""


def test_commands_in_the_prose_exist() -> None:
    wrong = {f"{line.page}: {line.text}": wrong_with(line) for line in mentions()}
    assert wrong
    assert {line: why for line, why in wrong.items() if why} == {}


def test_every_command_is_run_somewhere_or_says_why_not() -> None:
    homeless = [line for line in lines() if not told_of(line) and line.page not in {*WHOLE, *HERE}]
    assert homeless == [], "give each a test, and a line in the tables above"
    assert {*ELSEWHERE, *NOT_RUN} - {start for line in lines() for start in told_of(line)} == set(), "of no use"


def test_the_tests_that_are_named_are_there_and_name_what_they_run() -> None:
    for start, test in ELSEWHERE.items():
        path = ROOT / test
        files = [path] if path.is_file() else sorted(path.glob("test_*.py"))
        text = "".join(file.read_text() for file in files)
        text += "".join((ROOT / page).read_text() for page, by in WHOLE.items() if by == test)
        assert text, test
        assert start.split()[0] != "tradewind" or start.split()[1] in text, f"{test} doesn't run {start}"
    for page, test in WHOLE.items():
        assert Path(page).name in (ROOT / test).read_text()


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {line.words[1] for line in of("make")} <= targets
    assert of("make")


def test_arguments_of_the_benchmarks_are_known() -> None:
    """By the source of their command line: to import it takes as long as all else here."""
    source = (ROOT / "tests/benchmarks/engine/__main__.py").read_text()
    given = [line.words[2] for line in of("make") if line.words[1] == "bench" and len(line.words) > 2]
    assert given
    for words in (shlex.split(one.removeprefix("ARGS=")) for one in given):
        assert all(f'"{word}",' in source for word in words if word.startswith("--"))
        only = words[words.index("--only") + 1].split(",") if "--only" in words else []
        assert all(f'"{name}": ' in source for name in only)


def test_modules_exist() -> None:
    named = {
        found
        for line in [*lines(), *mentions()]
        for found in re.findall(r"python -m ([a-z_.]+)", line.text)
        if find_spec(found) is None
    }
    assert named == set()


def test_every_variable_that_is_named_is_a_setting() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {CONFIG}
    named = {
        (path.name, name) for path in pages() for name in re.findall(rf"{PREFIX}[A-Z0-9_]*", path.read_text("utf-8"))
    }
    whole = {(page, name) for page, name in named if not name.endswith("_")}
    assert {(page, name) for page, name in whole if name not in known} == set()
    cut = {(page, name) for page, name in named - whole}  # TRADEWIND_SASL_…
    assert {(page, name) for page, name in cut if not any(one.startswith(name) for one in known)} == set()


def test_folders_exist() -> None:
    assert all((ROOT / line.words[1]).is_dir() for line in of("cd"))


@pytest.mark.parametrize("page", HERE)
def test_commands_that_need_no_broker_run(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    mine = [line for line in lines() if line.page == page and not told_of(line)]
    assert mine
    for line in mine:
        if line.program == "tradewind" and shlex.split(line.text) == line.words:
            in_this_process(line.words[1:])  # no shell's doing in it: that saves the imports
        else:
            done = subprocess.run(
                ["/bin/sh", "-c", line.text], capture_output=True, text=True, timeout=LONG_S, check=False
            )
            assert done.returncode == 0, f"{line.text}: {done.stderr}"
    capsys.readouterr()


def in_this_process(words: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert not end.value.code, f"tradewind {shlex.join(words)}"
