"""What `tradewind evaluate` prints for people: one figure a line, in columns; and a sentence for what it refuses."""

from importlib import import_module

import pytest

from infra import cli
from infra.commands.evaluate import TASKS

BANDIT = ("evaluate", "bandit", "--tasks", "2", "--rounds", "3", "--arms", "2", "--dim", "1", "--policy", "none")


def test_every_figure_has_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(list(BANDIT))
    assert not ended.value.code
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("regret_by_tasks")
    assert [line.split()[0] for line in lines[at + 1 : at + 3]] == ["0-1", "1-2"]
    plain = [line for line in lines if not line.startswith(" ") and " " in line]
    assert len(plain) > 5
    assert len({len(line) - len(line.split(maxsplit=1)[1]) for line in plain}) == 1  # values begin in one column


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("policy", ["meta", "flat-prior", "oracle-prior", "none"])
def test_every_task_knows_the_four_of_the_ablation_or_says_why_not(
    task: str, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if policy in import_module(f"infra.evaluate.{task.replace('-', '_')}").POLICIES:
        return
    file = "--ratings" if task == "cold-start" else "--events"
    with pytest.raises(SystemExit) as ended:
        cli.main(["evaluate", task, file, "none.such", "--policy", policy])
    assert ended.value.code
    assert "nobody knows the prior" in capsys.readouterr().err
