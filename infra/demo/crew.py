"""The demo's processes: started together, watched, ended together. What they say goes to files."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final

from infra.broker.process import tied
from infra.errors import UserError

READY_S: Final = 90.0
STOP_S: Final = 15.0


@dataclass(slots=True)
class Member:
    """One process, and the files that hold its standard output and error."""

    name: str
    process: "subprocess.Popen[bytes]"
    said: Path
    log: Path

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def report(self) -> dict[str, Any]:
        """The last line of its output, if that is a JSON object; else nothing."""
        lines = self.said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        with suppress(ValueError, TypeError, IndexError):
            return dict[str, Any](json.loads(lines[-1]))
        return {}

    def why(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


@dataclass(slots=True)
class Crew:
    """A folder for logs, the environment that all get, and who is at work."""

    folder: Path
    environment: Mapping[str, str]
    members: dict[str, Member] = field(default_factory=dict[str, Member])
    _guards: ExitStack = field(default_factory=ExitStack)  # should the demo itself be killed, its members end too

    def start(self, name: str, command: Sequence[str]) -> Member:
        said, log = self.folder / f"{name}.out", self.folder / f"{name}.log"
        with said.open("wb") as out, log.open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, **self.environment},
                start_new_session=True,  # Ctrl-C is for the demo, which ends them in order
            )
        self._guards.enter_context(tied(process.pid))
        member = self.members[name] = Member(name, process, said, log)
        return member

    def await_ready(self, name: str) -> None:
        """Wait until the member has said `ready`."""
        member, until = self.members[name], monotonic() + READY_S
        while "ready" not in member.said.read_text(encoding="utf-8", errors="replace"):
            self.check()
            if monotonic() > until:
                raise UserError(f"the demo's {name} was not ready within {READY_S:.0f} s; its log is {member.log}")
            sleep(0.05)

    def check(self, done: Sequence[str] = ()) -> None:
        """Raise where a member has ended, other than those that may be done by now."""
        for member in self.members.values():
            code = member.process.poll()
            if code is not None and (code or member.name not in done):
                raise UserError(f"the demo's {member.name} ended early ({member.why()}); its log is {member.log}")

    def stop(self, *names: str) -> None:
        """End these members, or all: by SIGTERM, and by force only where that doesn't help."""
        leaving = [self.members[name] for name in names or tuple(self.members)]
        for member in leaving:
            _signal(member, signal.SIGTERM)
        for member in leaving:
            try:
                member.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                _signal(member, signal.SIGKILL)
                member.process.wait()

    def close(self) -> None:
        """End all of them."""
        self.stop()
        self._guards.close()


def _signal(member: Member, sign: signal.Signals) -> None:
    if not member.ended:
        with suppress(ProcessLookupError):
            member.process.send_signal(sign)
