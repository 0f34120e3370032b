"""`tradewind forget`: remove what is kept of one person, and say what is left and for how long."""

import asyncio
import logging
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from infra.privacy.proof import Proof
    from infra.settings import Settings

app: Final = typer.Typer(add_completion=False)

Reason = Annotated[str | None, typer.Option(help="Why; it is kept with the request.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done, or only record the request.")]
Timeout = Annotated[float, typer.Option("--timeout-s", min=1, max=86_400, help="How long to wait, in seconds.")]
Servers = Annotated[str | None, typer.Option("--bootstrap-servers", help="The Kafka brokers, host:port.")]
Prefix = Annotated[str | None, typer.Option(help="Put before the name of every topic.")]


@app.command()
def forget(
    *,
    user: Annotated[str, typer.Argument(metavar="USER", help="The user_id, as it stands in the events.")],
    reason: Reason = None,
    wait: Wait = True,
    timeout_s: Timeout = 60.0,
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """Have the running workers remove all that is kept of one user, and wait until it is gone.

    The profile, the open slates and what was learned from this user are removed. Whoever comes back starts anew.
    Exits 1 where it isn't done in time: the request stays recorded, and is met as soon as a worker runs.

    Example: `tradewind forget household-1021 --reason "request of 3 May"`.
    """
    from infra import settings
    from infra.privacy import forget as forgetting

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what goes wrong is said in one sentence
    loaded = settings.load(bootstrap_servers=bootstrap_servers, prefix=prefix)
    proof = asyncio.run(forgetting.forget(loaded, user, reason=reason, wait_s=timeout_s if wait else 0.0, say=_say))
    if wait and proof.waits_for is not None:
        _say(_not_done(proof, timeout_s))
        raise typer.Exit(1)
    print("\n".join(_summary(loaded, proof)))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _not_done(proof: "Proof", timeout_s: float) -> str:
    missing = f"the {proof.waits_for} agent hasn't got to it within {timeout_s:g} s"
    worker = (
        "a worker is committing, so it may only need longer (--timeout-s)"
        if proof.worker_seen
        else "no worker has committed anything meanwhile: is a `tradewind worker` running?"
    )
    return f"Not done yet: {missing}; {worker}. The request is recorded, and is met as soon as a worker gets to it."


def _summary(loaded: "Settings", proof: "Proof") -> list[str]:
    from infra.privacy.keeping import compaction, retention

    return [
        *_outcome(proof),
        "Old values stay on the brokers' disks until the changelogs are compacted:",
        *(f"  {one.topic}: {one.how_long}" for one in compaction(loaded)),
        "Records that name this user, or may, stay on the topics that are only appended to:",
        *(f"  {one.topic}: {one.how_long}" for one in retention(loaded)),
    ]


def _outcome(proof: "Proof") -> list[str]:
    from streams.times import iso

    asked = proof.recorded.request
    request = f"request {asked.erasure_id}, event time {iso(asked.occurred_at)}"
    if proof.waits_for is not None:
        return [f"Recorded: {asked.user_id} ({request}). It is met as soon as a worker gets to it."]
    return [
        f"Forgotten: {asked.user_id} ({request})",
        f"  profile, open slates, beliefs: {proof.recommendation}",
        f"  what the shared prior learned: {proof.learner}",
        "  A policy version that is out keeps what it took from this user until the next one replaces it.",
    ]
