"""The experiments that run, with their versions: which version decides for whom. No Kafka, no clock, no dice.

A shadow is a version that decides too, and only for the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from policies.experiment import CONTROL, Experiment, number_of
from policies.version import SHIPPED, PolicyVersion

DEFAULT: Final = "default"  # the arm of whoever is in no experiment
SHADOW: Final = "shadow:"  # begins the arm of a decision that nothing was done about
MISSING: Final = "arm-version-missing"  # the fallback of a decision for which the arm's version wasn't there


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """Which version decides for an entity, and what its decisions say of that.

    `told` goes into a decision's `exploration`; `fallback` is there where the arm's own version wasn't.
    """

    version: PolicyVersion
    arm: str = DEFAULT
    told: Mapping[str, Any] = field(default_factory=dict[str, Any])
    fallback: str | None = None


@dataclass(frozen=True, kw_only=True)
class Experiments:
    """The experiments that run, by domain, and those of their versions that are there, by number."""

    running: Mapping[str, Experiment] = field(default_factory=dict[str, Experiment])
    versions: Mapping[int, PolicyVersion] = field(default_factory=dict[int, PolicyVersion])

    def runs(self, domain: str) -> bool:
        """Whether anything is tried there."""
        return domain in self.running

    def assign(self, serving: PolicyVersion, domain: str, entity: str) -> Assigned:
        """Which version decides for this entity, where `serving` serves."""
        experiment = self.running.get(domain)
        if experiment is None:
            return Assigned(version=serving)
        arm = experiment.arm_of(entity)
        version = serving if arm == CONTROL else self._version(number_of(arm))
        return Assigned(
            version=version or serving,
            arm=f"{experiment.name}/{arm}",
            told=_told(experiment),
            fallback=MISSING if version is None else None,
        )

    def shadows(self, domain: str) -> list[PolicyVersion]:
        """The versions that decide there for the log alone."""
        experiment = self.running.get(domain)
        if experiment is None:
            return []
        found = [self._version(number) for number in experiment.shadows]
        return [version for version in found if version is not None]

    @property
    def missing(self) -> dict[str, list[int]]:
        """By experiment the versions that it takes and that aren't there."""
        lacking = {
            one.name: sorted(number for number in one.numbers if self._version(number) is None)
            for one in self.running.values()
        }
        return {name: numbers for name, numbers in lacking.items() if numbers}

    def _version(self, number: int) -> PolicyVersion | None:
        return SHIPPED if number == 0 else self.versions.get(number)


NONE: Final = Experiments()


def shadow_arm(version: PolicyVersion) -> str:
    """The arm of what a shadow decides."""
    return f"{SHADOW}{version.number}"


def _told(experiment: Experiment) -> dict[str, Any]:
    """What a decision's log says of the experiment that it was made in: enough to read it out."""
    return {"experiment": {"name": experiment.name, "shares": experiment.shares}}
