"""`tradewind tail`: what a topic holds, readably."""

import os
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
import typer

if TYPE_CHECKING:
    from infra.cluster.reading import Row
    from infra.mapping.entrance import Entrance
    from streams.topics import Topic

app: Final = typer.Typer(add_completion=False)

From = Annotated[
    str | None,
    typer.Option("--from", help="From when on: last=1h, a date or time, epoch ms.", show_default="the last few"),
]
Count = Annotated[int, typer.Option("-n", "--last", min=0, max=100_000, help="How many of the last records.")]
Follow = Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for more, until Ctrl-C.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a record, each on a line.")]
Servers = Annotated[str | None, typer.Option("--bootstrap-servers", help="The Kafka brokers, host:port.")]
Prefix = Annotated[str | None, typer.Option(help="Put before the name of every topic.")]


@app.command()
def tail(
    *,
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="By Tradewind's name or the cluster's.")],
    since: From = None,
    last: Count = 10,
    follow: Follow = True,
    as_json: AsJson = False,
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """Print the records of a topic, one a line: slates with scores, bids, orders, dead letters with their bytes.

    Only what is committed is shown: each action once.

    Examples: `tradewind tail recommendations`, `tradewind tail dead-letters --from last=1h --no-follow`,
    `tradewind tail replenishment-orders --json --no-follow -n 100`.
    """
    from infra import settings
    from infra.cluster.reading import named, reading
    from infra.history.times import moment
    from infra.mapping.entrance import entrance_of

    loaded = settings.load(bootstrap_servers=bootstrap_servers, prefix=prefix)
    found = named(loaded, topic)
    at = None if since is None else moment(since, time.time_ns() // 1_000_000)
    entrance = entrance_of(loaded)
    try:
        with reading(loaded, loaded.topic(found.name)) as source:
            _print(source.last(last) if at is None else source.since(at), found, entrance, as_json=as_json)
            if follow:
                _print(source.follow(), found, entrance, as_json=as_json)
    except KeyboardInterrupt:
        return
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(rows: Iterable["Row"], topic: "Topic", entrance: "Entrance", *, as_json: bool) -> None:
    for row in rows:
        print(_as_json(row, topic, entrance) if as_json else _as_text(row, topic, entrance), flush=True)


def _as_text(row: "Row", topic: "Topic", entrance: "Entrance") -> str:
    from infra.contract.lines import line, short
    from streams.times import iso

    key, record, problem = _read(row, topic, entrance)
    if problem is None:
        return line(topic, key, record, row.timestamp)
    told = short((row.value or b"").decode(errors="backslashreplace"))
    return f"{iso(row.timestamp)}  {key}  unreadable, {problem}  {told}"


def _as_json(row: "Row", topic: "Topic", entrance: "Entrance") -> str:
    from infra.contract.lines import data

    key, record, problem = _read(row, topic, entrance)
    place = {"topic": topic.name, "partition": row.partition, "offset": row.offset, "timestamp": row.timestamp}
    told = {"record": data(record)} if problem is None else {"problem": problem}
    return orjson.dumps({**place, "key": key, **told}).decode()


def _read(row: "Row", topic: "Topic", entrance: "Entrance") -> tuple[str, Any, str | None]:
    """The key and the record, or what is wrong with it."""
    from infra.mapping.fields import Left
    from streams.codec import MalformedRecord, decode

    reader = entrance.of(topic)
    try:
        if reader is not None:
            return (*reader(row.partition, row), None)
        return (*decode(topic, row.key, row.value, row.timestamp), None)
    except MalformedRecord as error:
        return (row.key or b"").decode(errors="backslashreplace"), None, str(error)
    except Left:
        return (row.key or b"").decode(errors="backslashreplace"), None, "left aside by the mapping"
