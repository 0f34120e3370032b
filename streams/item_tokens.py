"""What the catalog says of each item as a short vector of whole numbers, in rows beside the table of items.

A token has three segments, each of length one in units of 1/127: the supplied embedding projected onto 18 directions
(Johnson & Lindenstrauss 1984; random signs, Achlioptas 2003), the category and the attributes by signed hashing
(Weinberger et al. 2009) onto 11, and the logarithm of the price as a point on a circle, so that products of two tokens
are cosines. All of an item's numbers are whole before they are added up, so that a token never depends on the order of
a sum, and signs come from a hash, so that every worker has the same ones.

Embeddings of real networks share a large common part that says nothing: the mean over the catalog is taken off when
tokens are read. It is kept as whole sums, and so doesn't depend on the order in which the catalog came.

An item without an embedding and without attributes has no token. An embedding that is zero has no direction, and is
taken for none. Lengths may not be mixed: those of the most frequent length count (of equally many the shorter), the
others are left out (`lengths` tells how many).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import shake_256
from math import cos, fsum, isfinite, log, log2, sin, sqrt
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.item_table import Floats, Rows
from streams.records import CatalogItem

VERSION: Final = "tradewind.token.1"
EMBEDDED, SAID, PRICED = 18, 11, 2
SIZE: Final = EMBEDDED + SAID + PRICED + 1  # the last is 127 where there is a token, for what a product is to add
ONE: Final = 127  # the length of a segment
MOST_ATTRIBUTES: Final = 32  # of an item; by name, further ones say nothing
_FINE: Final = 1 << 20  # an embedding's largest number, as a whole one: 4096 of them still add up exactly
_LARGEST: Final = 1e300  # a number beyond says nothing
_FIRST: Final = 1024

Tokens = npt.NDArray[np.float32]  # of whole numbers: float32 is what multiplies fastest, and exact up to 2²⁴
_Whole = npt.NDArray[np.int64]
_Bytes = npt.NDArray[np.int8]
_WORDS: Final = slice(EMBEDDED, EMBEDDED + SAID)


@dataclass(slots=True)
class _Sum:
    """How many items have a segment, and what they add up to: the mean is the common part that is taken off."""

    total: _Whole
    count: int = 0

    def add(self, segment: _Whole, sign: int) -> None:
        self.total += sign * segment
        self.count += sign

    @property
    def mean(self) -> Floats:
        return np.rint(self.total / max(1, self.count))


@dataclass(slots=True)
class ItemTokens:
    """Tokens by row of the item table: 68 bytes each. Whoever puts an item says its row.

    `_said_of` is what the catalog says, `_ready` what is read: it follows when it is asked for, the rows that were put,
    or all of them where the common part has moved by a whole number.
    """

    _said_of: _Bytes = field(default_factory=lambda: np.zeros((_FIRST, SIZE), dtype=np.int8))
    _ready: _Bytes = field(default_factory=lambda: np.zeros((_FIRST, SIZE), dtype=np.int8))
    _length: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(_FIRST, dtype=np.int32))
    _lengths: dict[int, _Sum] = field(default_factory=dict[int, _Sum])  # of embeddings, by how many numbers they have
    _words: _Sum = field(default_factory=lambda: _Sum(np.zeros(SAID, dtype=np.int64)))
    _main: int = 0
    _put: set[int] = field(default_factory=set[int])  # rows that aren't ready
    _common: bytes = b""  # what was taken off when all rows were made ready

    def __bool__(self) -> bool:
        """Whether any item has a token."""
        return bool(self._words.count or self._lengths)

    def knows(self, row: int) -> bool:
        """Whether the item of this row has a token."""
        return row < len(self._length) and bool(self._said_of[row, -1])

    def put(self, row: int, item: CatalogItem | None) -> None:
        """Take in what the catalog says of the item of a row; None where it left the catalog."""
        length, token = (0, None) if item is None else token_of(item)
        if row >= len(self._length):
            if token is None:
                return
            self._grow(row)
        self._count(row, -1)
        self._length[row] = length
        self._said_of[row] = 0 if token is None else token
        self._count(row, 1)
        self._put.add(row)
        self._main = min(self._lengths, key=lambda each: (-self._lengths[each].count, each), default=0)

    def _grow(self, row: int) -> None:
        more = 1 << row.bit_length()
        for name in ("_said_of", "_ready", "_length"):
            old: npt.NDArray[Any] = getattr(self, name)
            grown = np.zeros((more, *old.shape[1:]), dtype=old.dtype)
            grown[: len(old)] = old
            setattr(self, name, grown)

    def _count(self, row: int, sign: int) -> None:
        token, length = self._said_of[row].astype(np.int64), int(self._length[row])
        if length:
            one = self._lengths.setdefault(length, _Sum(np.zeros(EMBEDDED, dtype=np.int64)))
            one.add(token[:EMBEDDED], sign)
            if not one.count:
                del self._lengths[length]
        if token[_WORDS].any():
            self._words.add(token[_WORDS], sign)

    @property
    def lengths(self) -> dict[int, int]:
        """How many items have an embedding of which length: the first one's count, the others are left out."""
        order = sorted(self._lengths, key=lambda each: (-self._lengths[each].count, each))
        return {length: self._lengths[length].count for length in order}

    def read(self, rows: Rows) -> Tokens:
        """The tokens of these rows [n, SIZE]: without the common part, whole numbers; zeros where there is none."""
        self._make_ready()
        if not len(rows) or int(rows.max()) < len(self._ready):
            return self._ready[rows].astype(np.float32)
        inside = rows < len(self._ready)  # the table may hold items that the catalog never named
        return (self._ready[np.where(inside, rows, 0)] * inside[:, None]).astype(np.float32)

    def _make_ready(self) -> None:
        embedded = self._lengths[self._main].mean if self._main else np.zeros(EMBEDDED)
        said = self._words.mean
        common = b"%d" % self._main + embedded.tobytes() + said.tobytes() if self._put else self._common
        if common != self._common:
            self._common = common
            rows: Rows = np.flatnonzero(self._said_of.any(axis=1))
            rows = np.union1d(rows, np.array(sorted(self._put), dtype=np.int64))
        elif self._put:
            rows = np.array(sorted(self._put), dtype=np.int64)
        else:
            return
        self._put.clear()
        token = self._said_of[rows].astype(np.float64)
        has = token.any(axis=1)
        token[:, :EMBEDDED] -= embedded
        token[:, :EMBEDDED] *= (self._length[rows] == self._main)[:, None] * (self._main > 0)
        _normalise(token[:, :EMBEDDED])
        said_of: Floats = token[:, _WORDS]
        any_said = np.abs(said_of).max(axis=1, keepdims=True) > 0
        token[:, _WORDS] = (said_of - said) * any_said
        _normalise(token[:, _WORDS])
        token[:, -1] = ONE * has
        self._ready[rows] = token.astype(np.int8)


def _normalise(segment: Floats) -> None:
    """Bring rows of whole numbers to length 127 [n, s]. Their squares add up exactly, in whatever order."""
    squares = np.einsum("ns,ns->n", segment, segment)
    segment *= (ONE / np.sqrt(np.maximum(squares, 1.0)))[:, None]
    np.rint(segment, out=segment)


def token_of(item: CatalogItem) -> tuple[int, npt.NDArray[np.int8] | None]:
    """How many numbers the item's embedding has (0: none that says anything), and its token; None where it has none."""
    embedded, said = _projected(item.embedding or ()), _hashed(item.attributes, item.category)
    if embedded is None and said is None:
        return 0, None
    token = np.zeros(SIZE, dtype=np.int8)
    if embedded is not None:
        token[:EMBEDDED] = embedded
    if said is not None:
        token[_WORDS] = said
    if item.price is not None and item.price > 0:
        angle = log(item.price)
        token[EMBEDDED + SAID : -1] = round(ONE * cos(angle)), round(ONE * sin(angle))
    token[-1] = ONE
    return (len(item.embedding or ()) if embedded is not None else 0), token


def _projected(embedding: Sequence[float]) -> npt.NDArray[np.int8] | None:
    """An embedding's direction, seen from 18 random ones; None where it has no direction."""
    given = np.array(embedding, dtype=np.float64)
    largest = float(np.abs(given).max(initial=0.0))
    if not (largest > 0.0 and isfinite(largest)):
        return None
    return _direction(_signs(len(given)) @ np.rint(given / largest * _FINE))


@lru_cache(maxsize=4)
def _signs(length: int) -> Floats:
    """±1 [EMBEDDED, length], from a hash of the version and the length."""
    return _bits(f"{VERSION}/{length}", EMBEDDED * length).reshape(EMBEDDED, length)


def _hashed(attributes: Mapping[str, Any], category: str) -> npt.NDArray[np.int8] | None:
    """The direction of what is said in words; None where there are no attributes: a category alone is known anyway."""
    words = [word for name in sorted(attributes)[:MOST_ATTRIBUTES] for word in _words(name, attributes[name])]
    if not words:
        return None
    if category:
        words.append(f"category={category}")
    return _direction(np.add.reduce([_signs_of(word) for word in words]))


def _words(name: str, value: Any) -> Iterator[str]:
    """An attribute as words. Numbers by their size in powers of two; what lies deeper than a list says nothing."""
    for one in (value if isinstance(value, list) else [value])[:MOST_ATTRIBUTES]:  # pyright: ignore[reportUnknownVariableType] # what JSON holds
        if isinstance(one, str | bool):
            yield f"{name}={one}"
        elif isinstance(one, int | float) and abs(one) < _LARGEST:
            yield f"{name}~{'-' if one < 0 else ''}{round(log2(abs(one))) if one else 'zero'}"


@lru_cache(maxsize=4096)
def _signs_of(word: str) -> Floats:
    """±1 [SAID], from a hash of the word."""
    return _bits(f"{VERSION}/{word}", SAID)


def _bits(name: str, count: int) -> Floats:
    raw = np.frombuffer(shake_256(name.encode("utf-8", "surrogatepass")).digest(count // 8 + 1), dtype=np.uint8)
    return 1.0 - 2.0 * np.unpackbits(raw)[:count].astype(np.float64)


def _direction(vector: Floats) -> npt.NDArray[np.int8] | None:
    """A vector of whole numbers as one of length 127; None where it is zero."""
    length = sqrt(fsum(each * each for each in vector.tolist()))
    return np.rint(vector * (ONE / length)).astype(np.int8) if length > 0.0 else None
