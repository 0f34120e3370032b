"""Workers in this process, and in processes of their own on this machine."""

import multiprocessing
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, Final, Protocol, cast

from infra.errors import UserError
from infra.history.work import Served

_END_S: Final = 5.0


class Host(Protocol):
    """Where a worker runs. One request is under way at a time."""

    def ask(self, request: bytes) -> None: ...
    def answer(self) -> bytes:
        """Wait for the answer. Raises UserError where the worker is gone."""
        ...

    def close(self) -> None: ...


class Here:
    """A worker in this process: it works while it is waited for."""

    def __init__(self, order: bytes) -> None:
        self._served = Served(order)
        self._request = b""

    def ask(self, request: bytes) -> None:
        self._request = request

    def answer(self) -> bytes:
        return self._served.ask(self._request)

    def close(self) -> None:
        self._served.close()


class Beside:
    """A worker in a process of its own, started afresh (spawn): it is sent bytes, and answers in bytes."""

    def __init__(self, order: bytes) -> None:
        context = multiprocessing.get_context("spawn")
        self.wire, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, order), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, request: bytes) -> None:
        try:
            self.wire.send_bytes(request)
        except OSError as error:
            raise self._gone() from error

    def answer(self) -> bytes:
        try:
            return self.wire.recv_bytes()
        except (EOFError, OSError) as error:
            raise self._gone() from error

    def _gone(self) -> UserError:
        self._process.join(_END_S)
        return UserError(
            f"a worker process ended by itself (exit code {self._process.exitcode}); if it was killed for want of "
            "memory, give fewer --workers, and go on with --checkpoint"
        )

    def close(self) -> None:
        self.wire.close()
        self._process.join(_END_S)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(_END_S)
        self._process.close()


def serve(wire: Connection, order: bytes) -> None:
    """The loop of a worker's process, until its wire is closed. Signals are its starter's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    served = Served(order)
    try:
        while True:
            wire.send_bytes(served.ask(wire.recv_bytes()))
    except (EOFError, OSError):
        served.close()


def ready(hosts: Sequence[Host]) -> list[Host]:
    """Those that have answered; waits for the first."""
    beside = {cast(Any, host).wire: host for host in hosts if isinstance(host, Beside)}
    if len(beside) < len(hosts):
        return [host for host in hosts if not isinstance(host, Beside)]
    return [beside[wire] for wire in wait(list(beside))]
