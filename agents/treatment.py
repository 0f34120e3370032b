"""Which version of the policy decides for whom in one step, and what that version says of the domain. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from msgspec.structs import replace

from policies.experiments import Assigned, Experiments, shadow_arm
from policies.version import PolicyVersion
from streams.records import Decision

Prior = TypeVar("Prior")


@dataclass(frozen=True, slots=True)
class Treatment(Generic[Prior]):
    """How one entity is treated: by which version, with what that version knows of the domain."""

    assigned: Assigned
    prior: Prior

    @property
    def version(self) -> PolicyVersion:
        return self.assigned.version

    @property
    def arm(self) -> str:
        return self.assigned.arm

    def explored(self, how: Mapping[str, Any]) -> dict[str, Any]:
        """A decision's `exploration`: `how` it was explored, and the experiment that it is part of."""
        return {**how, **self.assigned.told}


@dataclass(slots=True)
class Treatments(Generic[Prior]):
    """The treatments of one domain in one step. Each version's prior is read once."""

    experiments: Experiments
    domain: str
    serving: PolicyVersion
    read: Callable[[PolicyVersion], Prior]
    _known: dict[str, Prior] = field(default_factory=dict[str, Prior])
    _default: Treatment[Prior] | None = field(init=False)

    def __post_init__(self) -> None:
        usual = self._treatment(Assigned(version=self.serving))
        self._default = None if self.experiments.runs(self.domain) else usual

    def of(self, entity: str) -> Treatment[Prior]:
        """How this entity is treated."""
        return self._default or self._treatment(self.experiments.assign(self.serving, self.domain, entity))

    def shadows(self) -> list[Treatment[Prior]]:
        """What decides beside it, for the log alone."""
        if self._default is not None:
            return []
        return [
            self._treatment(Assigned(version=version, arm=shadow_arm(version)))
            for version in self.experiments.shadows(self.domain)
        ]

    def _treatment(self, assigned: Assigned) -> Treatment[Prior]:
        sha256 = assigned.version.sha256
        if sha256 not in self._known:
            self._known[sha256] = self.read(assigned.version)
        return Treatment(assigned, self._known[sha256])


def shadowed(real: Decision, made: Decision, agreement: float) -> Decision:
    """What a shadow decided beside a real decision, as it is logged; `agreement` is how much it chose alike, 0 to 1.

    Nothing is done about it: it has an id of its own that no action and no outcome names.
    """
    return replace(
        made,
        decision_id=f"{real.decision_id}/{made.arm}",
        exploration=made.exploration | {"shadow_of": real.decision_id, "agreement": agreement},
        attribution_window_ms=0,
    )
