"""`tradewind worker`: run agents until told to stop."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from infra.errors import UserError

if TYPE_CHECKING:
    from infra.settings import Settings

app: Final = typer.Typer(add_completion=False)

Agents = Annotated[
    str | None,
    typer.Option(help="Only these agents, by name, separated by commas.", show_default="all but the learner"),
]
WithLearner = Annotated[
    bool, typer.Option("--with-learner", help="Learn in this process too. Then run one worker only, and no learner.")
]
Servers = Annotated[str | None, typer.Option("--bootstrap-servers", help="The Kafka brokers, host:port.")]
Prefix = Annotated[str | None, typer.Option(help="Put before the name of every topic.")]


@app.command()
def worker(
    *,
    agents: Agents = None,
    with_learner: WithLearner = False,
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """Make and check the topics, then run the agents until SIGTERM or Ctrl-C.

    Start as many of these as there are cores: they share the partitions. Prints `ready: …` once every partition that
    fell to it has its state. A worker may be killed at any time: no action is lost, and none happens twice.
    `tradewind learner`, started once beside them, learns from what they experience.
    """
    from infra import logs, settings

    loaded = settings.load(bootstrap_servers=bootstrap_servers, prefix=prefix)
    logs.follow(loaded)
    if with_learner and agents is not None:
        raise UserError("--with-learner goes without --agents: name `learner` among the agents instead")
    _run(loaded, agents, with_learner=with_learner)


def _run(loaded: "Settings", names: str | None, *, with_learner: bool) -> None:
    from agents.wiring import FLOWS, SERVING
    from infra import provision
    from infra.mapping.intake import intakes
    from infra.mapping.load import rules_of
    from infra.replay.cast import chosen
    from infra.serving.app import group_of
    from infra.serving.throttle import Throttled
    from infra.serving.worker import serve

    # Before the agents: a wrong address shall not wait for torch to be imported.
    share = loaded.learner_cpu_share
    usual = FLOWS if with_learner else SERVING
    wanted = list(usual) if names is None else [name.strip() for name in names.split(",")]
    given = intakes(rules_of(loaded))
    taking = [intake for intake in given if names is None or intake.name in wanted]
    provision.ensure(loaded, [*(flow for name, flow in FLOWS.items() if name in wanted), *taking])
    own = [name for name in wanted if name not in {intake.name for intake in taking}]
    agents = chosen(",".join(own), loaded)
    beside = [Throttled(one, share, alone=False) if one.name == "learner" else one for one in agents]
    cast = [*beside, *taking]
    group = group_of(loaded, [agent.name for agent in cast], [*SERVING, *(intake.name for intake in given)])
    serve(loaded, cast, group=group, announce=lambda text: print(text, flush=True))
