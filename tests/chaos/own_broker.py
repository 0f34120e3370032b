"""A broker that a test stops and starts as it likes, always at one address and on one folder."""

import os
import signal
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from infra.broker import config, process, server
from infra.broker.home import Home


class OwnBroker:
    """Its address stays; `start` and `stop` (or `kill`) may follow each other as often as one likes."""

    def __init__(self, path: Path, addition: config.Addition = config.PLAIN) -> None:
        self._home = Home(path)
        self._addition = addition
        self._port = server.free_port()
        self._ties = ExitStack()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        started = server.up(self._home, self._port, self._addition)
        self._ties.enter_context(process.tied(started.pid))

    def stop(self) -> None:
        """In good order, as a rolling restart does."""
        server.down(self._home)
        self._ties.close()

    def kill(self) -> None:
        """kill -9."""
        found = self._home.running()
        assert found is not None, "the broker doesn't run"
        os.kill(found.pid, signal.SIGKILL)
        while self._home.running() is not None:
            time.sleep(process.POLL_S)
        self._home.forget()
        self._ties.close()


@contextmanager
def running(path: Path, addition: config.Addition = config.PLAIN) -> Generator[OwnBroker]:
    broker = OwnBroker(path, addition)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
