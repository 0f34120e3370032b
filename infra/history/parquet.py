"""Rows of a Parquet file, one message each: columns topic, key, value, timestamp, and partition and offset if there."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Final

from infra.errors import UserError
from infra.history.jsonl import LONGEST, Place
from infra.history.message import Message, Rejected
from infra.history.part import FileSlice
from infra.history.rejected import rejected
from streams.topics import BY_NAME

REQUIRED: Final = ("topic", "key", "value", "timestamp")
OPTIONAL: Final = ("partition", "offset")
_ROWS: Final = 1_000  # decoded at once
_BUFFER: Final = 1024 * 1024

_TOPICS: Final = {name.encode(): topic for name, topic in BY_NAME.items()}
_Row = tuple[bytes | None, bytes | None, bytes | None, int | None, int | None, int | None]


def rows(raw: IO[bytes], one: FileSlice) -> Iterator[Place]:
    """The messages of an open file from row `one.start` on, in order, and what was no message in its place.

    Raises UserError where the file as a whole can't be read: its directory stands at the end, so one that is truncated
    can't be.
    """
    path = Path(one.path)
    arrow = library(path)
    number, at = one.start, one.at
    try:
        file = arrow.parquet.ParquetFile(raw, pre_buffer=False, buffer_size=_BUFFER)
        columns = _columns(file, path)
        for batch in _batches(file, columns, number):
            for row in zip(*(_column(batch, name) for name in (*REQUIRED, *OPTIONAL)), strict=True):
                number += 1
                found = _message(row, number, at)
                if isinstance(found, Message):
                    at = found.timestamp
                yield Place(found, number, number, at)
    except (arrow.ArrowException, OSError) as error:
        raise UserError(f"{path} can't be read as Parquet after row {number}: {error}") from error


def number_of_rows(raw: IO[bytes], path: Path) -> int:
    """Of the whole file, from its directory. Raises UserError."""
    arrow = library(path)
    try:
        return arrow.parquet.ParquetFile(raw).metadata.num_rows
    except (arrow.ArrowException, OSError) as error:
        raise UserError(f"{path} can't be read as Parquet; is it whole? {error}") from error


def _columns(file: Any, path: Path) -> list[str]:
    there = {field.name: field.type for field in file.schema_arrow}
    wrong = [name for name in REQUIRED if name not in there]
    wrong += [name for name in (*REQUIRED, *OPTIONAL) if name in there and not _fits(name, str(there[name]))]
    if wrong:
        raise UserError(
            f"{path}: column {', '.join(wrong)} is missing or of another type: a history has topic, key, value (text "
            "or bytes) and timestamp (whole epoch ms, or a time), and may have partition and offset (whole numbers)"
        )
    return [name for name in (*REQUIRED, *OPTIONAL) if name in there]


def _fits(name: str, kind: str) -> bool:
    if name in ("topic", "key", "value"):
        return any(text in kind for text in ("string", "binary", "null")) and "list" not in kind
    return kind.lstrip("u").startswith(("int", "null")) or (name == "timestamp" and kind.startswith("timestamp"))


def _batches(file: Any, columns: Sequence[str], start: int) -> Iterator[Any]:
    """Batches from row `start` on; row groups before it aren't touched."""
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if start >= size:
            start -= size
            continue
        for batch in file.iter_batches(_ROWS, row_groups=[group], columns=list(columns)):
            if start >= batch.num_rows:
                start -= batch.num_rows
                continue
            yield batch.slice(start)
            start = 0


def _column(batch: Any, name: str) -> list[Any]:
    """Bytes for text, and epoch ms for times."""
    if name not in batch.schema.names:
        return [None] * batch.num_rows
    column = batch.column(name)
    kind = str(column.type)
    if kind.startswith("dictionary"):
        column = column.dictionary_decode()
    if kind.startswith("timestamp"):
        per_ms = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}[column.type.unit]
        return [None if at is None else at * per_ms // 1_000_000 for at in column.cast("int64").to_pylist()]
    if name in ("topic", "key", "value"):  # text may be no UTF-8: whoever uses the message finds out
        column = column.cast("large_binary")
    return column.to_pylist()


def _message(row: _Row, number: int, at: int) -> Message | Rejected:
    name, key, value, timestamp, partition, offset = row
    topic = _TOPICS.get(name or b"")
    if topic is None or (value is not None and len(value) > LONGEST):
        return _unfit(row, number, at)
    if not (-1 <= (timestamp or 0) < 2**62 and 0 <= (partition or 0) < 2**31 and 0 <= (offset or 0) < 2**62):
        detail = "its timestamp, partition or offset is out of all bounds"
        return rejected(value or b"", number, at, reason="out-of-bounds", detail=detail, topic=topic.name)
    return Message(topic, key, value, timestamp or 0, partition or 0, offset)


def _unfit(row: _Row, number: int, at: int) -> Rejected:
    name, value = (row[0] or b"").decode(errors="replace")[:256], row[2] or b""
    if len(value) > LONGEST:
        detail = f"a value of over {LONGEST} bytes: here is its start"
        return rejected(value[: LONGEST + 1], number, at, reason="oversized", detail=detail, topic=name)
    if not name:
        return rejected(value, number, at, reason="no-topic", detail="the row names no topic")
    return rejected(value, number, at, reason="unknown-topic", detail=f"there is no topic {name!r}", topic=name)


def library(path: Path) -> Any:
    """pyarrow, its Parquet part loaded. Raises UserError where it is missing."""
    try:
        import_module("pyarrow.parquet")
        return import_module("pyarrow")
    except ImportError as error:
        raise UserError(f"{path} is a Parquet file: `pip install 'tradewind[files]'` adds what it needs") from error
