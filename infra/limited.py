"""A file read whole, unless it is larger than what it should hold could be."""

from pathlib import Path

from infra.errors import UserError


def content(path: Path, most: int, what: str) -> bytes:
    """The bytes of a file. Raises UserError where there are more than `most`, or it can't be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(most + 1)  # not what its size says: a pipe has none
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror or error}") from error
    if len(raw) > most:
        raise UserError(f"{path} has over {most} bytes: {what} has no more")
    return raw
