"""The product's own step, one event at a time, for frameworks that handle one event at a time.

Everything that the agent keeps for one user is one value of the framework's store: that is cheaper for them than an
entry each, since a step looks at several. The user's clock and timers are among it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import torch

from agents.contract import Agent, Input, Output, State
from agents.recommendation import build
from policies.version import SHIPPED
from streams.codec import decode
from streams.times import DAY, HOUR
from streams.topics import USER_EVENTS
from streams.views import Views


@dataclass(slots=True, kw_only=True)
class OneByOne:
    """The agent with the views in hand; `step` takes a user's stored value and one message."""

    views: Views
    agent: Agent = field(default_factory=lambda: build(refresh_interval_ms=HOUR, attribution_window_ms=DAY))
    _decode: Any = field(default_factory=lambda: msgspec.msgpack.Decoder(dict[str, bytes]).decode)
    _encode: Any = field(default_factory=lambda: msgspec.msgpack.Encoder().encode)

    def __post_init__(self) -> None:
        torch.set_num_threads(1)  # as the product's worker does

    def step(
        self, stored: bytes | None, key: bytes, value: bytes, timestamp: int, partition: int, offset: int
    ) -> tuple[list[Output], bytes]:
        """What goes out, and the user's value from now on."""
        name, record = decode(USER_EVENTS, key, value, timestamp)
        entries: dict[str, bytes] = self._decode(stored) if stored else {}
        given = Input(USER_EVENTS, partition, offset, name, record)
        step = self.agent.step(State(entries, self.views), [given], SHIPPED, 0)
        return step.outputs, self._encode(_changed(entries, step.writes))


def _changed(entries: dict[str, bytes], writes: Mapping[str, bytes | None]) -> dict[str, bytes]:
    for name, raw in writes.items():
        if raw is None:
            entries.pop(name, None)
        else:
            entries[name] = raw
    return entries
