"""`tradewind map`: from a shop's own messages to Tradewind's records: propose a mapping, and try one."""

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import orjson
import typer

from infra.errors import UserError

if TYPE_CHECKING:
    from infra.mapping.check import Sample
    from infra.mapping.rules import Rules

_LARGEST: Final = 256_000_000  # bytes of samples
app: Final = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Turn your own messages into Tradewind's records."
)

Samples = Annotated[Path | None, typer.Argument(metavar="SAMPLE.jsonl", help="Messages, one JSON object a line.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Last = Annotated[int, typer.Option("--last", min=1, max=100_000, help="How many of the topic's last messages.")]
Servers = Annotated[str | None, typer.Option("--bootstrap-servers", help="The Kafka brokers, host:port.")]
Prefix = Annotated[str | None, typer.Option(help="Put before the name of every topic.")]


@app.command()
def suggest(
    *,
    samples: Samples = None,
    to: Annotated[
        str | None, typer.Option("--to", help="For this topic of Tradewind's.", show_default="the likeliest")
    ] = None,
    topic: Annotated[str | None, typer.Option("--topic", help="Read the messages from this topic instead.")] = None,
    last: Last = 1000,
    as_json: AsJson = False,
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """Propose a mapping from samples, as TOML to be looked through. Each line says how sure it is, and why.

    Examples: `tradewind map suggest clicks.jsonl > mapping.toml`, `tradewind map suggest --topic shop.clicks`.
    """
    from infra.mapping.profile import Profile
    from infra.mapping.suggest import suggest as propose

    if to is not None:
        _check_input(to)
    profile = Profile()
    unreadable = 0
    for sample in _samples(samples, topic, last, bootstrap_servers, prefix):
        try:
            profile.add(_decoded(sample.value))
        except (ValueError, RecursionError):
            unreadable += 1
    if not profile.messages:
        raise UserError(f"there is no message to look at: {unreadable} lines, none of them JSON")
    if unreadable:
        print(f"tradewind: {unreadable} of the messages are no JSON, and were passed over", file=sys.stderr)
    made = propose(profile, topic=to, source=topic or "your-topic")
    if as_json:
        told = {"topic": made.topic, "missing": made.missing, "messages": profile.messages, "mapping": made.text}
        print(orjson.dumps(told).decode())
    else:
        print(made.text, end="")


@app.command()
def check(
    *,
    mapping: Annotated[Path, typer.Argument(metavar="MAPPING.toml", help="The mapping to try.")],
    samples: Samples = None,
    topic: Annotated[str | None, typer.Option("--topic", help="Try it on this topic's messages instead.")] = None,
    last: Last = 1000,
    source: Annotated[
        str | None, typer.Option("--source", help="Which topic of the mapping the samples are of, if it has several.")
    ] = None,
    as_json: AsJson = False,
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """Show what messages become, and what fails: grouped by reason, each with an example. Exits 1 where any fails.

    Examples: `tradewind map check mapping.toml clicks.jsonl`,
    `tradewind map check mapping.toml --topic shop.clicks --last 1000`.
    """
    from infra.mapping.load import load

    rules = load(mapping, "MAPPING.toml")
    found = _checked(rules, _samples(samples, topic, last, bootstrap_servers, prefix), source or topic, topic)
    if as_json:
        print(orjson.dumps(found).decode())
    else:
        print("\n".join(_report(found)))
    if not found["ok"]:
        raise typer.Exit(1)


def _checked(rules: "Rules", samples: "Iterable[Sample]", source: str | None, topic: str | None) -> dict[str, Any]:
    from infra.mapping.check import check as try_out
    from infra.mapping.check import source_of
    from infra.mapping.fields import BadMapping

    try:
        chosen = source_of(rules, source)
    except BadMapping as error:
        raise UserError(f"MAPPING.toml: {error}") from error
    found = try_out(rules, chosen, samples, keys_known=topic is not None)
    if not found.messages:
        raise UserError("there is no message to try it on")
    return found.told()


def _samples(
    path: Path | None, topic: str | None, last: int, servers: str | None, prefix: str | None
) -> "Iterable[Sample]":
    from infra.limited import content
    from infra.mapping.check import lines

    if (path is None) == (topic is None):
        raise UserError("name a file of messages, or --topic and a topic of the cluster")
    if path is not None:
        return lines(content(path, _LARGEST, "a file of samples"), time.time_ns() // 1_000_000)
    return _from_topic(str(topic), last, servers, prefix)


def _from_topic(topic: str, last: int, servers: str | None, prefix: str | None) -> "list[Sample]":
    from infra import settings
    from infra.cluster.reading import name_of, reading
    from infra.mapping.check import Sample

    loaded = settings.load(bootstrap_servers=servers, prefix=prefix)
    with reading(loaded, name_of(loaded, topic)) as source:
        rows = source.last(last)
    return [Sample(row.value, row.key, row.partition, row.offset, row.timestamp, tuple(row.headers)) for row in rows]


def _decoded(value: bytes | None) -> Any:
    from streams.codec import unframed

    return msgspec.json.decode((unframed(value) or b"").decode())


def _check_input(name: str) -> None:
    from infra.names import did_you_mean
    from streams.topics import TOPICS

    inputs = [topic.name for topic in TOPICS if topic.role == "input"]
    if name not in inputs:
        raise UserError(f"--to: {name!r} is none of the topics that Tradewind reads{did_you_mean(name, inputs)}")


def _report(found: dict[str, Any]) -> list[str]:
    mapped = f"{found['mapped']} become records"
    said = [f"{found['messages']} messages: {mapped}, {found['left_aside']} are left aside, {found['failed']} fail."]
    for name, count in found["records"].items():
        said += [f"{count:>7}  {name}", f"         {found['examples'][name]}"]
    for failure in found["failures"]:
        said += [
            f"{failure['count']:>7}  fail: {failure['reason']}, {failure['detail']}",
            f"         {failure['example']}",
        ]
    return said
