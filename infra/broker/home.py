"""A broker's data folder: what lies in it, and what it says of the broker that runs there. Starts and stops nothing."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import orjson

from infra.broker.process import alive
from infra.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A broker that was started: its process, where it listens on this machine, and how it is recognised."""

    pid: int
    port: int
    cluster_id: str
    version: str

    @property
    def address(self) -> str:
        """What TRADEWIND_BOOTSTRAP_SERVERS takes."""
        return f"127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class Home:
    """The files of one broker."""

    path: Path

    @property
    def properties(self) -> Path:
        return self.path / "server.properties"

    @property
    def log_dir(self) -> Path:
        """Kafka's own data."""
        return self.path / "data"

    @property
    def log(self) -> Path:
        """What the broker says: warnings and errors."""
        return self.path / "broker.log"

    @property
    def record(self) -> Path:
        """The process, for later commands: exists from start to stop."""
        return self.path / "broker.pid"

    def prepare(self) -> None:
        """Make the folder. Raises UserError where it can't be written."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.log.touch()
        except OSError as error:
            raise UserError(
                f"--data-dir: {self.path} can't be written ({error.strerror}); name another folder"
            ) from error

    def save(self, running: Running) -> None:
        self.record.write_bytes(orjson.dumps(asdict(running)))

    def forget(self) -> None:
        self.record.unlink(missing_ok=True)

    def running(self) -> Running | None:
        """The broker that runs on this folder, or None. A record that a crash left behind counts for nothing."""
        try:
            found = msgspec.json.decode(self.record.read_bytes(), type=Running)
        except (OSError, msgspec.DecodeError):
            return None
        return found if alive(found.pid, named=str(self.properties)) else None


def default_path() -> Path:
    """The data folder of the broker that `tradewind broker up` starts, unless --data-dir names another."""
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "tradewind" / "broker"
