"""`tradewind dead-letters`: what could not be read, why, and putting it back after a fix."""

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
import typer

from infra.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.mapping.entrance import Entrance
    from infra.marks import Marks
    from infra.retry import Letter, Wanted
    from infra.settings import Settings

app: Final = typer.Typer(add_completion=False, no_args_is_help=True, help="What could not be read, and why.")

From = Annotated[str | None, typer.Option("--from", help="From when on: last=1h, a date or time.", show_default="all")]
Reason = Annotated[str | None, typer.Option(help="Only those of this reason.")]
OfTopic = Annotated[str | None, typer.Option("--topic", help="Only those of this topic, by Tradewind's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Servers = Annotated[str | None, typer.Option("--bootstrap-servers", help="The Kafka brokers, host:port.")]
Prefix = Annotated[str | None, typer.Option(help="Put before the name of every topic.")]


@app.command("list")
def list_(
    *,
    since: From = None,
    reason: Reason = None,
    topic: OfTopic = None,
    as_json: AsJson = False,
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """List dead letters by reason and topic, with an example of each and how many could be read now.

    Examples: `tradewind dead-letters list`, `tradewind dead-letters list --from last=1d --reason invalid-record`.
    """
    from infra.cluster.reading import reading
    from infra.marks import read_marks
    from infra.retry import letters

    loaded, wanted, entrance = _given(since, reason, topic, bootstrap_servers, prefix)
    marked = read_marks(loaded)
    groups: dict[tuple[str, str], _Group] = {}
    with reading(loaded, loaded.topic("dead-letters")) as source:
        for letter in letters(source, wanted):
            group = groups.setdefault((letter.record.reason, letter.record.topic), _Group())
            group.add(letter, _fate(letter, entrance, marked))
    rows: list[dict[str, Any]] = [
        {"reason": key[0], "topic": key[1], **group.told()} for key, group in sorted(groups.items())
    ]
    if as_json:
        print(orjson.dumps({"letters": sum(row["count"] for row in rows), "groups": rows}).decode())
        return
    if not rows:
        print("No dead letters.")
    for row in rows:
        fates = ", ".join(f"{count} {_SAID[fate]}" for fate, count in row["fates"].items())
        print(f"{row['count']:>6}  {row['reason']:<16} {row['topic']}: {fates}")
        print(f"        latest {row['example']['place']}: {row['example']['detail']}")


@app.command()
def show(
    *,
    place: Annotated[str, typer.Argument(metavar="PLACE", help="PARTITION/OFFSET among the dead letters.")],
    as_json: AsJson = False,
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """Show one dead letter whole: where its message lay, why it could not be read, and its bytes.

    Example: `tradewind dead-letters show 0/17`.
    """
    from infra.cluster.reading import reading
    from infra.contract.lines import data, text_of
    from infra.marks import read_marks
    from infra.retry import letter_of
    from streams.times import iso

    partition, _, offset = place.partition("/")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise UserError(f"{place!r} is no place: write PARTITION/OFFSET, as `tradewind dead-letters list` shows it")
    loaded, _, entrance = _given(None, None, None, bootstrap_servers, prefix)
    with reading(loaded, loaded.topic("dead-letters")) as source:
        row = source.at(int(partition[:9]), int(offset[:18]))
    letter = None if row is None else letter_of(row)
    if letter is None:
        raise UserError(f"there is no dead letter at {place}: `tradewind dead-letters list` shows those there are")
    fate = _fate(letter, entrance, read_marks(loaded))
    one = letter.record
    if as_json:
        print(orjson.dumps({"place": place, "fate": fate, "letter": data(one), "text": text_of(one.value)}).decode())
        return
    print(f"{one.reason}: {one.detail}")
    print(f"from topic {one.topic}, partition {one.partition}, offset {one.offset}, logged at {iso(one.at)}")
    print(f"now: {_SAID[fate]}")
    print(f"key: {text_of(one.key)}")
    print(text_of(one.value))


@app.command()
def retry(
    *,
    since: From = None,
    reason: Reason = None,
    topic: OfTopic = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also put back what still can't be read.")] = False,
    as_json: AsJson = False,
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """Put back what can be read now: the original bytes, on their topic and partition, each once.

    Do it after a fix, of the mapping say. What still can't be read stays where it is. A retry that was killed is simply
    run again: no message goes twice.

    Examples: `tradewind dead-letters retry --dry-run`, `tradewind dead-letters retry --reason unmapped`.
    """
    from infra.cluster.reading import reading
    from infra.marks import read_marks
    from infra.retry import letters
    from infra.retry import retry as put_back

    loaded, wanted, entrance = _given(since, reason, topic, bootstrap_servers, prefix)
    fates: Counter[str] = Counter()
    marked = read_marks(loaded)

    def counted() -> "Iterator[Letter]":
        for letter in letters(source, wanted):
            fates[_fate(letter, entrance, marked)] += 1
            yield letter

    with reading(loaded, loaded.topic("dead-letters")) as source:
        if dry_run:
            done = sum(0 for _ in counted())
        else:
            done = put_back(loaded, counted(), entrance, force=force, on_done=_say)
    _tell({"dry_run": dry_run, "put_back": done, "letters": fates.total(), "fates": dict(fates)}, as_json=as_json)


_SAID: Final = {
    "read": "can be read now",
    "unreadable": "still can't be read",
    "left": "left aside by the mapping now",
    "bytes-not-kept": "too large to be kept",
    "unknown-topic": "of a topic that is unknown now",
    "retried": "put back already",
}


class _Group:
    """Letters of one reason and topic, counted."""

    def __init__(self) -> None:
        self._fates: Counter[str] = Counter()
        self._last: Letter | None = None

    def add(self, letter: "Letter", fate: str) -> None:
        self._fates[fate] += 1
        self._last = letter

    def told(self) -> dict[str, Any]:
        from infra.contract.lines import short, text_of

        last = self._last
        example: dict[str, Any] = {}
        if last is not None:
            text = short(text_of(last.record.value))
            example = {"place": last.place, "detail": short(last.record.detail), "value": text, "at": last.record.at}
        return {"count": self._fates.total(), "fates": dict(self._fates), "example": example}


def _given(
    since: str | None, reason: str | None, topic: str | None, servers: str | None, prefix: str | None
) -> tuple["Settings", "Wanted", "Entrance"]:
    from typing import get_args

    from infra import settings
    from infra.history.times import moment
    from infra.mapping.entrance import Entrance
    from infra.mapping.load import rules_of
    from infra.names import did_you_mean
    from infra.retry import Wanted
    from streams.codec import Reason as Reasons

    if reason is not None and reason not in get_args(Reasons):
        raise UserError(f"--reason: there is no reason {reason!r}{did_you_mean(reason, get_args(Reasons))}")
    loaded = settings.load(bootstrap_servers=servers, prefix=prefix)
    at = None if since is None else moment(since, time.time_ns() // 1_000_000)
    return loaded, Wanted(reason=reason, topic=topic, since=at), Entrance(rules_of(loaded))


def _fate(letter: "Letter", entrance: "Entrance", marked: "Marks") -> str:
    from infra.retry import fate

    was_put_back = marked.has(letter.partition, letter.offset, letter.record)
    return "retried" if was_put_back else fate(letter, entrance)


def _tell(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(told).decode())
        return
    for fate, count in sorted(told["fates"].items()):
        print(f"{count:>6}  {_SAID[fate]}")
    ready = told["fates"].get("read", 0)
    print(f"{ready} would be put back." if told["dry_run"] else f"{told['put_back']} put back.")


def _say(done: int) -> None:
    print(f"{done} put back", file=sys.stderr)
