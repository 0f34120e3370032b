"""Versions of the policy for a person, and for JSON: all of them, or one with all that was done with it."""

from collections.abc import Sequence
from typing import Any, cast

from agents.versions import Refused, version_of
from infra.versions.policy_log import Entry, PolicyLog
from infra.versions.promotion import KEY, told
from infra.versions.tried import missing, tried, words
from policies.experiment import Experiment
from policies.version import tensors_of
from streams.records import PolicyVersionRecord
from streams.times import EventTime, iso


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
    said = f"{iso(EventTime(record.published_at))} {record.act} by {record.by}: {record.reason}"
    proof = told(record.evidence.get(KEY))
    said += f" [{proof}]" if proof else ""
    return f"{said} [refused: {entry.refused}]" if entry.refused else said


def print_table(log: PolicyLog, experiments: Sequence[Experiment]) -> None:
    """All versions, and what was refused."""
    from rich.console import Console
    from rich.table import Table

    table = Table("version", "parent", "domain", "made at", "by", "log-likelihood", "reward", "status", "tried")
    shipped = "serving" if log.serving.current.number == 0 else ""
    table.add_row(
        "0",
        "",
        "all",
        "",
        "shipped",
        "",
        "",
        f"{shipped}{', held' if shipped and log.serving.held else ''}",
        words(tried(experiments, 0)),
    )
    for entry in log.versions.values():
        record, evidence = entry.record, entry.record.evidence
        table.add_row(
            str(record.number),
            str(record.parent),
            str(evidence.get("domain", "")),
            iso(EventTime(record.published_at)),
            record.by,
            _gain(evidence.get("log_likelihood")),
            _gain(evidence.get("reward")),
            log.mark(record.sha256),
            words(tried(experiments, record.number)),
        )
    console = Console()
    console.print(table)
    console.print("Gains over the parent on held-out entities, per outcome, with a one-sided 95% bound below.")
    for domain, count in log.rejected.items():
        console.print(f"{count} candidates for {domain} were turned down by the gate.", highlight=False)
    for sentence in (*missing(experiments, _numbers(log)), *log.shared):
        console.print(sentence, highlight=False, markup=False)
    for entry in log.entries:
        if entry.refused:
            console.print(f"Version {entry.record.number} was refused: {entry.refused}", highlight=False, style="red")


def _gain(found: Any) -> str:
    if not isinstance(found, dict):
        return ""
    told = cast(dict[str, Any], found)
    lower = told.get("lower")
    bound = "" if lower is None else f" (> {lower:+.3g})"
    return f"{told.get('gain', 0.0):+.3g}{bound}, n={told.get('entities', 0):.0f}"
