"""A job that is small enough to know what it must do: it counts, sums in floats, and joins decisions to outcomes."""

from typing import Any

import msgspec

from infra.history.message import Found, Rejected
from streams.topics import OUTCOMES


class Sums(msgspec.Struct):
    """Sums of one share, and what waits for its other half."""

    messages: int = 0
    rejected: int = 0
    total: float = 0.0
    order: int = 0  # depends on the order of messages
    joined: int = 0
    decisions: dict[str, int] = {}
    outcomes: dict[str, int] = {}


class Tally:
    """As `infra.history.job.Job` has it."""

    def __init__(self, weight: float = 0.1) -> None:
        self._weight = weight
        self.sums = Sums()

    def add(self, found: Found) -> None:
        sums = self.sums
        if isinstance(found, Rejected):
            sums.rejected += 1
            return
        sums.messages += 1
        key = (found.key or b"").decode(errors="replace")
        sums.total += self._weight * (found.timestamp % 977) / 7
        sums.order = (sums.order * 31 + found.timestamp + len(found.value or b"")) % 1_000_000_007
        self._join(key, found.topic is OUTCOMES)

    def _join(self, key: str, is_outcome: bool) -> None:
        mine, other = self.sums.decisions, self.sums.outcomes
        if is_outcome:
            mine, other = other, mine
        if key in other:
            self.sums.joined += 1
            other[key] -= 1
            if not other[key]:
                del other[key]
        else:
            mine[key] = mine.get(key, 0) + 1

    def dump(self) -> bytes:
        return msgspec.msgpack.encode(self.sums)

    def load(self, raw: bytes) -> None:
        self.sums = msgspec.msgpack.decode(raw, type=Sums)

    def merge(self, raw: bytes) -> None:
        then = msgspec.msgpack.decode(raw, type=Sums)
        sums = self.sums
        sums.messages += then.messages
        sums.rejected += then.rejected
        sums.total += then.total
        sums.joined += then.joined
        sums.order = (sums.order * 31 + then.order) % 1_000_000_007
        for waiting, is_outcome in ((then.decisions, False), (then.outcomes, True)):
            for key, count in waiting.items():
                for _ in range(count):
                    self._join(key, is_outcome)

    def result(self) -> dict[str, Any]:
        return msgspec.to_builtins(self.sums)
