"""Experiments as a log tells of them: each entity in the arm in which it was last decided for.

Before its first decision that is the arm of it: what it is told by then is already learned by that arm's version.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.judging.clues import Treated
from infra.judging.logged import Versions
from policies.experiments import Assigned, Experiments
from policies.version import PolicyVersion


@dataclass(frozen=True, kw_only=True)
class AsLogged(Experiments):
    """For the agent whose log it is. Shadows don't decide again: nothing came of them."""

    versions_of: Versions
    treated: Mapping[str, Treated | None]
    first: Mapping[tuple[str, str], Treated | None]

    def runs(self, domain: str) -> bool:  # noqa: ARG002 # there is one domain in a task's log
        return True

    def assign(self, serving: PolicyVersion, domain: str, entity: str) -> Assigned:
        told = self.treated.get(entity, self.first.get((domain, entity)))
        if told is None:
            return Assigned(version=serving)
        version = self.versions_of.get(told.policy_hash, serving) if told.apart else serving
        return Assigned(version=version, arm=told.arm, told=told.told, fallback=told.fallback)
