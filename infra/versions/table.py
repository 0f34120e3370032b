"""Versions of the policy for a person, and for JSON: all of them, or one with all that was done with it."""

from collections.abc import Sequence
from typing import Any, Final, cast

from agents.versions import Refused, version_of
from infra.versions.policy_log import Entry, PolicyLog
from infra.versions.promotion import KEY, told
from infra.versions.tried import missing, tried, words
from policies.experiment import Experiment
from policies.version import SHIPPED, tensors_of
from streams.records import PolicyVersionRecord
from streams.times import LATEST, iso


def summary(log: PolicyLog, experiments: Sequence[Experiment]) -> dict[str, Any]:
    """Which serves, and one row for each version."""
    serving = log.serving
    return {
        "serving": serving.current.number,
        "sha256": serving.current.sha256,
        "held": serving.held,
        "previous": None if serving.previous is None else serving.previous.number,
        "versions": [_row(log, entry, experiments) for entry in log.versions.values()],
        "rejected": log.rejected,
        "missing": missing(experiments, _numbers(log)),
        "shared": log.shared,
    }


def _numbers(log: PolicyLog) -> set[int]:
    return {entry.record.number for entry in log.versions.values()}


def _row(log: PolicyLog, entry: Entry, experiments: Sequence[Experiment]) -> dict[str, Any]:
    record = entry.record
    return {
        "number": record.number,
        "parent": record.parent,
        "sha256": record.sha256,
        "made_at": record.published_at,
        "by": record.by,
        "domain": record.evidence.get("domain"),
        "evidence": record.evidence,
        "status": log.mark(record.sha256),
        "refused": entry.refused,
        "arms": tried(experiments, record.number),
    }


def about(log: PolicyLog, record: PolicyVersionRecord) -> dict[str, Any]:
    """One version: what it is, and every act with it."""
    entry = log.versions.get(record.sha256)
    found: dict[str, Any] = {
        "number": record.number,
        "parent": f"{record.parent} {record.parent_sha256}".strip(),
        "sha256": record.sha256,
        "schema": record.schema,
        "status": log.mark(record.sha256),
        "refused": entry.refused if entry is not None else "",
        "evidence": record.evidence,
    }
    try:
        version = version_of(record)
        found["seed"] = version.seed
        found["tensors"] = [f"{name} {list(x.shape)} {x.dtype}" for name, x in tensors_of(version.priors).items()]
    except Refused as refused:
        found["refused"] = str(refused)
    acts = [one for one in log.entries if one.record.sha256 == record.sha256 and one.record.act != "reject"]
    found["acts"] = [_line(one) for one in acts]
    return found


def _line(entry: Entry) -> str:
    record = entry.record
    said = f"{_when(record)} {record.act} by {record.by}: {record.reason}"
    proof = told(record.evidence.get(KEY))
    said += f" [{proof}]" if proof else ""
    return f"{said} [refused: {entry.refused}]" if entry.refused else said


def _when(record: PolicyVersionRecord) -> str:
    at = record.published_at
    return iso(at) if 0 <= at < LATEST else f"{at} ms"


_WIDEST: Final = 10_000  # characters
_COLUMNS: Final = ("version", "parent", "domain", "made at", "by", "log-likelihood", "reward", "status", "tried")


def print_table(log: PolicyLog, experiments: Sequence[Experiment]) -> None:
    """All versions, and what was refused. Where a screen is too narrow for the table, a line for each version."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = [_shipped(log, experiments), *(_cells(log, entry, experiments) for entry in log.versions.values())]
    table = Table(*_COLUMNS)
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console()
    width = Console(width=_WIDEST).measure(table).maximum
    if width > console.width and console.is_terminal:
        said = [_line_of(row) for row in rows]
    else:  # what is piped is as wide as it is
        Console(width=max(width, console.width)).print(table)
        said = []
    said += ["Gains over the parent on held-out entities, per outcome, with a one-sided 95% bound below."]
    said += [f"{count} candidates for {domain} were turned down by the gate." for domain, count in log.rejected.items()]
    for sentence in (*said, *missing(experiments, _numbers(log)), *log.shared):
        console.out(sentence, highlight=False)
    for entry in log.entries:
        if entry.refused:
            console.out(f"Version {entry.record.number} was refused: {entry.refused}", style="red", highlight=False)


def _shipped(log: PolicyLog, experiments: Sequence[Experiment]) -> tuple[str, ...]:
    return "0", "", "all", "", "shipped", "", "", log.mark(SHIPPED.sha256), words(tried(experiments, 0))


def _cells(log: PolicyLog, entry: Entry, experiments: Sequence[Experiment]) -> tuple[str, ...]:
    record, evidence = entry.record, entry.record.evidence
    return (
        str(record.number),
        str(record.parent),
        str(evidence.get("domain", "")),
        _when(record),
        record.by,
        _gain(evidence.get("log_likelihood")),
        _gain(evidence.get("reward")),
        log.mark(record.sha256),
        words(tried(experiments, record.number)),
    )


def _line_of(row: Sequence[str]) -> str:
    """One version in one line, of what there is to be said of it.

    >>> _line_of(("2", "1", "bidding", "", "learner", "+0.3, n=9", "", "serving", "10% of warm"))
    'version 2: serving; parent 1; domain bidding; by learner; log-likelihood +0.3, n=9; tried 10% of warm'
    """
    number, *rest, status, trying = row
    named = [*zip(_COLUMNS[1:], rest, strict=False), ("tried", trying)]
    return "; ".join([f"version {number}: {status}", *(f"{name} {value}" for name, value in named if value)])


def _gain(found: Any) -> str:
    if not isinstance(found, dict):
        return ""
    told = cast(dict[str, Any], found)
    gain, lower, entities = (_number(told.get(name)) for name in ("gain", "lower", "entities"))
    bound = "" if lower is None else f" (> {lower:+.3g})"
    return f"{gain or 0.0:+.3g}{bound}, n={entities or 0:.0f}"


def _number(value: Any) -> float | None:
    """What a log holds may be anything."""
    return value if isinstance(value, int | float) else None
