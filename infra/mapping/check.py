"""What a mapping makes of real messages, and what fails: counted, grouped by reason, each with an example. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import orjson

from infra.mapping.entrance import Entrance, Mapped, Read
from infra.mapping.fields import BadMapping, Left
from infra.mapping.intake import intakes
from infra.mapping.rules import Rules
from infra.names import FOREIGN, did_you_mean
from streams.codec import MalformedRecord, encode
from streams.topics import BY_NAME, Topic

_SAID: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\[.*\]|\{.*\}|-?\d[\d.:T+-]*")
_LONG: Final = 400


class Sample(NamedTuple):
    """One message of a sample, as a client would read it."""

    value: bytes | None
    key: bytes | None = None
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class Failure:
    """Messages that fail alike: how many, and the first of them."""

    reason: str
    detail: str
    example: str
    count: int = 0


@dataclass(slots=True)
class Checked:
    """What became of the messages. `made` counts records by topic and, where they have one, by type."""

    messages: int = 0
    mapped: int = 0
    left: int = 0
    made: Counter[str] = field(default_factory=Counter[str])
    examples: dict[str, str] = field(default_factory=dict[str, str])
    failures: dict[tuple[str, str], Failure] = field(default_factory=dict[tuple[str, str], Failure])

    @property
    def failed(self) -> int:
        return sum(one.count for one in self.failures.values())

    def told(self) -> dict[str, Any]:
        """As plain values."""
        failures = sorted(self.failures.values(), key=lambda one: -one.count)
        return {
            "ok": not failures,
            "messages": self.messages,
            "mapped": self.mapped,
            "left_aside": self.left,
            "failed": self.failed,
            "records": dict(self.made.most_common()),
            "examples": self.examples,
            "failures": [
                {"reason": one.reason, "count": one.count, "detail": one.detail, "example": one.example}
                for one in failures
            ],
        }


def sources(rules: Rules) -> list[str]:
    """What a mapping reads: our topics by their names, and the shop's own by theirs."""
    return [*rules.edge, *rules.sources]


def source_of(rules: Rules, name: str | None) -> Topic:
    """One of them; the only one for None. Raises BadMapping."""
    known = sources(rules)
    if name is None:
        if len(known) > 1:
            raise BadMapping(f"it reads from several topics: say which one with --source: {', '.join(known)}")
        name = known[0]
    if name in rules.edge:
        return BY_NAME[name]
    for intake in intakes(rules):
        if intake.reads[0].name == FOREIGN + name.removeprefix(FOREIGN):
            return intake.reads[0]
    raise BadMapping(f"it says nothing of a topic {name!r}{did_you_mean(name, known)}")


def check(rules: Rules, topic: Topic, samples: Iterable[Sample], *, keys_known: bool) -> Checked:
    """Map the messages of one topic. Without their keys, records are believed to be keyed as they must be."""
    if not keys_known:
        trusting = {name: tuple(replace(rule, trusts_key=True) for rule in of) for name, of in rules.edge.items()}
        rules = Rules(trusting, rules.sources)
    read = Entrance(rules).of(topic)
    found = Checked()
    if read is not None:
        for sample in samples:
            _one(found, topic, read, sample)
    return found


def _one(found: Checked, topic: Topic, read: Read, sample: Sample) -> None:
    found.messages += 1
    try:
        _, record = read(sample.partition, sample)
    except Left:
        found.left += 1
    except MalformedRecord as error:
        place = (error.reason, _SAID.sub("…", error.detail))
        failure = found.failures.setdefault(place, Failure(error.reason, error.detail, _text(sample.value)))
        failure.count += 1
    else:
        found.mapped += 1
        for name, one in _records(topic, record):
            found.made[name] += 1
            found.examples.setdefault(name, encode(one).decode())


def _records(topic: Topic, record: Any) -> Iterator[tuple[str, Any]]:
    made = record.made if isinstance(record, Mapped) else [(topic, record)]
    for to, one in made:
        kind = getattr(one, "type", None)
        yield f"{to}: {kind}" if kind else str(to), one


def _text(value: bytes | None) -> str:
    text = (value or b"").decode(errors="backslashreplace")
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def lines(raw: bytes, now: int) -> Iterator[Sample]:
    """The messages of a file: one JSON value a line; or a whole JSON list. `now`: the log's time, epoch ms."""
    for offset, value in enumerate(_values(raw)):
        yield Sample(value, offset=offset, timestamp=now)


def _values(raw: bytes) -> list[bytes]:
    text = raw.removeprefix(b"\xef\xbb\xbf").strip()
    if text.startswith(b"["):
        try:
            return [orjson.dumps(one) for one in orjson.loads(text)]
        except orjson.JSONDecodeError:
            pass  # lines, of which the first is a list
    return [line for line in text.splitlines() if line.strip()]
