"""One SKU's stock through time, put together from two topics that are not read in step. Units; epoch ms."""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Final, Literal

from policies.baselines.lost_sales import Ledger, Shelf

_HELD: Final = 512  # entries that wait, so that what is read late can take its place
_HELD_UNCOUNTED: Final = 64  # the same before the first count, when it isn't known yet whether stock is kept at all

Entry = tuple[int, Literal[0, 1], float]  # at, sale (0) before count (1) of the same moment, units


@dataclass(slots=True)
class Path:
    """`start` is the first count that was read: when, and how much was there."""

    start: tuple[int, float] | None = None
    _waiting: list[Entry] = field(default_factory=list[Entry])
    _shelf: Shelf | None = None

    def sold(self, at: int, quantity: float) -> None:
        self._wait((at, 0, quantity))

    def counted(self, at: int, on_hand: float) -> None:
        if self.start is None or (self._shelf is None and at < self.start[0]):
            self.start = (at, on_hand)
        self._wait((at, 1, on_hand))

    def ledger(self, end: int) -> Ledger:
        """What happened up to `end`; the path itself can go on."""
        shelf = deepcopy(self._shelf)
        for entry in sorted(self._waiting):
            shelf = self._apply(shelf, entry)
        if shelf is None:
            return Ledger()
        shelf.until(end)
        return shelf.ledger

    def _wait(self, entry: Entry) -> None:
        self._waiting.append(entry)
        if self.start is None:
            del self._waiting[:-_HELD_UNCOUNTED]
        elif len(self._waiting) > _HELD:
            self._waiting.sort()
            ready, self._waiting = self._waiting[: _HELD // 2], self._waiting[_HELD // 2 :]
            for one in ready:
                self._shelf = self._apply(self._shelf, one)

    def _apply(self, shelf: Shelf | None, entry: Entry) -> Shelf | None:
        at, kind, units = entry
        if shelf is None:
            return Shelf(units, at) if kind == 1 and self.start is not None and at >= self.start[0] else None
        if kind == 0:
            # What an order says was sold was sold, even where the count had not shown it.
            shelf.until(at)
            shelf.ledger.sold += units
            shelf.put(shelf.on_hand - units)
        elif at >= shelf.at:
            shelf.until(at)
            shelf.put(units)
        return shelf
