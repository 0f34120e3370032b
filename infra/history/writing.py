"""A history into a file that `files.py` reads: JSON lines (plain, gzip, zstd) or Parquet, by the name's ending."""

import gzip
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, Protocol, cast

from infra.errors import UserError
from infra.history import parquet, unpacking
from infra.history.lines import write
from infra.history.message import Message

_ROWS: Final = 10_000  # of a Parquet row group
_ROW_BYTES: Final = 16 * 1024 * 1024  # and its bytes, at most by one value more


class Sink(Protocol):
    """Where messages go, one by one."""

    def put(self, message: Message) -> None: ...


@contextmanager
def opened(out: Path, option: str = "--out") -> Generator[Sink]:
    """A file for messages. It gets its name once it is whole: until then what was there stays. Raises UserError."""
    beside = out.with_name(out.name + ".part")
    try:
        with ExitStack() as stack:
            sink = _parquet(beside, stack) if out.suffix == ".parquet" else _lines(out.suffix, beside, stack)
            yield sink
        beside.replace(out)
    except OSError as error:
        raise UserError(f"{option}: {out} can't be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


class _Lines:
    def __init__(self, file: IO[bytes]) -> None:
        self._write = file.write

    def put(self, message: Message) -> None:
        self._write(write(message))


def _lines(suffix: str, beside: Path, stack: ExitStack) -> Sink:
    raw = stack.enter_context(beside.open("wb"))
    if suffix == ".gz":
        return _Lines(cast(IO[bytes], stack.enter_context(gzip.open(raw, "wb", compresslevel=5))))
    if suffix == ".zst":
        compressor = unpacking.library(beside).ZstdCompressor()
        return _Lines(stack.enter_context(compressor.stream_writer(raw, closefd=False)))
    return _Lines(raw)


class _Rows:
    """Messages held until they make a row group."""

    def __init__(self, arrow: Any, writer: Any, schema: Any) -> None:
        self._arrow, self._writer, self._schema = arrow, writer, schema
        self._held: list[Message] = []
        self._bytes = 0

    def put(self, message: Message) -> None:
        self._held.append(message)
        self._bytes += len(message.value or b"")
        if len(self._held) >= _ROWS or self._bytes >= _ROW_BYTES:
            self.flush()

    def flush(self) -> None:
        if not self._held:
            return
        columns = {
            "topic": [one.topic.name for one in self._held],
            "partition": [one.partition for one in self._held],
            "offset": [one.offset for one in self._held],
            "key": [one.key for one in self._held],
            "value": [one.value for one in self._held],
            "timestamp": [one.timestamp for one in self._held],
        }
        self._writer.write_table(self._arrow.table(columns, schema=self._schema))
        self._held, self._bytes = [], 0


def _parquet(beside: Path, stack: ExitStack) -> Sink:
    arrow = parquet.library(beside)
    types = {
        "topic": arrow.string(),
        "partition": arrow.int32(),
        "offset": arrow.int64(),
        "key": arrow.binary(),
        "value": arrow.binary(),
        "timestamp": arrow.timestamp("ms", tz="UTC"),
    }
    schema = arrow.schema(list(types.items()))
    writer = arrow.parquet.ParquetWriter(beside, schema, compression="zstd", use_dictionary=["topic"])
    rows = _Rows(arrow, stack.enter_context(writer), schema)
    stack.callback(rows.flush)
    return rows
