"""Processes by their number: start one that outlives us, know it again, end it, or tie it to us. Knows no Kafka."""

import os
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final

POLL_S: Final = 0.05
_LOADING_POLL_S: Final = 0.001
_PROC: Final = Path("/proc/self")  # Linux has it, macOS hasn't


def spawn(command: list[str], log: Path) -> int:
    """Start a program that outlives this one, its words going to `log`; its process number.

    It gets a session of its own: Ctrl-C is for this process, which then ends the other in order.
    """
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions, setsid=True)
    # A program that is still being loaded has no command line yet, and `alive` would not know it.
    while _command_line(pid) == b"" and os.waitpid(pid, os.WNOHANG) == (0, 0):
        sleep(_LOADING_POLL_S)
    return pid


def alive(pid: int, *, named: str) -> bool:
    """Whether process `pid` runs and is the one whose command line has `named`: a number may have been given anew."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # where it is our own child, and has ended, nobody else takes note of it
    command = _command_line(pid)
    if command is not None:
        return named.encode() in command
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return not _PROC.exists()


def _command_line(pid: int) -> bytes | None:
    """What `pid` was started by; empty once it has ended; None where no such process is, or the system doesn't tell."""
    try:
        return (_PROC.parent / str(pid) / "cmdline").read_bytes()
    except OSError:
        return None


def end(pid: int, *, named: str, patience_s: float) -> bool:
    """Ask the process to stop, and end it by force after `patience_s`. Whether it is gone."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if not alive(pid, named=named):
            return True
        with suppress(ProcessLookupError):
            os.kill(pid, sign)
        if _gone(pid, named, patience_s):
            return True
    return False


def _gone(pid: int, named: str, patience_s: float) -> bool:
    deadline = monotonic() + patience_s
    while monotonic() < deadline:
        if not alive(pid, named=named):
            return True
        sleep(POLL_S)
    return False


@contextmanager
def tied(pid: int) -> Generator[None]:
    """Have `pid` killed should this process end inside the block, by whatever means."""
    # The shell waits on a pipe that only this process holds open: when that is gone, `read` fails.
    script = 'read -r _ || kill -9 "$0"'
    guard = subprocess.Popen(["/bin/sh", "-c", script, str(pid)], stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        guard.communicate(b"\n")
