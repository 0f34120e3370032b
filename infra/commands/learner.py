"""`tradewind learner`: learn from what the workers experience, beside them."""

from typing import Annotated, Final

import typer

app: Final = typer.Typer(add_completion=False)

Share = Annotated[
    float | None,
    typer.Option(min=0.01, max=1.0, help="The share of one core that it may use. [TRADEWIND_LEARNER_CPU_SHARE]"),
]
Servers = Annotated[str | None, typer.Option("--bootstrap-servers", help="The Kafka brokers, host:port.")]
Prefix = Annotated[str | None, typer.Option(help="Put before the name of every topic.")]


@app.command()
def learner(*, cpu_share: Share = None, bootstrap_servers: Servers = None, prefix: Prefix = None) -> None:
    """Learn from the experiences of all workers, and publish what passes the gate; until SIGTERM or Ctrl-C.

    It is a consumer group of its own. One is enough; a second one waits to take over. It may be killed at any time,
    and goes on where it was: what it knows is in its changelog. Without it, workers go on with the version they have.

    Examples: `tradewind learner`, `tradewind learner --cpu-share 0.1`.
    """
    from infra import logs, settings

    loaded = settings.load(bootstrap_servers=bootstrap_servers, prefix=prefix, learner_cpu_share=cpu_share)
    logs.follow(loaded)

    from agents.wiring import FLOWS
    from infra import provision
    from infra.replay.cast import chosen
    from infra.serving.app import group_of
    from infra.serving.throttle import Throttled
    from infra.serving.worker import serve

    provision.ensure(loaded, [FLOWS["learner"]])
    (agent,) = chosen("learner", loaded)
    beside = loaded.model_copy(update={"state_dir": loaded.state_dir / "learner"})
    serve(
        beside,
        [Throttled(agent, loaded.learner_cpu_share)],
        group=group_of(loaded, ["learner"], FLOWS),
        announce=lambda text: print(text, flush=True),
    )
