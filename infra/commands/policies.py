"""`tradewind policies`: the versions of the policy, which one serves, and having another one serve."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import orjson
import typer

from infra.errors import UserError

if TYPE_CHECKING:
    from infra.settings import Settings
    from infra.versions.policy_log import PolicyLog
    from streams.records import PolicyVersionRecord

app: Final = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="""The versions of the policy: which serves, what the gate found, and having another one serve.

    tradewind policies list

    tradewind policies rollback --reason "clicks fell on Monday"

    tradewind policies offer prior.safetensors --reason "to be tried on a tenth"

    tradewind policies pretrain replenishment --seed 0 --out prior.safetensors
    """,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the act.")]
Servers = Annotated[str | None, typer.Option("--bootstrap-servers", help="The Kafka brokers, host:port.")]
Prefix = Annotated[str | None, typer.Option(help="Put before the name of every topic.")]


@app.command("list")
def list_(*, as_json: AsJson = False, bootstrap_servers: Servers = None, prefix: Prefix = None) -> None:
    """All versions, with what the gate found, which one serves, and in which arms of experiments the others are.

    Experiments are those of your settings: give the command what you give the workers.

    Examples: `tradewind policies list`, `tradewind policies list --json`.
    """
    from infra.versions import table

    loaded = _settings(bootstrap_servers, prefix)
    log = _read(loaded)
    if as_json:
        _print(table.summary(log, loaded.experiments))
        return
    table.print_table(log, loaded.experiments)


@app.command()
def show(
    *,
    number: Annotated[int, typer.Argument(min=0, metavar="N", help="The version's number; 0 is what ships.")],
    out: Annotated[Path | None, typer.Option(help="Write the artefact (safetensors) to this file too.")] = None,
    as_json: AsJson = False,
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """One version: where it comes from, its evidence, its tensors, and all that was done with it.

    Examples: `tradewind policies show 7`, `tradewind policies show 7 --out seven.safetensors`.
    """
    from infra.versions import table

    log = _read(_settings(bootstrap_servers, prefix))
    record = log.find(number)
    if out is not None:
        _write(out, record)
    found = table.about(log, record)
    if as_json:
        _print(found)
        return
    for name, value in found.items():
        lines = cast(list[Any], value) if isinstance(value, list) else [value]
        for line in lines:
            print(f"{name:<14} {line if isinstance(line, str) else orjson.dumps(line).decode()}")


@app.command()
def promote(  # noqa: PLR0913 # each is an option
    *,
    which: Annotated[str, typer.Argument(metavar="N|FILE", help="A version's number, or a file from `pretrain`.")],
    evidence: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="REPORT", help="What `tradewind replay` or `what-if` found: JSON, or the page; repeatable."
        ),
    ] = None,
    max_age: Annotated[str, typer.Option(help="How old the evidence may be: 12h, 14d.")] = "14d",
    force: Annotated[
        bool, typer.Option("--force", help="Promote without evidence, or against it; --reason goes on record.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why; it is kept with the act.")] = None,
    hold: Annotated[bool, typer.Option("--hold", help="Have it serve until the next promotion.")] = False,
    as_json: AsJson = False,
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """Have a version serve that is proven to earn more. Workers take it up between two batches; nothing is restarted.

    The evidence must be about this version and measured against the one that serves; in every domain that it changes,
    the lower bound of what it earns must exceed what the serving version earns. Where no one report tells of all of
    them, give several. --force overrides, on record.
    Ends a hold, so that the learner's versions are taken again. A file is verified first; it keeps its number if it was
    offered, and becomes the next version otherwise.

    Examples: `tradewind replay --from last=30d --policy serving,7 --json > evidence.json`, then
    `tradewind policies promote 7 --evidence evidence.json`;
    `tradewind policies promote 7 --evidence stock.json --evidence ads.json`;
    `tradewind policies promote 7 --force --reason "the rollback was a false alarm"`.
    """
    from infra.versions import policy_log, promoting

    loaded = _settings(bootstrap_servers, prefix)
    log, version = _asked_for(which, loaded)
    asked = promoting.Asked(which=which, evidence=evidence or (), max_age=max_age, force=force, reason=reason or "")
    proof, why = promoting.proof(log.serving.current, version, asked)
    after = policy_log.act(loaded, log, version, "promote", reason=why, hold=hold, proof=proof)
    _done(after, loaded, as_json=as_json)


@app.command()
def offer(
    *,
    which: Annotated[
        str, typer.Argument(metavar="FILE|N", help="A file from `pretrain` or `show --out`, or a number.")
    ],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the act.")] = "",
    as_json: AsJson = False,
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """Bring a version that experiments and shadows may try. It never serves for having been offered.

    A file is verified first, and becomes the next version. Name its number in an experiment, and restart the workers.

    Example: `tradewind policies offer prior.safetensors --reason "to be tried on a tenth"`, then in tradewind.toml
    `arms = { control = 0.9, v8 = 0.1 }`.
    """
    from infra.versions import policy_log, table
    from infra.versions.tried import tried, words

    loaded = _settings(bootstrap_servers, prefix)
    log, version = _asked_for(which, loaded)
    if version.sha256 not in log.versions and version.number:
        log = policy_log.offer(loaded, log, version, reason=reason.strip())
    if as_json:
        _print({"offered": version.number, "status": log.mark(version.sha256)} | table.summary(log, loaded.experiments))
        return
    told = words(tried(loaded.experiments, version.number)) or f"no experiment takes it yet: name v{version.number}"
    print(f"Version {version.number} ({log.mark(version.sha256)}) can be tried; {told}.")


@app.command()
def rollback(
    *,
    reason: Reason,
    hold: Annotated[
        bool, typer.Option("--hold/--no-hold", help="Take none of the learner's versions until the next promotion.")
    ] = True,
    as_json: AsJson = False,
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """Have the version serve again that served before this one, and hold it there.

    Example: `tradewind policies rollback --reason "clicks fell on Monday"`.
    """
    from infra.versions import policy_log

    if not reason.strip():
        raise UserError("--reason is empty: it goes on record")
    loaded = _settings(bootstrap_servers, prefix)
    log = _read(loaded)
    serving = log.serving
    if serving.previous is None:
        raise UserError("no version served before this one: `tradewind policies promote N` takes any")
    after = policy_log.act(loaded, log, serving.previous, "rollback", reason=reason, hold=hold)
    _done(after, loaded, as_json=as_json)


@app.command()
def pretrain(
    *,
    domain: Annotated[str, typer.Argument(help="recommendation, history, bidding, replenishment or pricing.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same file.")] = 0,
    events: Annotated[
        Path | None, typer.Option(help="Learn from this history (`tradewind export`) instead of simulated tasks.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write it.", show_default="DOMAIN.safetensors")] = None,
    as_json: AsJson = False,
) -> None:
    """Meta-train a domain's prior offline, and write it to a file. Progress goes to standard error.

    From simulated tasks, as the priors that ship with the package, or from your own history: then it is what the
    learner comes to by the end of it. `history` is the attention over what a user touched last.

    Examples: `tradewind policies pretrain replenishment --seed 1 --out prior.safetensors`,
    `tradewind policies pretrain recommendation --events history.jsonl.gz`, then
    `tradewind policies promote prior.safetensors --evidence evidence.json`.
    """
    from time import perf_counter

    from infra.serving.tuning import settle
    from infra.versions.pretrained import check, from_history, from_tasks

    settle()
    began = perf_counter()
    path = out or Path(f"{domain}.safetensors")
    check(path)
    made = from_tasks(domain, seed, _progress) if events is None else from_history(domain, events)
    found = {
        "domain": domain,
        "file": str(path),
        "sha256": made.write(path),
        "bytes": path.stat().st_size,
        "tensors": len(made.tensors),
        "about": made.about,
        "seconds": round(perf_counter() - began, 1),
    }
    if as_json:
        _print(found)
    else:
        print(f"{path}: {found['bytes']:,} bytes, sha256 {found['sha256']}, in {found['seconds']} s")


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# ---- What they share -------------------------------------------------------------------------------------------------


def _settings(bootstrap_servers: str | None, prefix: str | None) -> "Settings":
    from infra import settings

    return settings.load(bootstrap_servers=bootstrap_servers, prefix=prefix)


def _read(loaded: "Settings") -> "PolicyLog":
    from infra.versions import policy_log

    return policy_log.read(loaded)


def _asked_for(which: str, loaded: "Settings") -> tuple["PolicyLog", Any]:
    """All versions, and the one of that number or file. What is wrong with a file is said before a broker is asked."""
    if which.isdecimal():
        log = _read(loaded)
        return log, _numbered(log, int(which))
    from infra.versions.pretrained import as_version
    from policies.version import SHIPPED

    as_version(Path(which), SHIPPED, 1)
    log = _read(loaded)
    return log, _from_file(log, Path(which))


def _numbered(log: "PolicyLog", number: int) -> Any:
    return _fit(log.find(number))


def _fit(record: "PolicyVersionRecord") -> Any:
    from agents.versions import Refused, version_of

    try:
        return version_of(record)
    except Refused as refused:
        raise UserError(f"version {record.number} can't serve: {refused}") from refused


def _from_file(log: "PolicyLog", path: Path) -> Any:
    from infra.versions.pretrained import brought

    highest = max((entry.record.number for entry in log.entries), default=0)
    version, said = brought(path, log.serving.current, log.readable, highest + 1)
    if said:
        _progress(said)
    return version


def _write(out: Path, record: "PolicyVersionRecord") -> None:
    from base64 import b64decode

    try:
        out.write_bytes(b64decode(record.artefact))
    except (OSError, ValueError) as error:
        raise UserError(f"--out {out}: {getattr(error, 'strerror', None) or error}") from error


def _print(found: dict[str, Any]) -> None:
    print(orjson.dumps(found).decode())


def _done(log: "PolicyLog", loaded: "Settings", *, as_json: bool) -> None:
    from infra.versions import table

    if as_json:
        _print(table.summary(log, loaded.experiments))
        return
    held = "; it is held until the next promotion" if log.serving.held else ""
    print(f"Version {log.serving.current.number} serves{held}. Workers take it up between two batches.")
