"""A file of messages, read line by line: never whole in memory, plain or gzip, with every bad line accounted for."""

import gzip
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple, cast

from infra.errors import UserError
from infra.replay.lines import BadLine, parse
from infra.replay.message import Message
from streams.codec import MAX_BYTES, encode
from streams.records import DeadLetter
from streams.topics import DEAD_LETTERS

LONGEST: Final = 2 * MAX_BYTES  # a payload of MAX_BYTES as base64, and what stands around it
FILE: Final = "events-file"  # the topic of a dead letter whose line names none


class Rejected(NamedTuple):
    """A line that is no message, as its dead letter: the offset is the line's number."""

    letter: Message


def read(path: Path, on_bytes: Callable[[int], None]) -> Iterator[Message | Rejected]:
    """The messages of the file in order, and what was no message in its place.

    `on_bytes` is told how many bytes of the file, as it lies on the disk, have been read. Raises UserError.
    """
    try:
        with path.open("rb") as raw, _opened(raw, path) as lines:
            at = 0
            for number, line in enumerate(_lines(lines), start=1):
                on_bytes(raw.tell())
                if not line.strip():
                    continue
                found = _message(line, number, at)
                if isinstance(found, Message):
                    at = found.timestamp
                yield found
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"--events: {path} can't be read: {_reason(error)}") from error


def _opened(raw: IO[bytes], path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(raw)) if path.suffix == ".gz" else raw


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Lines, each cut at one byte over `LONGEST`; the rest of a longer one is skipped."""
    while line := file.readline(LONGEST + 1):
        yield line
        rest = line
        while len(rest) > LONGEST and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST + 1)


def _message(line: bytes, number: int, at: int) -> Message | Rejected:
    if len(line) > LONGEST:
        return _rejected(line, number, at, BadLine("oversized", f"a line of over {LONGEST} bytes: here is its start"))
    try:
        return parse(line)
    except BadLine as error:
        return _rejected(line, number, at, error)


def _rejected(line: bytes, number: int, at: int, error: BadLine) -> Rejected:
    letter = DeadLetter(
        topic=error.topic or FILE,
        partition=0,
        offset=number,
        reason=error.reason,
        detail=error.detail,
        value=b64encode(line).decode(),
        at=at,
    )
    return Rejected(Message(DEAD_LETTERS, DEAD_LETTERS.key(letter).encode(), encode(letter), at))


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
