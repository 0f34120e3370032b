"""Dead letters: how many for which reason and of which topic, and the last few of them."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from infra.dashboard.rings import Ring
from streams.records import DeadLetter

_SHOWN: Final = 20
_REASONS: Final = 64  # a closed set; what is beyond it can only be somebody else's
_DETAIL: Final = 240  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One of them. `at` is epoch ms of when it was put aside."""

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    at: int


@dataclass(slots=True)
class Letters:
    total: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])  # by topic and reason
    last: deque[Letter] = field(default_factory=lambda: deque[Letter](maxlen=_SHOWN))
    ring: Ring = field(default_factory=Ring)

    def add(self, letter: DeadLetter, logged_at: int) -> None:
        self.total += 1
        self.ring.add(logged_at)
        place = letter.topic, letter.reason
        self.reasons[place if place in self.reasons or len(self.reasons) < _REASONS else ("", "other")] += 1
        self.last.append(
            Letter(
                topic=letter.topic,
                partition=letter.partition,
                offset=letter.offset,
                reason=letter.reason,
                detail=letter.detail[:_DETAIL],
                at=logged_at,
            )
        )
