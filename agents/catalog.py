"""The catalog agent: looks at the catalog's records in the group, so that a bad one becomes a dead letter, once.

Every worker reads the whole catalog for itself as well; if each of them wrote dead letters there would be many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agents.contract import Input, State, Step
from policies.version import PolicyVersion
from streams.topics import CATALOG, Topic


@dataclass(frozen=True, slots=True)
class Catalog:
    """Keeps nothing and says nothing: that a record could be decoded is all it is for."""

    name: str = "catalog"
    reads: tuple[Topic, ...] = (CATALOG,)
    watches: tuple[Topic, ...] = ()
    emits: tuple[Topic, ...] = ()

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        return Step(writes={}, outputs=[], now=now)


def build() -> Catalog:
    """The catalog agent."""
    return _CATALOG


_CATALOG: Final = Catalog()
