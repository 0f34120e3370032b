"""Entries as values, the latest used of all tasks of a worker: what a step finds here it needn't decode."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from agents.contract import Decoded

_BESIDE = 200  # bytes that an entry counts for beside its encoded size


class Hot:
    """Bounded by the encoded size of what it holds; the longest unused goes first.

    A step that is made in a thread takes out what is its task's while other tasks put theirs in.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: OrderedDict[tuple[str, str], Decoded] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._held)

    def of(self, task: str) -> "HotOfTask":
        """The part of one task."""
        return HotOfTask(self, task)

    def pop(self, task: str, key: str) -> Decoded | None:
        """Take an entry out: it is the caller's then."""
        with self._lock:
            return self._pop((task, key))

    def keep(self, task: str, opened: Mapping[str, Decoded]) -> None:
        """Put entries in, as they were committed."""
        with self._lock:
            for key, entry in opened.items():
                self._pop((task, key))
                self._held[task, key] = entry
                self._bytes += len(entry.raw) + _BESIDE
            while self._bytes > self._limit and self._held:
                self._pop(next(iter(self._held)))

    def forget(self, task: str) -> None:
        """Drop all that is one task's."""
        with self._lock:
            for place in [place for place in self._held if place[0] == task]:
                self._pop(place)

    def _pop(self, place: tuple[str, str]) -> Decoded | None:
        found = self._held.pop(place, None)
        if found is not None:
            self._bytes -= len(found.raw) + _BESIDE
        return found


@dataclass(frozen=True, slots=True)
class HotOfTask:
    """What `agents.contract.State` is given as its memo."""

    hot: Hot
    task: str

    def pop(self, key: str, default: None = None, /) -> Decoded | None:
        return self.hot.pop(self.task, key) or default
