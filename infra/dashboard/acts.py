"""What the page can change: which policy version serves, and that a person be forgotten. As the commands do it."""

import asyncio
from typing import Annotated

from pydantic import BaseModel, Field

from agents.versions import Refused, version_of
from infra.errors import UserError
from infra.privacy import forget as forgetting
from infra.settings import Settings
from infra.versions import policy_log
from infra.versions.policy_log import PolicyLog
from infra.versions.promotion import UNPROVEN

Reason = Annotated[str, Field(min_length=1, max_length=500, description="why; it is kept with the act")]


class Promote(BaseModel):
    number: Annotated[int, Field(ge=0, description="the version's number; 0 is what ships")]
    reason: Reason
    hold: Annotated[bool, Field(description="have it serve until the next promotion")] = False


class Rollback(BaseModel):
    reason: Reason
    hold: Annotated[bool, Field(description="take none of the learner's versions until the next promotion")] = True


class Forget(BaseModel):
    user_id: Annotated[str, Field(min_length=1, max_length=256)]
    reason: Reason


class Done(BaseModel):
    """What was done, in words."""

    told: str


async def promote(settings: Settings, asked: Promote) -> Done:
    """Have a version serve. Raises UserError."""
    return await asyncio.to_thread(_promote, settings, asked)


async def rollback(settings: Settings, asked: Rollback) -> Done:
    """Have the version serve that served before. Raises UserError."""
    return await asyncio.to_thread(_rollback, settings, asked)


async def forget(settings: Settings, asked: Forget) -> Done:
    """Record the request; running workers meet it. Raises UserError."""
    proof = await forgetting.forget(settings, asked.user_id, reason=asked.reason, wait_s=0.0, say=lambda _: None)
    request = proof.recorded.request.erasure_id
    return Done(told=f"Recorded as request {request}: it is met as soon as a worker gets to it.")


def _promote(settings: Settings, asked: Promote) -> Done:
    log = policy_log.read(settings)
    try:
        version = version_of(log.find(asked.number))
    except Refused as refused:
        raise UserError(f"version {asked.number} can't serve: {refused}") from refused
    proof = None if version.sha256 == log.serving.current.sha256 else UNPROVEN  # evidence: by the command only
    act = policy_log.act(settings, log, version, "promote", reason=asked.reason, hold=asked.hold, proof=proof)
    return _told(act)


def _rollback(settings: Settings, asked: Rollback) -> Done:
    log = policy_log.read(settings)
    if log.serving.previous is None:
        raise UserError("no version served before this one: promote any by its number")
    return _told(policy_log.act(settings, log, log.serving.previous, "rollback", reason=asked.reason, hold=asked.hold))


def _told(log: PolicyLog) -> Done:
    held = "; it is held until the next promotion" if log.serving.held else ""
    return Done(told=f"Version {log.serving.current.number} serves{held}. Workers take it up between two batches.")
