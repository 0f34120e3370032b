"""How long an event waited for its slate: from its timestamp in the log to when the slate was readable, in ms."""

from collections import Counter
from dataclasses import dataclass, field
from math import exp, floor, log
from typing import Any, Final

from infra.measures.recent import Recent

_BINS_PER_E: Final = 100  # a bin is 1% wide
_WAITING: Final = 200_000  # events and slates that still look for each other


@dataclass(slots=True)
class Latency:
    """Quantiles from a histogram of 1% bins. Event and slate may be seen in either order."""

    bins: Counter[int] = field(default_factory=Counter[int])
    _asked: Recent[int] = field(default_factory=lambda: Recent[int](_WAITING))
    _answered: Recent[int] = field(default_factory=lambda: Recent[int](_WAITING))

    def asked(self, event_id: str, at: int) -> None:
        received = self._answered.take(event_id)
        if received is None:
            self._asked.put(event_id, at)
        else:
            self._count(received - at)

    def answered(self, event_id: str, received: int) -> None:
        at = self._asked.take(event_id)
        if at is None:
            self._answered.put(event_id, received)
        else:
            self._count(received - at)

    def result(self) -> dict[str, Any] | None:
        n = self.bins.total()
        return {"p50": self.quantile(0.5), "p99": self.quantile(0.99), "n": n} if n else None

    def quantile(self, share: float) -> float:
        """The bin's middle below which `share` of the waits lie; 0 where there are none."""
        left = share * self.bins.total()
        for place, count in sorted(self.bins.items()):
            left -= count
            if left <= 0:
                return round(exp((place + 0.5) / _BINS_PER_E), 1)
        return 0.0

    def _count(self, waited: int) -> None:
        self.bins[floor(_BINS_PER_E * log(max(waited, 1)))] += 1
