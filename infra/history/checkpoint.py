"""How far a long run is, in a file that replaces the one before at once: a frozen cut, what is left, and the sums."""

import os
from pathlib import Path
from typing import Final

import msgspec

from infra.errors import UserError
from infra.history.dealing import dealt, whole
from infra.history.job import Task
from infra.history.part import Part
from infra.history.work import Kept

FORMAT: Final = 1


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A run: its task and its units, each with how far it is. JSON, so that anyone may look; never code.

    `options` are what was asked to be read, as a person wrote it; `since` and `until` (epoch ms) what that meant then;
    `notes` are the caller's own, to be found again by whoever goes on.
    """

    task: Task
    units: tuple[Kept, ...]
    options: dict[str, str] = {}
    since: int | None = None
    until: int | None = None
    notes: dict[str, str] = {}
    format: int = FORMAT

    @property
    def messages(self) -> int:
        """How many have been taken in."""
        return sum(one.messages for one in self.units)


def begun(history: Part, task: Task, *, workers: int = 1, in_order: bool = False) -> State:
    """A run at its beginning. `in_order`: all as one share, for a task that needs the order across keys."""
    units = whole(history) if in_order else dealt(history, workers)
    return State(task=task, units=tuple(Kept(unit=unit) for unit in units))


def save(state: State, path: Path) -> None:
    """Replace what the file held. Raises UserError."""
    beside = path.with_name(path.name + ".new")
    try:
        with beside.open("wb") as file:
            file.write(msgspec.json.encode(state))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise UserError(f"the checkpoint {path} can't be written: {error.strerror or error}") from error


def resumed(path: Path, task: Task | None = None) -> State:
    """The run that a file holds; with `task` it must be that one's. Raises UserError."""
    try:
        state = msgspec.json.decode(path.read_bytes(), type=State)
    except OSError as error:
        raise UserError(f"the checkpoint {path} can't be read: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no checkpoint of a run ({error}): remove it to start afresh") from error
    if state.format != FORMAT:
        raise UserError(f"{path} was written by another release (format {state.format}): start afresh")
    if task is not None and msgspec.to_builtins(state.task) != msgspec.to_builtins(task):
        raise UserError(f"{path} is of a run with other options: give those again, or remove it to start afresh")
    return state
