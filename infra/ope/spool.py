"""The usable rows of a log, as numbers in temporary files, read over and over a block at a time.

Memory doesn't grow with the log but for what it takes to look for duplicates: about 150 bytes a row at most, once.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from struct import Struct
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Final, NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt

from infra.ope.decision import Row
from infra.ope.situation import Situation
from policies.estimators.logged import Floats, Hashes, Truths

BLOCK: Final = 65_536  # rows at once, or fewer that say as much as this:
MOST_SAID: Final = 1_000_000  # names with their numbers, in what rows say beside their own: about 100 MB
_HEAD: Final = np.dtype([("id", "V16"), ("content", "<u8"), ("cluster", "<u8"), ("slots", "<u4"), ("modelled", "?")])
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[Situation | None])
_SIZES: Final = Struct("<QQ")  # of a block: rows, and bytes of what they say
_COLUMNS: Final = 5  # of each slot: reward, propensity, target propensity, q, v


class Block(NamedTuple):
    """Rows of one kind: decisions have one slot."""

    numbers: Floats  # [n, 5, k] NaN beyond a slate's length
    cluster: Hashes  # [n]
    slots: npt.NDArray[np.int64]  # [n]
    modelled: Truths  # [n]
    situations: list[Situation | None]  # n of them


class Spool:
    """Rows are added in order; then `keep` says which of them count, and `blocks` gives those, in order."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="tradewind-ope-")))
        self._heads = self._stack.enter_context((self._folder / "heads").open("w+b"))
        self._numbers = self._stack.enter_context((self._folder / "numbers").open("w+b"))
        self._situations = self._stack.enter_context((self._folder / "situations").open("w+b"))
        self._waiting: list[Row] = []
        self._said = 0  # names with their numbers, in those that wait
        self.longest = 0  # slots
        self._kept: Truths | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def add(self, row: Row) -> None:
        """Takes a row."""
        self._waiting.append(row)
        self.longest = max(self.longest, row.slots or 1)
        self._said += _said_by(row.situation)
        if len(self._waiting) >= BLOCK or self._said >= MOST_SAID:
            self._write()

    def _write(self) -> None:
        rows, self._waiting, self._said = self._waiting, [], 0
        heads = np.zeros(len(rows), dtype=_HEAD)
        heads["id"] = np.frombuffer(b"".join(row.id for row in rows), dtype="V16")
        heads["content"] = np.frombuffer(b"".join(row.content for row in rows), dtype="<u8")
        heads["cluster"] = np.frombuffer(b"".join(row.cluster for row in rows), dtype="<u8")
        heads["slots"] = [row.slots or 1 for row in rows]
        heads["modelled"] = [row.modelled for row in rows]
        self._heads.write(heads.tobytes())
        told = _ENCODER.encode([row.situation for row in rows])
        self._situations.write(_SIZES.pack(len(rows), len(told)) + told)
        self._numbers.write(np.array([x for row in rows for x in row.numbers], dtype="<f8").tobytes())

    def without_duplicates(self) -> dict[str, int]:
        """Keeps one of rows that say the same of one decision, none of rows that differ. The counts of what goes."""
        if self._waiting:
            self._write()
        self._heads.flush()
        self._numbers.flush()
        self._situations.flush()
        heads = np.fromfile(self._folder / "heads", dtype=_HEAD)
        halves = heads["id"].copy().view("<u8").reshape(-1, 2)
        order = np.lexsort((halves[:, 1], halves[:, 0]))  # stable: of the same decision the first line comes first
        same = (halves[order][1:] == halves[order][:-1]).all(axis=1)
        group = np.cumsum(np.concatenate([[True], ~same])) - 1 if len(order) else np.zeros(0, dtype=np.int64)
        groups = int(group[-1]) + 1 if len(group) else 0
        content = heads["content"][order]
        first = np.flatnonzero(np.concatenate([[True], ~same])) if len(order) else np.zeros(0, dtype=np.int64)
        differs = np.bincount(group, weights=content != content[first][group], minlength=groups) > 0
        repeated = np.concatenate([[False], same]) if len(order) else np.zeros(0, dtype=np.bool_)
        kept = np.zeros(len(order), dtype=np.bool_)
        kept[order] = ~repeated & ~differs[group]
        self._kept = kept
        return {
            "conflicting-duplicate": int(differs[group].sum()),
            "duplicate": int((repeated & ~differs[group]).sum()),
        }

    def blocks(self) -> Iterator[Block]:
        """What is kept, in blocks as they were written."""
        with (
            (self._folder / "heads").open("rb") as heads,
            (self._folder / "numbers").open("rb") as numbers,
            (self._folder / "situations").open("rb") as situations,
        ):
            start = 0
            while sizes := situations.read(_SIZES.size):
                rows, length = _SIZES.unpack(sizes)
                found = np.frombuffer(heads.read(rows * _HEAD.itemsize), dtype=_HEAD)
                slots = found["slots"].astype(np.int64)
                flat = np.frombuffer(numbers.read(int(slots.sum()) * _COLUMNS * 8), dtype="<f8")
                kept = np.ones(len(found), dtype=np.bool_) if self._kept is None else self._kept[start:][: len(found)]
                start += len(found)
                told = _DECODER.decode(situations.read(length))
                yield Block(
                    numbers=_padded(flat, slots, self.longest)[kept],
                    cluster=found["cluster"].astype(np.uint64)[kept],
                    slots=slots[kept],
                    modelled=found["modelled"][kept],
                    situations=[one for one, stays in zip(told, kept.tolist(), strict=True) if stays],
                )


def _padded(flat: Floats, slots: npt.NDArray[np.int64], longest: int) -> Floats:
    """[Σ 5k] → [n, 5, longest], NaN beyond a row's slots."""
    filled = np.broadcast_to((np.arange(longest) < slots[:, None])[:, None, :], (len(slots), _COLUMNS, longest))
    numbers = np.full(filled.shape, np.nan)
    numbers[filled] = flat
    return numbers


def _said_by(told: Situation | None) -> int:
    return 0 if told is None else len(told.context or ()) + len(told.target or ())
