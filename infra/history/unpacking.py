"""The bytes of a file in pieces, unpacked: plain, gzip or zstd, told by how it begins and not by its name."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from infra.errors import UserError

PIECE: Final = 256 * 1024
_PACKED_PIECE: Final = 16 * 1024  # of zstd, whose pieces are unpacked whole: 128 KiB a block at most
GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"


class BrokenError(Exception):
    """The file can't be unpacked any further: it ends in the middle (`truncated`), or is damaged there (`corrupt`)."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def pieces(raw: IO[bytes], path: Path, start: int, size: int) -> Iterator[bytes]:
    """The unpacked bytes from `start` on; of a plain file, which may be growing, up to `size`.

    Raises BrokenError after what can be read before it, or OSError.
    """
    magic = raw.read(len(ZSTD))
    raw.seek(0)
    if magic.startswith(GZIP):
        yield from _after(start, _gunzipped(raw))
    elif magic == ZSTD:
        yield from _after(start, _unzstd(raw, path))
    else:
        raw.seek(start)
        while piece := raw.read(min(PIECE, max(size - raw.tell(), 0))):
            yield piece


def _after(start: int, unpacked: Iterator[bytes]) -> Iterator[bytes]:
    left = start
    for piece in unpacked:
        if left < len(piece):
            yield piece[left:] if left else piece
        left = max(0, left - len(piece))


def _gunzipped(raw: IO[bytes]) -> Iterator[bytes]:
    with gzip.open(raw) as file:
        try:
            while piece := file.read1(PIECE):
                yield piece
        except EOFError as error:
            raise BrokenError("truncated", "the gzip file ends in the middle") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise BrokenError("corrupt", f"the gzip file is damaged: {error}") from error


def _unzstd(raw: IO[bytes], path: Path) -> Iterator[bytes]:
    """Frame after frame. The library's own reader ends quietly in the middle of one."""
    zstandard = library(path)
    unpacker: Any = zstandard.ZstdDecompressor()
    frame: Any = None
    packed = b""
    try:
        while packed := packed or raw.read(_PACKED_PIECE):
            frame = frame or unpacker.decompressobj()
            if piece := frame.decompress(packed):
                yield piece
            packed = frame.unused_data if frame.eof else b""
            frame = None if frame.eof else frame
    except zstandard.ZstdError as error:
        raise BrokenError("corrupt", f"the zstd file is damaged: {error}") from error
    if frame is not None:
        raise BrokenError("truncated", "the zstd file ends in the middle")


def library(path: Path) -> Any:
    """zstandard. Raises UserError where it is missing."""
    try:
        import zstandard
    except ImportError as error:
        raise UserError(f"{path} is a zstd file: `pip install 'tradewind[files]'` adds what it needs") from error
    return zstandard
