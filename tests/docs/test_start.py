"""The five minutes of docs/index.md and the set-up of docs/cluster.md, run as they are written, on a real broker."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from infra.broker import server
from tests.docs.blocks import ROOT, lines

LONG_S: Final = 240
START: Final = (ROOT / "docs/index.md").read_text()

# Of docs/index.md and docs/cluster.md, what isn't run here, and why.
NOT_HERE: Final = {
    "make demo": "takes minutes; tests/unit/demo holds its parts, tests/kafka/test_main_job.py what it runs",
    ".venv/bin/tradewind demo --dashboard --keep": "as above",
    "tradewind broker up": "the test's own broker stands for it; tests/kafka/test_broker.py runs up and down",
    "tradewind broker down": "likewise",
    "export TRADEWIND_BOOTSTRAP_SERVERS=kafka-1:9092,kafka-2:9092": "the test sets its own broker",
    "export TRADEWIND_REPLICATION_FACTOR=3": "the test's cluster is one broker",
}
SERVES: Final = ("tradewind worker", "tradewind learner")


class Shop:
    """A folder to run commands in, and the broker they reach."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address
        self.environment = {**os.environ, "TRADEWIND_BOOTSTRAP_SERVERS": address, "PYTHONPATH": str(ROOT)}
        self.environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LONG_S,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def shell(self, text: str) -> str:
        return self.run("/bin/sh", "-c", text)

    @contextmanager
    def serving(self, text: str) -> Generator[None]:
        """A command that goes on until SIGTERM: ready within the block, and gone in order after it."""
        log = self.folder / "serving.log"
        with log.open("w") as said:
            process = subprocess.Popen(
                text.split(), cwd=self.folder, env=self.environment, stdout=said, stderr=subprocess.STDOUT
            )
        try:
            give_up = time.monotonic() + LONG_S
            while "ready" not in log.read_text():
                assert process.poll() is None, log.read_text()[-4000:]
                assert time.monotonic() < give_up, log.read_text()[-4000:]
                time.sleep(0.1)
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(LONG_S) == 0, log.read_text()[-4000:]
        finally:
            process.kill()
            process.wait(LONG_S)


def commands(page: str) -> list[str]:
    """Those that are run here."""
    found = [line.text for line in lines() if line.page == page]
    assert found
    return [text for text in found if text not in NOT_HERE]


@pytest.mark.kafka
def test_a_newcomer_gets_a_slate_and_then_takes_the_history_away(tmp_path: Path) -> None:
    with server.running(tmp_path / "broker") as broker:  # its own: what is written there names topics without a prefix
        shop = Shop(tmp_path, broker.address)
        before, after = commands("docs/index.md"), commands("docs/cluster.md")
        assert before == ["tradewind topics create", "tradewind worker", "tradewind tail recommendations --no-follow"]
        shop.shell(before[0])
        program = re.search(r"```python\n(.*?)```", START, re.DOTALL)
        assert program is not None
        with shop.serving(before[1]):
            shop.run(sys.executable, "-c", program[1].replace("localhost:9092", shop.address))
            assert "milk" in eventually(shop, before[2])
        for text in after:
            if text in SERVES:
                with shop.serving(text):
                    pass
            else:
                shop.shell(text)
        assert (tmp_path / "history.jsonl.gz").stat().st_size > 0
        assert "decisions" in shop.shell("tradewind replay --events history.jsonl.gz")
        assert "0" in shop.shell("tradewind policies list")


def eventually(shop: Shop, text: str) -> str:
    """What a command says, once it says anything."""
    give_up = time.monotonic() + LONG_S
    while time.monotonic() < give_up:
        said = shop.shell(text)
        if "ann" in said:
            return said
    raise AssertionError(f"{text} never named ann")


def test_what_is_left_out_is_still_on_the_pages() -> None:
    written = {line.text for line in lines() if line.page in {"docs/index.md", "docs/cluster.md"}}
    assert set(NOT_HERE) <= written
