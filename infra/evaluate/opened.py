"""A file that was named on the command line, whole or compressed. What it holds isn't known here."""

import gzip
import zlib
from pathlib import Path
from typing import IO, Final, cast

UNREADABLE: Final = (OSError, EOFError, zlib.error)  # what reading may raise, a gzip that is cut short or damaged too


def opened(path: Path) -> IO[bytes]:
    """Its bytes; of one whose name ends in .gz, those that were compressed. Raises OSError."""
    return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def why(error: BaseException) -> str:
    """In a few words, why a file can't be read."""
    return getattr(error, "strerror", None) or str(error)
