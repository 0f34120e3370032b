"""How long an event waited for its action over the last minutes: from appended in the log to action readable, in ms."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from infra.measures.recent import Recent

_WAITING: Final = 50_000  # events and actions that still look for each other
_KEPT: Final = 20_000  # waits
WINDOW_MS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """Of the waits in a window, in ms."""

    p50: float
    p99: float
    n: int


@dataclass(slots=True)
class Waits:
    """Event and action may be seen in either order. Only what was appended from `since` on (epoch ms) counts.

    What lay in the log before anyone looked wasn't waited for by this reader.
    """

    since: int | None = None
    _asked: Recent[int] = field(default_factory=lambda: Recent[int](_WAITING))
    _answered: Recent[int] = field(default_factory=lambda: Recent[int](_WAITING))
    _waits: deque[tuple[int, int]] = field(default_factory=lambda: deque[tuple[int, int]](maxlen=_KEPT))

    def asked(self, event_id: str, appended: int) -> None:
        if self.since is None or appended < self.since:
            return
        received = self._answered.take(event_id)
        if received is None:
            self._asked.put(event_id, appended)
        else:
            self._waits.append((received, max(0, received - appended)))

    def answered(self, event_id: str, received: int) -> None:
        if self.since is None:
            return
        appended = self._asked.take(event_id)
        if appended is None:
            self._answered.put(event_id, received)
        else:
            self._waits.append((received, max(0, received - appended)))

    def quantiles(self, now: int, window_ms: int = WINDOW_MS) -> Quantiles | None:
        """Of what became readable within the window before `now`; None where nothing did."""
        waits = sorted(wait for received, wait in self._waits if now - window_ms < received <= now)
        if not waits:
            return None
        n = len(waits)
        return Quantiles(p50=waits[(n - 1) // 2], p99=waits[min(n - 1, -(-99 * n // 100) - 1)], n=n)

    def series(self, now: int, steps: int, step_ms: int) -> list[Quantiles | None]:
        """The same by steps that end with the last whole one before `now`, oldest first."""
        end = now // step_ms * step_ms
        return [self.quantiles(end - step_ms * back, step_ms) for back in reversed(range(steps))]
