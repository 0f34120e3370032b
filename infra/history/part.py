"""A piece of history as plain data: which records of which log or file, no more. It travels between processes as JSON.

What is left of a part while it is read is a part again (`Reading.rest`): that is what a checkpoint keeps.
"""

from typing import Final, Literal

import msgspec

ENDED: Final = 2**62  # a `start` behind all there can be
By = Literal["log", "event"]  # see `clock.py`
Format = Literal["jsonl", "parquet"]


class LogSlice(msgspec.Struct, frozen=True, kw_only=True):
    """Offsets `start` ≤ offset < `end` of one partition, of them those with `since` ≤ log time < `until` (epoch ms).

    `topic` is ours, without the prefix.
    """

    topic: str
    partition: int
    start: int
    end: int
    since: int | None = None
    until: int | None = None


class LogPart(msgspec.Struct, frozen=True, kw_only=True, tag="log"):
    """Slices of one cluster's topics, merged by time. What the settings say of security isn't kept here."""

    bootstrap_servers: str
    prefix: str
    slices: tuple[LogSlice, ...]
    by: By = "log"


class FileSlice(msgspec.Struct, frozen=True, kw_only=True):
    """A file from byte or row `start` on. `size` and `changed_ns` are those it had when the cut was made.

    `start` counts bytes of lines (after decompression) in JSONL, rows in Parquet; `line` is the number of lines before.
    """

    path: str
    format: Format
    size: int
    changed_ns: int
    start: int = 0
    line: int = 0
    at: int = 0  # the log's time of the last message before `start`
    rows: int = 0  # of the whole file, in Parquet
    done: int = 0  # bytes as they lie on the disk, of what was read before `start`


class FilePart(msgspec.Struct, frozen=True, kw_only=True, tag="files"):
    """Files, each in its own order, merged by time; of them what lies in `since` ≤ log time < `until` (epoch ms).

    Of the topics in `beyond`, `until` doesn't end it. `topics` empty stands for all. `numbered`: a message without
    an offset has that of its line.
    """

    slices: tuple[FileSlice, ...]
    since: int | None = None
    until: int | None = None
    beyond: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    by: By = "log"
    numbered: bool = False


Part = LogPart | FilePart

_DECODER: Final = msgspec.json.Decoder(Part)


def pack(part: Part) -> bytes:
    """A part as one line of JSON."""
    return msgspec.json.encode(part)


def unpack(raw: bytes) -> Part:
    """The part of `pack`. Raises msgspec.ValidationError."""
    return _DECODER.decode(raw)
