"""Entries as values, the latest used of all tasks of a worker: what a step finds here it needn't decode."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from agents.contract import Decoded

_BESIDE = 200  # bytes that an entry counts for beside its encoded size


class Hot:
    """Bounded by the encoded size of what it holds; the longest unused goes first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: OrderedDict[tuple[str, str], Decoded] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def of(self, task: str) -> "HotOfTask":
        """The part of one task."""
        return HotOfTask(self, task)

    def pop(self, task: str, key: str) -> Decoded | None:
        """Take an entry out: it is the caller's then."""
        found = self._held.pop((task, key), None)
        if found is not None:
            self._bytes -= len(found.raw) + _BESIDE
        return found

    def keep(self, task: str, opened: Mapping[str, Decoded]) -> None:
        """Put entries in, as they were committed."""
        for key, entry in opened.items():
            self.pop(task, key)
            self._held[task, key] = entry
            self._bytes += len(entry.raw) + _BESIDE
        while self._bytes > self._limit and self._held:
            _, oldest = self._held.popitem(last=False)
            self._bytes -= len(oldest.raw) + _BESIDE

    def forget(self, task: str) -> None:
        """Drop all that is one task's."""
        for place in [place for place in self._held if place[0] == task]:
            self.pop(*place)


@dataclass(frozen=True, slots=True)
class HotOfTask:
    """What `agents.contract.State` is given as its memo."""

    hot: Hot
    task: str

    def pop(self, key: str, default: None = None, /) -> Decoded | None:
        return self.hot.pop(self.task, key) or default
