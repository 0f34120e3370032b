"""Weights as a file: safetensors with a header of plain words. Nothing in it is ever executed.

A file that is none, has another schema, or bytes of another hash than it should have, is refused with the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import orjson
from safetensors import SafetensorError
from safetensors.numpy import load as read_tensors  # pyright: ignore[reportUnknownVariableType] # typed below
from safetensors.numpy import save as write_tensors

MAX_BYTES: Final = 64 * 1024 * 1024
_HEADER: Final = 8  # bytes that hold the length of the header

Array = npt.NDArray[Any]


class ArtefactError(ValueError):
    """Why a file isn't taken: one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """Arrays by name, what is said of them, and the hash of the bytes that hold both."""

    tensors: dict[str, Array]
    about: dict[str, str]
    sha256: str


def pack(tensors: Mapping[str, Array], about: Mapping[str, str]) -> bytes:
    """The bytes of an artefact: the same ones for the same contents. `about` must name its `schema`."""
    if "schema" not in about:
        raise ArtefactError("an artefact must say which schema it has")
    # Not ascontiguousarray: it would make an array of one of a single number.
    return _canonical(write_tensors({name: np.asarray(x, order="C") for name, x in tensors.items()}, dict(about)))


def _canonical(raw: bytes) -> bytes:
    """The same safetensors with the words of its header in order: the library writes them in any."""
    end = _HEADER + int.from_bytes(raw[:_HEADER], "little")
    header = orjson.dumps(orjson.loads(raw[_HEADER:end]), option=orjson.OPT_SORT_KEYS)
    header += b" " * (-len(header) % 8)  # tensors begin on whole words
    return len(header).to_bytes(_HEADER, "little") + header + raw[end:]


def unpack(raw: bytes, *, schema: str, expected: str | None = None) -> Artefact:
    """Read an artefact of this schema, and, where it is `expected`, of this sha256. Raises ArtefactError."""
    if len(raw) > MAX_BYTES:
        raise ArtefactError(f"the artefact has {len(raw)} bytes; no more than {MAX_BYTES} are read")
    digest = sha256(raw).hexdigest()
    if expected is not None and digest != expected:
        raise ArtefactError(f"the artefact's sha256 is {digest}, not {expected}: it was damaged or replaced")
    try:
        tensors: dict[str, Array] = read_tensors(raw)
        header = orjson.loads(raw[_HEADER : _HEADER + int.from_bytes(raw[:_HEADER], "little")])
    except (SafetensorError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ArtefactError(f"not a safetensors artefact: {error}") from error
    about = cast(dict[str, str], header.get("__metadata__") or {})
    if about.get("schema") != schema:
        raise ArtefactError(f"the artefact has schema {about.get('schema')!r}, not {schema!r}")
    return Artefact(tensors=tensors, about=about, sha256=digest)


def save(path: Path, tensors: Mapping[str, Array], about: Mapping[str, str]) -> str:
    """Write an artefact, whole or not at all. Returns its sha256."""
    raw = pack(tensors, about)
    beside = path.with_suffix(".part")
    beside.write_bytes(raw)
    beside.replace(path)
    return sha256(raw).hexdigest()


def load(path: Path, *, schema: str, expected: str | None = None) -> Artefact:
    """Read an artefact from a file. Raises ArtefactError."""
    if not path.is_file():
        raise ArtefactError(f"{path} is not there")
    if path.stat().st_size > MAX_BYTES:
        raise ArtefactError(f"{path} is larger than {MAX_BYTES} bytes")
    return unpack(path.read_bytes(), schema=schema, expected=expected)
