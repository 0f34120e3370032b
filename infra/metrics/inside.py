"""What a process can be asked of itself: the parts that it is made of, seen from outside. Nothing here is changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agents.contract import Agent
from agents.versions import Serving
from infra.metrics.health import Health
from infra.metrics.observed import Observed
from infra.metrics.pulse import Pulse, Watched
from infra.serving.tally import Tally


class Running(Watched, Protocol):
    """A task, as far as it is shown."""

    @property
    def agent(self) -> Agent: ...
    @property
    def partition(self) -> int: ...
    @property
    def begun(self) -> bool: ...
    @property
    def entries(self) -> int: ...
    def entry(self, key: str, /) -> bytes | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """`latest` is the greatest event time, epoch ms; `verdicts` what the gate last found, as evidence by domain."""

    tasks: Callable[[], Sequence[Running]]
    latest: Callable[[], int]
    serving: Serving
    verdicts: Mapping[str, Mapping[str, Any]]
    tally: Tally
    observed: Observed
    pulse: Pulse
    health: Health
