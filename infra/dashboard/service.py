"""What one running dashboard has: its settings, its model, its access, and the overview, made once a moment."""

import time
from dataclasses import dataclass, field
from typing import Final

from infra.dashboard import views
from infra.dashboard.access import Access
from infra.dashboard.explained import entities, explained, first
from infra.dashboard.following import Following
from infra.dashboard.model import Model
from infra.dashboard.overview import overview
from infra.settings import Settings
from streams.records import Domain

EVERY_S: Final = 2.0
VIEWERS: Final = 50
_LEAST_REST: Final = 20  # between two looks, in times that a look takes: a large shop is looked at less often


@dataclass(slots=True, kw_only=True)
class Service:
    """`every_s` is the time between two looks at the model, for all viewers together."""

    settings: Settings
    access: Access
    model: Model = field(default_factory=Model)
    following: Following = field(default_factory=Following)
    every_s: float = EVERY_S
    viewers: int = 0
    _made: views.Overview | None = None
    _took_s: float = 0.0  # of a processor, for the last look

    def now(self) -> int:
        """Epoch ms."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    def overview(self) -> views.Overview:
        """Everything, no older than half the time between two looks, where looking is quick."""
        now = self.now()
        if self._made is None or now - self._made.at >= 1000 * max(self.every_s / 2, _LEAST_REST * self._took_s):
            began = time.process_time()
            self._made = overview(self.model, self.following, now)
            self._took_s = time.process_time() - began
        return self._made

    def why(self, domain: Domain, entity: str) -> views.WhyView | None:
        return explained(self.model, domain, entity)

    def entities(self, domain: Domain, count: int = 50) -> views.EntityList:
        return entities(self.model, domain, count)

    def first(self) -> tuple[Domain, str] | None:
        return first(self.model)
