"""`tradewind policies` without a broker: what a log comes to, and a prior from its training to a version."""

import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from agents.versions import record_of
from infra import cli
from infra.errors import UserError
from infra.versions import pretrained
from infra.versions.policy_log import PolicyLog
from infra.versions.table import print_table
from policies.artefact import save
from policies.meta.domains import fit
from policies.version import SHIPPED, PolicyVersion

ONE = PolicyVersion(number=1, parent=0, parent_sha256=SHIPPED.sha256, priors={"bidding": {"log_mu": 0.5}})
TWO = PolicyVersion(number=2, parent=1, parent_sha256=ONE.sha256, priors={"bidding": {"log_mu": 0.7}})
LATE = PolicyVersion(number=2, parent=0, priors={"bidding": {"log_mu": 0.9}})


@pytest.fixture
def log() -> PolicyLog:
    """Two versions that served, one that came too late, two candidates that didn't pass, and a rollback."""
    rejected = replace(record_of(TWO, "publish", by="learner"), act="reject", number=0, sha256="", artefact="")
    acts = [
        record_of(ONE, "publish", by="learner"),
        *(replace(rejected, evidence={"domain": "bidding", "rejected": n}) for n in (1, 2)),
        record_of(TWO, "publish", by="learner"),
        record_of(LATE, "publish", by="learner"),
        record_of(ONE, "rollback", by="ann", at=5, reason="clicks fell", hold=True),
    ]
    found = PolicyLog()
    for offset, record in enumerate(acts):
        found.add(offset, record)
    return found


def test_each_version_has_its_mark(log: PolicyLog) -> None:
    assert [log.mark(one.sha256) for one in (ONE, TWO, LATE)] == ["serving, held", "previous", "refused"]
    assert log.rejected == {"bidding": 2}
    assert [entry.record.number for entry in log.versions.values()] == [1, 2, 2]
    assert "is older than" in log.entries[4].refused


def test_what_ships_served_before_whatever_came_after(log: PolicyLog) -> None:
    assert log.mark(SHIPPED.sha256) == "served before"
    assert PolicyLog().mark(SHIPPED.sha256) == "serving"


def test_the_table_is_whole_where_it_is_piped(log: PolicyLog, capsys: pytest.CaptureFixture[str]) -> None:
    print_table(log, ())
    said = capsys.readouterr().out
    assert "…" not in said
    assert all(word in said for word in ("log-likelihood", "serving, held", "served before", "refused"))
    assert "2 candidates for bidding were turned down by the gate.\n" in said
    assert "\nVersion 2 was refused: version 2 is older than version 2, which serves\n" in said


def test_a_narrow_screen_gets_a_line_for_each_version(
    log: PolicyLog, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    print_table(log, ())
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "version 1: serving, held; parent 0; made at 1970-01-01T00:00:00Z; by learner"


def test_a_number_that_there_is_not_is_named(log: PolicyLog) -> None:
    assert log.find(0).sha256 == SHIPPED.sha256
    with pytest.raises(UserError, match="no version 7"):
        log.find(7)


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training of bidding that is over at once."""

    def train(seed: int, tell: Any) -> Any:
        tell("step 1 of 1")
        return {"log_mu": np.array(0.25 + seed)}, {"schema": "tradewind.bidding-prior/1", "steps": "1"}

    module = ModuleType("policies.training.bidding")
    module.__spec__ = ModuleSpec(module.__name__, None)
    setattr(module, "train", train)
    monkeypatch.setitem(sys.modules, module.__name__, module)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(["policies", *arguments])
    return int(ended.value.code or 0)


def test_pretrain_writes_the_same_file_from_the_same_seed_and_tells_of_its_progress(
    training: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[Any] = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert run("pretrain", "bidding", "--seed", seed, "--out", str(tmp_path / name), "--json") == 0
        told = capsys.readouterr()
        assert "step 1 of 1" in told.err
        said.append(json.loads(told.out))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()
    assert said[0]["sha256"] == said[1]["sha256"] != said[2]["sha256"]


def test_where_the_file_cannot_lie_is_said_before_the_training(
    training: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (tmp_path, tmp_path / "nowhere" / "prior"):
        assert run("pretrain", "bidding", "--out", str(path)) == 2
        told = capsys.readouterr().err
        assert f"--out {path}: name a file in a folder that is there" in told
        assert "step 1" not in told


def test_a_pretrained_prior_becomes_the_next_version_beside_the_other_domains(training: None, tmp_path: Path) -> None:
    path = tmp_path / "prior.safetensors"
    run("pretrain", "bidding", "--seed", "3", "--out", str(path))
    parent = PolicyVersion(number=4, parent=0, priors={"replenishment": {"a": 2.0}, "bidding": {"log_mu": 0.5}})
    made = pretrained.as_version(path, parent, 9)
    assert fit(made).priors["replenishment"] == {"a": 2.0}
    assert made.priors["bidding"] == {"log_mu": 3.25}
    assert (made.number, made.parent, made.parent_sha256, made.seed) == (9, 4, parent.sha256, 3)


def test_a_whole_version_in_a_file_gets_the_next_number(tmp_path: Path) -> None:
    path = tmp_path / "version.safetensors"
    path.write_bytes(TWO.raw)
    made = pretrained.as_version(path, ONE, 5)
    assert (made.number, made.parent, made.priors) == (5, 1, TWO.priors)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "neither the number of a version nor a file"),
        (b"", "not a safetensors artefact"),
        (b"\x80\x04pickle and more", "not a safetensors artefact"),
        (TWO.raw[:-4], "not a safetensors artefact"),
    ],
)
def test_a_file_that_is_no_prior_is_refused_with_the_reason(raw: bytes | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(UserError, match=reason):
        pretrained.as_version(path, SHIPPED, 1)


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "nan.safetensors"
    save(path, {"log_mu": np.array([np.nan])}, {"schema": "tradewind.bidding-prior/1", "domain": "bidding"})
    with pytest.raises(UserError, match="log_mu holds numbers that aren't finite"):
        pretrained.as_version(path, SHIPPED, 1)


def test_an_unknown_domain_is_answered_by_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("pretrain", "gardening") == 2
    assert "there is a training for " in capsys.readouterr().err


def test_a_history_that_teaches_nothing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history = tmp_path / "history.jsonl"
    history.touch()
    assert run("pretrain", "bidding", "--events", str(history), "--out", str(tmp_path / "out")) == 2
    assert "no message that an agent reads, so there is nothing to learn from" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["list", "show", "promote", "rollback", "pretrain"])
def test_each_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, "--help") == 0
    assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize("act", ["promote", "offer"])
def test_what_is_wrong_with_a_file_is_said_before_a_broker_is_asked(
    act: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "prior.safetensors"
    file.write_bytes(b"what")
    assert run(act, str(file), "--bootstrap-servers", "127.0.0.1:1") != 0
    assert f"{file} can't become a version" in capsys.readouterr().err
