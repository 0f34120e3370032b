"""Whether a process is alive (restart it where it isn't) and ready (wait for it where it isn't), each with reasons.

Brokers that are away make it unready, never dead: a restart brings none of them back.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol


class Restored(Protocol):
    """A task, as far as readiness asks: whether it has its state and its place."""

    @property
    def begun(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Each field is asked anew by every probe.

    `standstills` names the tasks that have stood still past the stall time while their logs grew.
    """

    failed: Callable[[], bool]
    standstills: Callable[[], Iterable[str]]
    assigned: Callable[[], bool]
    warm: Callable[[], bool]
    tasks: Callable[[], Iterable[Restored]]
    answered: Callable[[], bool]

    def dead(self) -> list[str]:
        """Why this process should be ended; empty while it is alive. That it answers at all is the first sign."""
        why = list(self.standstills()) if self.answered() else list[str]()
        return [*why, "an error has ended the work"] if self.failed() else why

    def unready(self) -> list[str]:
        """Why nothing can be expected of it now; empty once it is ready. Without partitions it stands by, and is."""
        tasks: list[Any] = list(self.tasks())
        restoring = sum(not task.begun for task in tasks)
        found = {
            "the brokers don't answer": not self.answered(),
            "no partitions are assigned yet": not self.assigned(),
            "the shared topics aren't read yet": not self.warm(),
            f"{restoring} of {len(tasks)} partitions have no state yet": restoring > 0,
            "an error has ended the work": self.failed(),
        }
        return [why for why, holds in found.items() if holds]
