"""The folder of one worker's state, held by a lock: two workers on one machine never share it."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from infra.errors import UserError
from infra.settings import Settings


@contextmanager
def held(settings: Settings) -> Generator[Path]:
    """A folder of this worker's own for as long as the block lasts: the first of its name that nobody else holds.

    It is named by the group instance id, so that a worker finds its state again after a restart. Raises UserError where
    the state folder can't be written.
    """
    name = settings.group_instance_id or "worker"
    for number in count():
        folder = settings.state_dir / settings.identity / (f"{name}-{number}" if number else name)
        lock = _lock(folder)
        if lock is None:
            continue
        try:
            yield folder
        finally:
            os.close(lock)
        return


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock until it is closed, or the process ends; None where it is taken."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UserError(
            f"TRADEWIND_STATE_DIR: {folder} can't be written ({error.strerror}): name a folder that can"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
