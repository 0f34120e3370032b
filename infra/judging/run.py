"""`tradewind replay` of a decision log, from the options to the evidence."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, time
from typing import Any, Final, Literal, cast

import msgspec

from infra.errors import UserError
from infra.history.checkpoint import State, begun, resumed
from infra.history.engine import run
from infra.history.entering import entered
from infra.history.job import Task
from infra.history.message import Found
from infra.history.part import LogPart, Part
from infra.history.progress import Progress
from infra.history.reading import messages
from infra.judging import assemble, read_out, rivals
from infra.judging.context import Context
from infra.judging.evidence import Evidence, Named, Place, Range, Recomputed, Reproduced, Verified
from infra.judging.judge import Judge
from infra.mapping.entrance import entrance_of
from infra.settings import Settings
from policies.version import PolicyVersion
from streams.topics import BY_NAME, CATALOG, DECISIONS, OUTCOMES, POLICY_VERSIONS, TOPICS, Topic

JOB: Final = "infra.judging.judge:Judge"
JUDGED: Final = (DECISIONS, OUTCOMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asked for. `since` and `until` are epoch ms, by the log's time."""

    policies: str
    since: int | None = None
    until: int | None = None
    topics: Sequence[Topic] = JUDGED
    events: Path | None = None
    verify: bool = False
    workers: int = 1
    engine: Literal["processes", "ray"] = "processes"
    checkpoint: Path | None = None
    go_on: str = ""


@dataclass(slots=True)
class Source:
    """Where the history lies: a cluster, or files. Each part is a frozen cut."""

    settings: Settings
    asked: Asked
    missing: list[str] = field(default_factory=list[str])

    def part(self, topics: Iterable[Topic], since: int | None, until: int | None) -> Part:
        """What the topics hold of a range (epoch ms, by the log's time)."""
        asked = self.asked
        if asked.events is not None:
            from infra.history.files import files

            return files([asked.events], topics=topics, since=since, until=until, beyond=(OUTCOMES,))
        from infra.history.cut import frozen

        cut = frozen(self.settings, topics, since=since, until=until, beyond=(OUTCOMES,))
        self.missing = cut.missing
        return cut.part

    @property
    def name(self) -> str:
        return str(self.asked.events) if self.asked.events is not None else self.settings.bootstrap_servers


def judged(settings: Settings, asked: Asked) -> Evidence:
    """Read the history and say what it comes to. Raises UserError: nothing in the range, no such policy."""
    began = perf_counter()
    source = Source(settings, asked)
    context = Context()
    history = _all(source.part((POLICY_VERSIONS, CATALOG), None, None))
    context.read(entered(history, entrance_of(source.settings)))
    options = {
        "rivals": msgspec.to_builtins(rivals.named(asked.policies, context.versions, context.serving.current)),
        "versions": rivals.packed(context.versions),
        "categories": context.categories,
    }
    task = Task(job=JOB, options=options)
    state = _state(source, task, asked)
    with Progress() as progress:
        ran = run(
            state,
            engine=asked.engine,
            checkpoint=asked.checkpoint,
            go_on=asked.go_on,
            on_progress=progress.so_far,
        )
    judge = cast(Judge, ran.job)
    judge.finish()
    _refuse_nothing(judge, source)
    seconds = perf_counter() - began
    recomputed = assemble.recomputed(judge)
    again = reproduced(source, context) if asked.verify else None
    serving = context.serving.current
    return _evidence(judge, source, state, recomputed, again, serving, seconds=seconds, messages=ran.messages)


def _state(source: Source, task: Task, asked: Asked) -> State:
    if asked.checkpoint is not None and asked.checkpoint.exists():
        return _gone_on_with(asked.checkpoint, task)
    wanted = {topic.name: topic for topic in (*asked.topics, *JUDGED)}
    return begun(source.part(wanted.values(), asked.since, asked.until), task, workers=asked.workers)


def _gone_on_with(checkpoint: Path, task: Task) -> State:
    """The run that was begun, with the versions and the catalog as they were then: a live cluster has newer ones."""
    state = resumed(checkpoint)
    if state.task.job != task.job or _asked_for(state.task) != _asked_for(task):
        raise UserError(f"{checkpoint} is of a run with other policies: give those again, or remove it to start afresh")
    return state


def _asked_for(task: Task) -> list[Any]:
    """The policies of a run; of those that go by what serves, which may have changed meanwhile, the names."""
    moving = {"serving", "greedy", "greedy:serving"}
    return [one["name"] if one["name"] in moving else one for one in task.options.get("rivals", ())]


def _all(part: Part) -> Iterator[Found]:
    with messages(part) as found:
        yield from found


def _refuse_nothing(judge: Judge, source: Source) -> None:
    if judge.gathered.read.get(DECISIONS.name, 0):
        return
    asked = source.asked
    ranged = asked.since is not None or asked.until is not None
    where = " in that range" if ranged else ""
    raise UserError(
        f"{source.name} holds no decisions{where}: judging a policy needs the topics decisions and outcomes"
        + ("; choose another --from and --to" if ranged else "")
    )


def reproduced(source: Source, context: Context) -> Reproduced:
    """Run the recorded agents again, from the start of the history."""
    from infra.judging.reproduce import DECIDING, reproduced
    from infra.replay.cast import chosen

    agents = chosen(",".join(DECIDING), source.settings)
    wanted = {topic for agent in agents for topic in (*agent.reads, *agent.watches)} | set(JUDGED)
    part = source.part([topic for topic in TOPICS if topic in wanted], None, source.asked.until)
    entrance = entrance_of(source.settings)
    return reproduced(lambda: entered(_all(part), entrance), agents, context.versions)


def _evidence(
    judge: Judge,
    source: Source,
    state: State,
    recomputed: Recomputed,
    again: Reproduced | None,
    serving: PolicyVersion,
    *,
    seconds: float,
    messages: int,
) -> Evidence:
    from importlib.metadata import version

    gathered, asked = judge.gathered, source.asked
    left_out = dict(gathered.waiting.counts)
    if gathered.waiting.corrected:
        left_out["corrections-applied"] = gathered.waiting.corrected
    passed = recomputed.equal == recomputed.decisions and (again is None or again.runs_equal)
    return Evidence(
        made_by=f"tradewind {version('tradewind')}",
        made_at=int(time() * 1000),
        serving=Named(number=serving.number, sha256=serving.sha256),
        range=Range(
            since=asked.since,
            until=asked.until,
            first_decision=gathered.first or None,
            last_decision=gathered.last or None,
            source=source.name,
            topics=sorted(gathered.read),
            missing=source.missing,
            places=_places(state),
        ),
        read=dict(sorted(gathered.read.items())),
        judged=gathered.judged,
        left_out=dict(sorted(left_out.items())),
        logged=assemble.logged(gathered.domains),
        candidates=assemble.candidates(judge, serving),
        verified=Verified(
            passed=passed,
            recomputed=recomputed,
            recomputed_share=recomputed.share,
            reproduced=again,
            reproduced_share=None if again is None else again.share,
        ),
        experiments=read_out.experiments(gathered.trials.values()),
        constraints=gathered.bounds.told(),
        shadows=read_out.shadows(gathered.shadows.values()),
        seconds=round(seconds, 3),
        events_per_second=round(messages / seconds, 1),
    )


def _places(state: State) -> list[Place]:
    """The frozen offsets, of a cluster. After a resumption: of what was left then."""
    found: dict[tuple[str, int], Place] = {}
    for kept in state.units:
        part = kept.unit.part
        if isinstance(part, LogPart):
            for one in part.slices:
                found[one.topic, one.partition] = Place(
                    topic=one.topic, partition=one.partition, start=one.start, end=one.end
                )
    return [found[key] for key in sorted(found)]


def topics_of(names: str | None) -> list[Topic]:
    """The topics of these names, separated by commas. Raises UserError."""
    if names is None:
        return list(JUDGED)
    given = [name.strip() for name in names.split(",") if name.strip()]
    for name in given:
        if name not in BY_NAME:
            raise UserError(f"--topics: there is no topic {name!r}: use some of {', '.join(BY_NAME)}")
    return [BY_NAME[name] for name in given]


def as_json(evidence: Evidence) -> bytes:
    """The evidence as one line of JSON."""
    return msgspec.json.encode(cast(Any, evidence))
