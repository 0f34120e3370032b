"""A broker's data folder: whose process its record names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.broker.home import Home, Running
from infra.broker.process import alive, end, spawn
from infra.errors import UserError


def record(pid: int) -> Running:
    return Running(pid=pid, port=9092, cluster_id="c", version="4")


def test_a_record_of_a_process_that_is_the_folders_own_is_believed_until_it_ends(tmp_path: Path) -> None:
    home = Home(tmp_path)
    named = str(home.properties)
    pid = spawn([sys.executable, "-c", "import time; time.sleep(600)", named], tmp_path / "log")
    home.save(record(pid))
    try:
        assert home.running() == record(pid)
    finally:
        assert end(pid, named=named, patience_s=60)
    assert home.running() is None


def test_a_process_that_has_ended_is_not_alive_though_its_parent_takes_no_note_of_it(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    in_another = f"from infra.broker.process import alive; print(alive({ended.pid}, named='python'))"
    assert subprocess.check_output([sys.executable, "-c", in_another], text=True) == "False\n"
    ended.wait()


def test_a_number_that_was_given_to_another_program_is_not_the_broker(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.save(record(os.getpid()))
    assert home.running() is None


@pytest.mark.parametrize("text", ["", "not json", '{"pid": "x"}'])
def test_a_torn_record_is_no_broker(tmp_path: Path, text: str) -> None:
    home = Home(tmp_path)
    home.record.write_text(text)
    assert home.running() is None


def test_end_leaves_another_programs_process_alone(tmp_path: Path) -> None:
    pid = spawn([sys.executable, "-c", "import time; time.sleep(600)", "another"], tmp_path / "log")
    try:
        assert end(pid, named="the broker", patience_s=1)
        assert alive(pid, named="another")
    finally:
        assert end(pid, named="another", patience_s=60)


def test_no_process_is_not_alive() -> None:
    assert not alive(2**22 + 1, named="")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"--data-dir: .*file/below can't be written"):
        Home(tmp_path / "file" / "below").prepare()
