"""Lines of a file, one message each: never whole in memory, and every bad one accounted for."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from infra.history.lines import BadLine, parse
from infra.history.message import Found, Message, Rejected
from infra.history.part import ENDED, FileSlice
from infra.history.rejected import rejected
from infra.history.unpacking import BrokenError, pieces
from streams.codec import MAX_BYTES

LONGEST: Final = 2 * MAX_BYTES  # a payload of MAX_BYTES as base64, and what stands around it


class Place(NamedTuple):
    """What was found, and where the file goes on after it: as `FileSlice.start`, `.line` and `.at`."""

    found: Found
    start: int
    line: int
    at: int


def places(raw: IO[bytes], one: FileSlice) -> Iterator[Place]:
    """The messages of an open file from `one.start` on, in order, and what was no message in its place.

    A file that ends in the middle gives what it holds, and then one rejection that names the line.
    """
    start, number, at = one.start, one.line, one.at
    if start == ENDED:
        return
    try:
        for line, after in _lines(pieces(raw, Path(one.path), start, one.size), start):
            number, start = number + 1, after
            if len(line) <= LONGEST and (not line or line.isspace()):
                continue
            found = _message(line, number, at)
            if isinstance(found, Message):
                at = found.timestamp
            yield Place(found, start, number, at)
    except _CutError as error:
        detail = f"{error.broken} after line {number}: what follows can't be read"
        letter = rejected(error.held, number + 1, at, reason=error.broken.reason, detail=detail)
        yield Place(letter, ENDED, number + 1, at)  # going on from here must not say so again


class _CutError(Exception):
    """The lines end here, in the middle of one of which `held` was still read."""

    def __init__(self, broken: BrokenError, held: bytes) -> None:
        super().__init__(str(broken))
        self.broken, self.held = broken, held


def _lines(unpacked: Iterator[bytes], start: int) -> Iterator[tuple[bytes, int]]:
    """Lines without their line feed, and where each ends; one that is too long is cut at one byte over `LONGEST`."""
    held, skipped, after = b"", 0, start
    try:
        for piece in unpacked:
            *whole, held = (held + piece).split(b"\n")
            for line in whole:
                after += len(line) + skipped + 1
                skipped = 0
                yield line[: LONGEST + 1], after
            if len(held) > LONGEST:
                skipped += len(held) - LONGEST - 1
                held = held[: LONGEST + 1]
    except BrokenError as error:
        raise _CutError(error, held) from error
    if held:
        yield held, after + len(held) + skipped


def _message(line: bytes, number: int, at: int) -> Message | Rejected:
    if len(line) > LONGEST:
        detail = f"a line of over {LONGEST} bytes: here is its start"
        return rejected(line, number, at, reason="oversized", detail=detail)
    try:
        return parse(line)
    except BadLine as error:
        return rejected(line, number, at, reason=error.reason, detail=error.detail, topic=error.topic)
