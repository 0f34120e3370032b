"""`tradewind replay --report`, from a recorded log to a page that a promotion can go by."""

import json
from pathlib import Path

import pytest

from infra.cli import main
from infra.history.lines import write
from infra.judging.evidence import Named
from infra.report.opened import opened
from infra.versions.promotion import ruling
from policies.slates.recommend import PRIOR
from policies.version import SHIPPED, PolicyVersion
from tests.unit.judging.log import log


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["replay", *arguments])
    return int(ended.value.code or 0)


@pytest.fixture
def history(tmp_path: Path) -> str:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"".join(write(one) for one in log("recommendation", 120)))
    return str(path)


def test_a_report_is_written_and_is_about_the_file_that_was_judged(
    history: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = PolicyVersion(number=9, parent=0, priors={"recommendation": PRIOR | {"temperature": 0.004}})
    (tmp_path / "other.safetensors").write_bytes(other.raw)
    out = tmp_path / "report.html"
    policies = f"serving,{tmp_path / 'other.safetensors'},uniform"
    assert run("--events", history, "--policy", policies, "--report", str(out), "--json") == 0
    found = opened(out).evidence
    assert found.made_at > 0
    assert json.loads(capsys.readouterr().out)["made_at"] == found.made_at
    serves = Named(number=0, sha256=SHIPPED.sha256)
    assert found.serving == serves
    serving, candidate, rule = found.candidates
    assert (serving.kind, serving.changes) == ("version", [])
    assert (candidate.version, candidate.changes) == (1, ["recommendation"])
    assert (rule.kind, rule.changes) == ("rule", None)
    made = ruling([found], Named(number=1, sha256=candidate.sha256), serves, now=found.made_at, max_age=1)
    assert made.about is not None
    assert not made.passed


def test_a_place_that_cannot_be_written_is_said_before_anything_is_read(
    history: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--events", history, "--policy", "uniform", "--report", str(tmp_path / "no" / "r.html")) == 2
    assert "name a file in a folder that is there" in capsys.readouterr().err
    assert run("--events", history, "--report", str(tmp_path / "r.html")) == 2
    assert "--report is for judging a decision log" in capsys.readouterr().err
