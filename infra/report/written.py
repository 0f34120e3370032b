"""A report as it is written: a page, or the evidence alone where the file's name ends in .json."""

from pathlib import Path

import msgspec

from infra.errors import UserError
from infra.judging.evidence import Evidence


def check(path: Path) -> None:
    """Say early, before a long run, that a report can't be written there. Raises UserError."""
    if path.is_dir() or not path.parent.is_dir():
        raise UserError(f"--report {path}: name a file in a folder that is there")
    if path.suffix != ".json":
        from infra.report.page import ready

        ready()


def write(path: Path, evidence: Evidence) -> None:
    """Write it, whole or not at all. Raises UserError."""
    if path.suffix == ".json":
        raw = msgspec.json.encode(evidence) + b"\n"
    else:
        from infra.report.page import render

        raw = render(evidence).encode()
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(raw)
        part.replace(path)
    except OSError as error:
        raise UserError(f"--report {path}: {error.strerror or error}") from error
