"""What `tradewind evaluate` prints for people: one figure a line, and what belongs together in one column."""

import pytest

from infra import cli

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
