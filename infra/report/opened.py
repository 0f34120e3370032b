"""A report as a file: the JSON of `tradewind replay --json`, or the page that carries the same inside."""

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from infra.errors import UserError
from infra.judging.evidence import Evidence, EvidenceError, read

_MOST_BYTES: Final = 256 * 1024 * 1024
_OPENS: Final = b'<script type="application/json" id="evidence">'
_SCRIPT: Final = re.compile(re.escape(_OPENS) + rb"(.*?)</script>", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The evidence in a file, and the hash of the file's bytes."""

    evidence: Evidence
    sha256: str


def opened(path: Path) -> Opened:
    """The evidence in a file. Raises UserError."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(f"{path} is too large to be a report: more than {_MOST_BYTES // 1024**2} MB")
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror or error}") from error
    try:
        return Opened(evidence=read(_inside(raw)), sha256=sha256(raw).hexdigest())
    except EvidenceError as error:
        raise UserError(f"{path} can't be used: {error}") from error


def _inside(raw: bytes) -> bytes:
    """The JSON: all of it, or what a page carries."""
    if raw.lstrip()[:1] != b"<":
        return raw
    found = _SCRIPT.search(raw)
    if found is None:
        raise EvidenceError("it is a page without evidence inside: use what `tradewind replay --report` wrote")
    return found[1]


def embedded(found: object) -> str:
    """JSON that stands in a page's script: nothing in it can end the script, or begin a comment.

    >>> embedded({"a": "</script>&"})
    '{"a":"\\\\u003c/script\\\\u003e\\\\u0026"}'
    """
    raw = msgspec.json.encode(found).decode()
    for character in "<>&\u2028\u2029":
        raw = raw.replace(character, f"\\u{ord(character):04x}")
    return raw
