"""The messages of a part, one after the other, from wherever they lie."""

from collections.abc import Iterator
from typing import Protocol, Self

from infra.history.message import Found
from infra.history.part import LogPart, Part


class Reading(Protocol):
    """An iterator over a part's messages that can say, between any two of them, what is left.

    Iterating raises UserError for what a person can put right: no broker, a file that changed. To be closed.
    """

    def __iter__(self) -> Iterator[Found]: ...
    def __next__(self) -> Found: ...
    def rest(self) -> Part:
        """The part that holds what hasn't been returned yet, and nothing else."""
        ...

    @property
    def done(self) -> int:
        """How far it is: offsets of a log, bytes of files (as they lie on the disk)."""
        ...

    @property
    def total(self) -> int:
        """What `done` comes to in the end."""
        ...

    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...


def messages(part: Part) -> Reading:
    """Read a part: `with messages(part) as found: for one in found: …`. Synchronous; in bounded memory."""
    if isinstance(part, LogPart):
        from infra.history.kafka import LogReading

        return LogReading(part)
    from infra.history.files import FileReading

    return FileReading(part)
