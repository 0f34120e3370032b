"""`tradewind replay`: what was decided is judged, or (with `--events` alone) the agents decide recorded events anew."""

import shlex
import sys
from pathlib import Path
from time import perf_counter, time
from typing import TYPE_CHECKING, Annotated, Final, Literal

import orjson
import typer

from infra.errors import UserError

if TYPE_CHECKING:
    from infra.judging.evidence import Evidence, Reproduced, Verified

app: Final = typer.Typer(add_completion=False)

Events = Annotated[
    Path | None, typer.Option(help="A history of `tradewind export` instead of a cluster: a file, or a directory.")
]
Out = Annotated[Path | None, typer.Option(help="Write what the agents put out here, one file a topic.")]
Agents = Annotated[str | None, typer.Option(help="Only these agents, by name, separated by commas.")]
Batch = Annotated[int, typer.Option(min=1, max=100_000, help="Events in one batch.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object last instead of the summary.")]
Since = Annotated[
    str | None, typer.Option("--from", help="What was logged from then on: RFC 3339, epoch ms or last=7d.")
]
Until = Annotated[str | None, typer.Option("--to", help="What was logged before then; outcomes may come later.")]
Topics = Annotated[str | None, typer.Option(help="Read these topics too, separated by commas.")]
Policy = Annotated[
    str | None,
    typer.Option(
        help="Judge these on the decision log, separated by commas: logged, serving, shipped, a version's number or "
        "file, greedy[:NUMBER], uniform, popularity."
    ),
]
Verify = Annotated[bool, typer.Option("--verify", help="Check the log: every decision again, and the whole run twice.")]
Workers = Annotated[int, typer.Option(min=1, max=256, help="Processes that share the partitions.")]
Engine = Annotated[Literal["processes", "ray"], typer.Option(help="What the workers run on.")]
Checkpoint = Annotated[
    Path | None, typer.Option(help="Keep how far it is in this file, and go on from there if it exists.")
]
Report = Annotated[
    Path | None, typer.Option(help="Write the report here: a page that needs no network, or evidence alone as .json.")
]
Servers = Annotated[str | None, typer.Option("--bootstrap-servers", help="The Kafka brokers, host:port.")]
Prefix = Annotated[str | None, typer.Option(help="Put before the name of every topic.")]


@app.command()
def replay(  # noqa: PLR0913 # each is an option
    *,
    since: Since = None,
    until: Until = None,
    topics: Topics = None,
    policy: Policy = None,
    verify: Verify = False,
    report: Report = None,
    events: Events = None,
    out: Out = None,
    agents: Agents = None,
    batch: Batch = 500,
    workers: Workers = 1,
    engine: Engine = "processes",
    checkpoint: Checkpoint = None,
    as_json: AsJson = False,
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """Judge policies on what was decided, verify a decision log, or run the agents over recorded events.

    What would version 7 have earned on last month's topics, and how sure are we?

    tradewind replay --from last=30d --policy serving,7 --report report.html

    `tradewind policies promote 7 --evidence report.html` then goes by it.

    Is the log true? Every logged decision is made again; exit code 1 if one differs.

    tradewind replay --verify --json

    tradewind replay --events history.jsonl.gz --policy shipped,uniform --workers 4

    With `--events` alone the agents decide anew, and are measured:

    tradewind replay --events history.jsonl.gz --json
    """
    from infra.serving.tuning import settle

    settle()
    if policy is None and not verify:
        judging: dict[str, object] = {
            "--from": since,
            "--to": until,
            "--topics": topics,
            "--checkpoint": checkpoint,
            "--report": report,
        }
        _refuse_without_policy(judging)
        if events is None:
            raise UserError("say what to replay: --policy or --verify judges a decision log, --events FILE runs agents")
        _run_agents(events, out=out, agents=agents, batch=batch, as_json=as_json)
        return
    for name, given in (("--out", out), ("--agents", agents)):
        if given is not None:
            raise UserError(f"{name} is for running agents over --events: leave out --policy and --verify")
    from infra.history.times import between
    from infra.judging import run, source
    from infra.report import written
    from infra.settings import load

    if report is not None:
        written.check(report)
    first, end = between(since, until, now=int(time() * 1000))
    reading = {"--events": events, "--from": since, "--to": until, "--topics": topics}
    asked = source.Asked(
        policies="logged" if policy is None else policy,
        since=first,
        until=end,
        topics=source.topics_of(topics),
        events=events,
        verify=verify,
        workers=workers,
        engine=engine,
        checkpoint=checkpoint,
        go_on=shlex.join(["tradewind", "replay", *sys.argv[2:]]),
        written={name: str(given) for name, given in reading.items() if given is not None},
    )
    evidence = run.judged(load(bootstrap_servers=bootstrap_servers, prefix=prefix), asked)
    if report is not None:
        written.write(report, evidence)
    _tell(evidence, as_json=as_json, gate=verify)


def _refuse_without_policy(given: dict[str, object]) -> None:
    for name, value in given.items():
        if value is not None:
            raise UserError(f"{name} is for judging a decision log: add --policy NAME or --verify")


def _run_agents(events: Path, *, out: Path | None, agents: str | None, batch: int, as_json: bool) -> None:
    from rich.console import Console

    from infra.mapping.entrance import entrance_of
    from infra.measures.summary import show
    from infra.replay.cast import chosen
    from infra.replay.history import replayed
    from infra.settings import load

    loaded = load()
    cast = chosen(agents, loaded)
    began = perf_counter()
    made = replayed(events, cast, batch=batch, out=out, entrance=entrance_of(loaded))
    made.scoreboard.took(perf_counter() - began)
    if as_json:
        print(orjson.dumps(made.result()).decode())
        return
    show(made.result(), Console())


def _tell(evidence: "Evidence", *, as_json: bool, gate: bool) -> None:
    from infra.judging.run import as_json as line

    if as_json:
        print(line(evidence).decode())
    else:
        _show(evidence)
    if gate and evidence.verified is not None and not evidence.verified.passed:
        raise typer.Exit(1)


_MEANS: Final = {
    "line-unreadable: truncated": " (a file ends in the middle: what followed isn't in these figures)",
    "line-unreadable: corrupt": " (a file is damaged: what followed isn't in these figures)",
}


def _show(evidence: "Evidence") -> None:
    from infra.judging.assemble import sentences
    from infra.judging.read_out import sentences as of_experiments

    read = sum(evidence.read.values())
    print(
        f"{read:,} messages read, {evidence.judged:,} decisions judged ({evidence.events_per_second:,.0f} messages/s)"
    )
    for name, count in evidence.left_out.items():
        print(f"  {count:,} {name}{_MEANS.get(name, '')}")
    for domain, logged in evidence.logged.items():
        value = "?" if logged.value.value is None else f"{logged.value.value:.4g}"
        print(f"logged, {domain}: {value} a decision over {logged.decisions:,} decisions")
    for line in (*sentences(evidence.candidates), *of_experiments(evidence.experiments, evidence.shadows)):
        print(line)
    if evidence.verified is not None:
        _show_verified(evidence.verified)


def _show_verified(found: "Verified") -> None:
    made = found.recomputed
    print(f"made again from the log: {made.equal:,} of {made.decisions:,} decisions are as logged")
    for name, count in (*made.unable.items(), *made.differing.items()):
        print(f"  {count:,} {name}")
    if made.first is not None:
        print(f"  first: {_told(made.first)}")
    if found.reproduced is not None:
        _show_reproduced(found.reproduced)


def _show_reproduced(found: "Reproduced") -> None:
    print(f"the run again from its inputs: {found.equal:,} of {found.decisions:,} decisions come out as they did")
    for name, count in found.causes.items():
        print(f"  {count:,} {name}")
    if found.first is not None:
        print(f"  first: {_told(found.first)}")
    print(f"  two such runs are {'the same bytes' if found.runs_equal else 'NOT the same bytes'}")


def _told(found: object) -> str:
    import msgspec

    return orjson.dumps(msgspec.to_builtins(found)).decode()
