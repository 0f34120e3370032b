"""A promotion as a person asks for it: the evidence read and ruled on, or a reason to go without."""

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
    evidence: Path | None
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
    if asked.evidence is not None:
        return _ruled(serving, version, asked, reason)
    if version.sha256 == serving.sha256 and reason:
        return None, reason
    if not asked.force:
        raise UserError(
            f"a promotion needs evidence that the version earns more: `tradewind replay --policy "
            f"{serving.number},{asked.which} --json > evidence.json`, or for orders and bids `tradewind what-if stock "
            f"--policy live,{asked.which} --report evidence.json`, then --evidence evidence.json; without it, "
            '--force --reason "…" goes on record'
        )
    return UNPROVEN, reason


def _ruled(serving: PolicyVersion, version: PolicyVersion, asked: Asked, reason: str) -> tuple[Digest, str]:
    path = asked.evidence or Path()
    found = opened(path)
    made = ruling(
        found.evidence,
        Named(number=version.number, sha256=version.sha256),
        Named(number=serving.number, sha256=serving.sha256),
        now=int(time() * 1000),
        max_age=duration(asked.max_age),
    )
    if not made.passed and not asked.force:
        against = " ".join(one if one.endswith(".") else f"{one}." for one in made.refusals)
        raise UserError(
            f'version {version.number} isn\'t promoted on {path}: {against} --force --reason "…" overrides, on record'
        )
    kept = digest(found.evidence, made, file_sha256=found.sha256)
    return kept, reason or f"on evidence {path.name}"
