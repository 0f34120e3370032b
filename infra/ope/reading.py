"""The lines of a file or of standard input: plain, gzip or zstd, told by their first bytes. Never whole in memory."""

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, cast

from infra.errors import UserError

LONGEST: Final = 4_000_000  # bytes of one line; a longer one is left out
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class Reader:
    """Iterates over lines. `damage` says afterwards why reading stopped before the end, if it did."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.damage: str | None = None

    def lines(self, on_bytes: Callable[[int], None]) -> Iterator[bytes]:
        """The lines that can be read, without blank ones; one over LONGEST is cut there. Raises UserError."""
        try:
            with _raw(self.path) as raw:
                for line in self._whole_lines(raw):
                    on_bytes(raw.tell() if raw.seekable() else 0)
                    if line.strip():
                        yield line
        except OSError as error:
            raise UserError(f"{self.path} can't be read: {error.strerror or error}") from error

    def _whole_lines(self, raw: IO[bytes]) -> Iterator[bytes]:
        """Of a damaged file what comes before the damage."""
        file = _unpacked(raw)
        while True:
            try:
                line = file.readline(LONGEST + 1)
                rest = line
                while len(rest) > LONGEST and not rest.endswith(b"\n"):
                    rest = file.readline(LONGEST + 1)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                self.damage = str(error)
                return
            if not line:
                return
            yield line


@contextmanager
def _raw(path: str) -> Generator[IO[bytes]]:
    if path == "-":
        yield sys.stdin.buffer
        return
    if not Path(path).is_file():
        raise UserError(f"{path}: there is no such file; give a log as JSON lines (plain, .gz or .zst), or - for stdin")
    with Path(path).open("rb") as file:
        yield file


def _unpacked(raw: IO[bytes]) -> IO[bytes]:
    buffered: Any = raw if hasattr(raw, "peek") else io.BufferedReader(cast(Any, raw))
    start: bytes = buffered.peek(4)[:4]
    if start.startswith(_GZIP):
        return cast(IO[bytes], gzip.open(buffered))
    if start == _ZSTD:
        return cast(IO[bytes], io.BufferedReader(_Zstd(buffered)))
    return cast(IO[bytes], buffered)


class _Zstd(io.RawIOBase):
    """Frames of zstd, one after another. Raises EOFError where the file ends inside one, zlib.error at damage."""

    def __init__(self, raw: IO[bytes]) -> None:
        try:
            import zstandard
        except ImportError:
            raise UserError("zstd needs an extra: pip install 'tradewind[files]'") from None
        self._error: type[Exception] = zstandard.ZstdError
        self._new: Callable[[], Any] = zstandard.ZstdDecompressor().decompressobj
        self._raw = raw
        self._frame: Any = None
        self._packed = b""
        self._plain = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._plain:
            if not self._packed:
                self._packed = self._raw.read(1 << 16)
            if not self._packed:
                if self._frame is not None:
                    raise EOFError("the file ends inside a zstd frame")
                return 0
            self._unpack()
        count = min(len(buffer), len(self._plain))
        buffer[:count], self._plain = self._plain[:count], self._plain[count:]
        return count

    def _unpack(self) -> None:
        self._frame = self._frame or self._new()
        try:
            self._plain = memoryview(self._frame.decompress(self._packed))
        except self._error as error:
            raise zlib.error(str(error)) from error
        self._packed = self._frame.unused_data if self._frame.eof else b""
        if self._frame.eof:
            self._frame = None
