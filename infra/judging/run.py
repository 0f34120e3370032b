"""`tradewind replay` of a decision log, from the options to the evidence."""

import os
from dataclasses import replace
from pathlib import Path
from time import perf_counter, time
from typing import Any, Final, cast

import msgspec

from infra.errors import UserError
from infra.history.checkpoint import State, begun, resumed
from infra.history.engine import run
from infra.history.entering import entered
from infra.history.job import Task
from infra.history.part import LogPart
from infra.history.progress import Progress
from infra.judging import assemble, read_out, rivals
from infra.judging.context import Context
from infra.judging.evidence import Evidence, Named, Place, Range, Recomputed, Reproduced, Verified
from infra.judging.judge import Judge
from infra.judging.source import JUDGED, READING, Asked, Source, found_in
from infra.mapping.entrance import entrance_of
from infra.settings import Settings
from policies.version import PolicyVersion
from streams.topics import CATALOG, DECISIONS, POLICY_VERSIONS, TOPICS

JOB: Final = "infra.judging.judge:Judge"
_SERVING: Final = "serving"  # the version that served when a run began, by hash


def judged(settings: Settings, asked: Asked) -> Evidence:
    """Read the history and say what it comes to. Raises UserError: nothing in the range, no such policy."""
    began = perf_counter()
    source = Source(settings, asked)
    context = Context()
    history = found_in(source.part((POLICY_VERSIONS, CATALOG), None, None, optional=True))
    context.read(entered(history, entrance_of(source.settings)))
    options = {
        "rivals": msgspec.to_builtins(rivals.named(asked.policies, context.versions, context.serving.current)),
        "versions": rivals.packed(context.versions),
        "categories": context.categories,
    }
    task = Task(job=JOB, options=options)
    state = _state(source, task, asked, context.serving.current)
    source.asked = replace(asked, since=state.since, until=state.until)
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
    if not judge.gathered.read.get(DECISIONS.name):
        raise source.without_decisions(judge.gathered.waiting.counts)
    seconds = perf_counter() - began
    recomputed = assemble.recomputed(judge)
    again = reproduced(source, context) if asked.verify else None
    serving = _served(state, context.serving.current)
    return _evidence(judge, source, state, recomputed, again, serving, seconds=seconds, messages=ran.messages)


def _state(source: Source, task: Task, asked: Asked, serving: PolicyVersion) -> State:
    if asked.checkpoint is not None:
        if asked.checkpoint.exists():
            return _gone_on_with(asked.checkpoint, task, asked)
        if not os.access(asked.checkpoint.parent, os.W_OK):  # said now, and not when there is much to keep
            raise UserError(
                f"--checkpoint {asked.checkpoint}: name a file in a folder that is there, and that may be written"
            )
    wanted = {topic.name: topic for topic in (*asked.topics, *JUDGED)}
    state = begun(source.part(wanted.values(), asked.since, asked.until), task, workers=asked.workers)
    return msgspec.structs.replace(
        state,
        options=dict(asked.written),
        since=asked.since,
        until=asked.until,
        notes={_SERVING: serving.sha256},
    )


def _served(state: State, now: PolicyVersion) -> PolicyVersion:
    """The version that served when the run began: what its candidates were held against."""
    known = rivals.unpacked(state.task.options["versions"])
    return known.get(state.notes.get(_SERVING, ""), now)


def _gone_on_with(checkpoint: Path, task: Task, asked: Asked) -> State:
    """The run that was begun, with the versions and the catalog as they were then: a live cluster has newer ones.

    So is the range: `last=30d` means what it meant then.
    """
    state = resumed(checkpoint)
    others = [name for name in READING if state.options.get(name) != asked.written.get(name)]
    if state.task.job != task.job or _asked_for(state.task) != _asked_for(task):
        others.append("policies")
    if others:
        raise UserError(
            f"{checkpoint} is of a run with other {' and '.join(others)}: "
            "give those again, or remove it to start afresh"
        )
    return state


def _asked_for(task: Task) -> list[Any]:
    """The policies of a run; of those that go by what serves, which may have changed meanwhile, the names.

    A file's number and what it leaves out go by that too: of it, what it holds itself.
    """
    moving = {"serving", "greedy", "greedy:serving"}
    given = task.options.get("rivals", ())
    return [one["name"] if one["name"] in moving else rivals.lasting(one) for one in given]


def reproduced(source: Source, context: Context) -> Reproduced:
    """Run the recorded agents again, from the start of the history."""
    from infra.judging.reproduce import DECIDING, reproduced
    from infra.replay.cast import chosen

    agents = chosen(",".join(DECIDING), source.settings)
    wanted = {topic for agent in agents for topic in (*agent.reads, *agent.watches)} | set(JUDGED)
    part = source.part([topic for topic in TOPICS if topic in wanted], None, source.asked.until)
    entrance = entrance_of(source.settings)
    return reproduced(lambda: entered(found_in(part), entrance), agents, context.versions)


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


def as_json(evidence: Evidence) -> bytes:
    """The evidence as one line of JSON."""
    return msgspec.json.encode(cast(Any, evidence))
