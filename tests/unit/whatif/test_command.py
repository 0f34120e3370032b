"""What the command prints: one JSON object, or a table with what is assumed."""

from pathlib import Path

import orjson
import pytest

from infra.cli import main
from tests.unit.whatif.recording import saved
from tests.unit.whatif.test_ads import flown, history
from tests.unit.whatif.test_stock import recording


def run(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["what-if", *arguments])
    assert ended.value.code in (0, 2)


def test_json_is_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path / "h.jsonl", recording(days=10).run())
    run("stock", "--events", str(path), "--policy", "base-stock,capped-base-stock", "--json")
    answer = orjson.loads(capsys.readouterr().out)
    assert set(answer["policies"]) == {"base-stock", "capped-base-stock"}
    assert {"recorded", "assumptions", "range", "check"} <= set(answer)


def test_the_table_names_every_policy_and_every_assumption(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path / "h.jsonl", history(flown(60, tells=True)))
    run("ads", "--events", str(path))
    shown = capsys.readouterr().out
    for said in ("as recorded", "live", "cold-dual-pacing", "mirror-pacing", "What is assumed:", "60 of 60 auctions"):
        assert said in shown


def test_what_a_person_can_put_right_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path / "h.jsonl", recording(days=2).run())
    run("stock", "--events", str(path), "--from", "2030-01-01")
    assert "choose another --from and --to" in capsys.readouterr().err
    run("ads", "--events", str(path), "--budget", "1", "--budget-factor", "2")
    assert "leave one out" in capsys.readouterr().err
