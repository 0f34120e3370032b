"""Histories as files, for the tests of this folder."""

import gzip
from collections.abc import Iterable
from pathlib import Path

import zstandard

from infra.history.files import files
from infra.history.lines import write
from infra.history.message import Found, Message, Rejected
from infra.history.part import Part
from infra.history.reading import messages
from infra.history.writing import opened
from streams.topics import DECISIONS, OUTCOMES

AT = 1_483_272_000_000
NAMES = ("h.jsonl", "h.jsonl.gz", "h.jsonl.zst", "h.parquet")


def story(count: int, *, keys: int = 23) -> list[Message]:
    """Decisions and outcomes of some entities, with keys and values of all kinds."""
    values = (b'{"n":1}', None, b"\xff\xfe", b'"text"', b"", b'{\n"a": 1}')
    return [
        Message((DECISIONS, OUTCOMES)[n % 5 % 2], b"e%d" % (n * 7 % keys), values[n % 6], AT + n * 10 - n % 3, n % 4, n)
        for n in range(count)
    ]


def saved(path: Path, given: Iterable[Message]) -> Path:
    with opened(path) as sink:
        for one in given:
            sink.put(one)
    return path


def packed(path: Path, raw: bytes) -> Path:
    """Raw lines, packed as the name says."""
    if path.suffix == ".gz":
        raw = gzip.compress(raw)
    elif path.suffix == ".zst":
        raw = zstandard.ZstdCompressor().compress(raw)
    path.write_bytes(raw)
    return path


def lines(given: Iterable[Message]) -> bytes:
    return b"".join(map(write, given))


def read(part: Part) -> list[Found]:
    with messages(part) as found:
        got = list(found)
        assert found.done == found.total
        return got


def held(path: Path) -> list[Found]:
    return read(files([path]))


def reasons(found: Iterable[Found]) -> list[tuple[str, int, str]]:
    """Of what was no message: reason, number, detail."""
    import json

    letters = [json.loads(one.letter.value or b"") for one in found if isinstance(one, Rejected)]
    return [(one["reason"], one["offset"], one["detail"]) for one in letters]
