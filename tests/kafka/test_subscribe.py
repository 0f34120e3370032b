"""What docs/subscribe.md tells subscribers is run: its consumers in three languages, and its commands."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest
from kafka import KafkaProducer

from infra import provision
from infra.broker.jars import cache_dir, classpath
from infra.contract.examples import example_of
from infra.settings import Settings
from streams.codec import encode, record_of
from streams.topics import BID_ADJUSTMENTS, DEAD_LETTERS, RECOMMENDATIONS, REPLENISHMENT_ORDERS, Topic
from tests.kafka.harness import LONG_S, ROOT

GUIDE = (ROOT / "docs/subscribe.md").read_text()
LATE = 4_102_444_800_000
NPM_S = 240


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    return found[1]


def put(address: str, prefix: str, topic: Topic, count: int = 1) -> None:
    """A few records as a worker writes them, in a transaction; and one that was never committed."""
    with provision.admin(Settings(bootstrap_servers=address)) as admin:
        new = {prefix + topic.name: {"num_partitions": 1, "replication_factor": 1}}
        admin.create_topics(new, wait_for_metadata=True)
    record = record_of(topic, example_of(topic), None, LATE)
    client = KafkaProducer(bootstrap_servers=address, transactional_id=f"{prefix}{topic}")
    client.init_transactions()
    for commit in (False, True):
        client.begin_transaction()
        for _ in range(count):
            client.send(prefix + topic.name, key=topic.key(record).encode(), value=encode(record))
        client.flush()
        (client.commit_transaction if commit else client.abort_transaction)()
    client.close()


@pytest.fixture
def slates(broker: str, prefix: str) -> str:
    """A topic that holds one slate."""
    put(broker, prefix, RECOMMENDATIONS)
    return prefix + RECOMMENDATIONS.name


@contextmanager
def started(command: list[str], address: str, topic: str, folder: Path) -> Generator[subprocess.Popen[str]]:
    environment = {**os.environ, "BOOTSTRAP": address, "TOPIC": topic, "PYTHONPATH": ""}
    with (folder / "errors.txt").open("w") as errors:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # with the children that a runtime starts
            process.wait(LONG_S)
            if process.stdout is not None:
                process.stdout.close()


def first_line(command: list[str], address: str, topic: str, folder: Path) -> str:
    """What a consumer prints first. The kill ends it: consumers go on for ever."""
    said: list[str] = []
    with started(command, address, topic, folder) as process:
        listener = threading.Thread(target=lambda: said.extend(islice(process.stdout or (), 1)), daemon=True)
        listener.start()
        listener.join(LONG_S)
    assert said, (folder / "errors.txt").read_text()[-2000:]
    return said[0].strip()


def test_the_python_consumer_reads_a_slate(broker: str, slates: str, tmp_path: Path) -> None:
    program = block("python")
    assert len(program.strip().splitlines()) <= 16
    (tmp_path / "slates.py").write_text(program)
    line = first_line([sys.executable, "slates.py"], broker, slates, tmp_path)
    assert line == "household-1021 ['milk'] d-8f3a"


@pytest.mark.skipif(shutil.which("javac") is None, reason="no JDK here: the embedded broker's Java has no compiler")
def test_the_java_consumer_reads_a_slate(broker: str, slates: str, tmp_path: Path) -> None:
    (tmp_path / "Slates.java").write_text(block("java"))
    line = first_line(["java", "-cp", classpath(), "Slates.java"], broker, slates, tmp_path)
    assert line == "household-1021 [milk] d-8f3a"


def typescript() -> Path:
    """A folder with what the TypeScript consumer needs, installed once and kept; skips where that can't be had."""
    folder = cache_dir() / "subscribe-typescript"
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no Node.js here")
    if not (folder / "node_modules/.done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"name": "slates", "private": true}')
        wanted = ["kafkajs@2.2.4", "tsx@4"]
        try:
            done = subprocess.run(
                [npm, "install", "--no-audit", "--no-fund", *wanted],
                cwd=folder,
                capture_output=True,
                timeout=NPM_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pytest.skip("kafkajs could not be installed in time")
        if done.returncode:
            pytest.skip(f"kafkajs can't be installed here: {done.stderr.decode()[-200:]}")
        (folder / "node_modules/.done").touch()
    return folder


def test_the_typescript_consumer_reads_a_slate(broker: str, slates: str, tmp_path: Path) -> None:
    folder = typescript()
    (tmp_path / "slates.ts").write_text(block("typescript"))
    (tmp_path / "node_modules").symlink_to(folder / "node_modules")
    tsx = str(folder / "node_modules/.bin/tsx")
    line = first_line([tsx, "slates.ts"], broker, slates, tmp_path)
    assert line == "household-1021 [ 'milk' ] d-8f3a"


def commands() -> list[str]:
    return [line for found in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL) for line in found.strip().splitlines()]


def test_every_command_of_the_guide_runs(broker: str, prefix: str, tmp_path: Path) -> None:
    for topic in (RECOMMENDATIONS, BID_ADJUSTMENTS, REPLENISHMENT_ORDERS, DEAD_LETTERS):
        put(broker, prefix, topic)
    environment = {**os.environ, "TRADEWIND_BOOTSTRAP_SERVERS": broker, "TRADEWIND_PREFIX": prefix}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    said: list[str] = []
    for command in commands():
        shell = ["/bin/sh", "-c", command]
        done = subprocess.run(
            shell, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=LONG_S, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        said.append(done.stdout)
    assert len(said) == 7
    assert "household-1021  home: milk 0.71  policy 4  d-8f3a" in said[0]
    assert said[0].count("\n") == 1  # what was aborted isn't there
    assert "milk@north  order 3" in said[1]
    assert '"bid_multiplier":0.66' in said[2]
    assert "invalid-record  user-events, partition 0, offset 7" in said[3]
    assert said[6] == "Nothing breaks.\n"
