"""A promotion as a person asks for it: the evidence read and ruled on, or a reason to go without."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time

from infra.errors import UserError
from infra.history.times import duration
from infra.judging.evidence import Named
from infra.report.opened import opened
from infra.versions.promotion import UNPROVEN, Digest, digest, ruling
from policies.version import PolicyVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of a promotion. `which` is how the version was named."""

    which: str
    evidence: Sequence[Path]
    max_age: str
    force: bool
    reason: str


def proof(serving: PolicyVersion, version: PolicyVersion, asked: Asked) -> tuple[Digest | None, str]:
    """What is kept with the promotion, and its reason. Raises UserError: what speaks against it.

    The version that serves may be promoted for a reason alone: that ends a hold, and changes no decision.
    """
    reason = asked.reason.strip()
    if asked.force and not reason:
        raise UserError("--force needs --reason: it goes on record")
    if asked.evidence:
        return _ruled(serving, version, asked, reason)
    if version.sha256 == serving.sha256 and reason:
        return None, reason
    if not asked.force:
        raise UserError(
            f"a promotion needs evidence that the version earns more: `tradewind replay --policy "
            f"{serving.number},{asked.which} --json > evidence.json`, or for orders and bids `tradewind what-if stock "
            f"--policy live,{asked.which} --report evidence.json`, then --evidence evidence.json, once for each file; "
            'without it, --force --reason "…" goes on record'
        )
    return UNPROVEN, reason


def _ruled(serving: PolicyVersion, version: PolicyVersion, asked: Asked, reason: str) -> tuple[Digest, str]:
    found = [opened(path) for path in asked.evidence]
    given, names = [one.evidence for one in found], " and ".join(str(path) for path in asked.evidence)
    made = ruling(
        given,
        Named(number=version.number, sha256=version.sha256),
        Named(number=serving.number, sha256=serving.sha256),
        now=int(time() * 1000),
        max_age=duration(asked.max_age),
        which=asked.which,
    )
    if not made.passed and not asked.force:
        against = " ".join(one if one.endswith(".") else f"{one}." for one in made.refusals)
        raise UserError(
            f'version {version.number} isn\'t promoted on {names}: {against} --force --reason "…" overrides, on record'
        )
    kept = digest(given, made, files=[one.sha256 for one in found])
    return kept, reason or f"on evidence {' and '.join(path.name for path in asked.evidence)}"
