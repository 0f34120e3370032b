"""The recorded run made again from its inputs, and each decision compared with the one that was logged.

Every task (an agent on a partition) is run from the start on its own recorded input, in the order of the log's times;
what other agents put out for it is read from the log too. So a difference stays where it arose, and has a cause:

- `version-swap`: another version served at that moment;
- `views`: other candidates, or other facts of items: what had been read of the watched topics;
- `order-across-topics`: the entity's own state differs: two inputs of the task were handled in another order;
- `clock`: the task's time stood elsewhere;
- `not-made`: the replay doesn't make this decision at all.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import msgspec

from agents.contract import Agent, Input, Output
from agents.wiring import FLOWS
from infra.history.message import Found, Message
from infra.judging.clues import Clues, Seat, tick_of
from infra.judging.evidence import Difference, Reproduced
from infra.judging.logged import CLOSE, Versions
from infra.judging.task import Again, Due, Watched, digest_of
from policies.experiments import SHADOW
from policies.slates.recommend import FEATURES
from streams.codec import MalformedRecord, decode, encode
from streams.records import Decision
from streams.topics import DECISIONS

DECIDING: Final = tuple(flow.name for flow in FLOWS.values() if DECISIONS in flow.emits)
_ROUND: Final = 1_000  # messages between two turns of the tasks
_OF_ITEMS: Final = ("trending_share", "popular_share", "bought_with", "category_share", "price_fit")
_LEFT_OUT: Final = {"views", "read"}  # of a decision: where it was made from, not what it is
_ASIDE: Final = {"features", "event_ids", "source", "occurred_at"}  # of the same decision: how it came to it

History = Callable[[], Iterable[Found]]


@dataclass(slots=True, kw_only=True)
class Reproduction:
    """One run of the recorded tasks."""

    agents: Sequence[Agent]
    clues: Clues
    versions: Versions
    found: Counter[str] = field(default_factory=Counter[str])  # by cause; "" is equal
    by_domain: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    first: Difference | None = None
    extra: int = 0
    identical: int = 0
    aside: Counter[str] = field(default_factory=Counter[str])
    _tasks: dict[Seat, Again] = field(default_factory=dict[Seat, Again])
    _watched: list[Watched] = field(default_factory=list[Watched])
    _made: dict[str, bytes] = field(default_factory=dict[str, bytes])
    _logged: dict[str, bytes] = field(default_factory=dict[str, bytes])
    _met: set[str] = field(default_factory=set[str])

    def run(self, history: Iterable[Found]) -> str:
        """Go through the history once. Returns the hash of all that the tasks put out."""
        for number, one in enumerate(history, start=1):
            if isinstance(one, Message):
                self._take(one)
            if number % _ROUND == 0:
                self._turn(to_the_end=False)
        self._turn(to_the_end=True)
        self._settle()
        return digest_of(self._tasks[seat] for seat in sorted(self._tasks))

    def _take(self, message: Message) -> None:
        self._tell_time(message)
        reading = [agent for agent in self.agents if message.topic in agent.reads]
        watching = [agent for agent in self.agents if message.topic in agent.watches]
        if not reading and not watching:
            return
        try:
            key, record = decode(message.topic, message.key, message.value, message.timestamp)
        except MalformedRecord:
            return  # a worker sets it aside too
        offset = message.offset or 0
        if watching:
            self._watch(Watched(message.topic, message.partition, offset, key, record, message.timestamp), watching)
        for agent in reading:
            given = Input(message.topic, message.partition, offset, key, record)
            self._task(agent, message.partition).wait(Due(given, 0, message.timestamp))

    def _tell_time(self, message: Message) -> None:
        if message.topic is DECISIONS:
            self._log(message.value or b"")
        tick = tick_of(message, self.clues)
        if tick is not None and tick.seat in self._tasks:
            self._tasks[tick.seat].wait(Due(None, tick.now, message.timestamp, tick.clue))

    def _watch(self, seen: Watched, watching: Sequence[Agent]) -> None:
        self._watched.append(seen)
        for task in self._tasks.values():
            if task.agent in watching:
                task.watch(seen)

    def _task(self, agent: Agent, partition: int) -> Again:
        seat = (agent.name, partition)
        task = self._tasks.get(seat)
        if task is None:
            task = self._tasks[seat] = Again(agent=agent, partition=partition, clues=self.clues, versions=self.versions)
            for seen in self._watched:  # what came before its first record
                if seen.topic in agent.watches:
                    task.watch(seen)
        return task

    def _turn(self, *, to_the_end: bool) -> None:
        for seat in sorted(self._tasks):
            for output in self._tasks[seat].go_on(to_the_end=to_the_end):
                if output.topic is DECISIONS:
                    self._make(output)

    # ---- What it comes to -------------------------------------------------------------------------------------------

    def _log(self, raw: bytes) -> None:
        try:
            named = _NAMED.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        if named.arm.startswith(SHADOW):
            return
        name = named.decision_id
        made = self._made.pop(name, None)
        if made is not None:
            self._compare(raw, made)
        elif name not in self._met:
            self._logged[name] = raw

    def _make(self, output: Output) -> None:
        record = cast(Decision, output.record)
        logged = self._logged.pop(record.decision_id, None)
        if logged is not None:
            self._compare(logged, encode(record))
        elif record.decision_id not in self._met:
            self._made[record.decision_id] = encode(record)

    def _compare(self, logged: bytes, made: bytes) -> None:
        was, now = _plain(logged), _plain(made)
        self._met.add(was["decision_id"])
        apart = [name for name in was if name not in _LEFT_OUT and not _same(name, was[name], now.get(name))]
        field = next((name for name in apart if name not in _ASIDE), None)
        self.identical += not apart
        if field is None:
            self.aside.update(apart)
            self._count(was["domain"], "")
        else:
            self._count(was["domain"], _cause(was, now))
            self._tell(was, field, was[field], now.get(field))

    def _settle(self) -> None:
        for raw in self._logged.values():
            was = _plain(raw)
            self._count(was["domain"], "not-made")
            self._tell(was, "decision_id", was["decision_id"], None)
        self.extra = len(self._made)

    def _count(self, domain: str, cause: str) -> None:
        self.found[cause] += 1
        self.by_domain.setdefault(domain, Counter())[cause or "equal"] += 1

    def _tell(self, was: dict[str, Any], field: str, logged: Any, made: Any) -> None:
        if self.first is None:
            field, logged, made = _narrowed(field, logged, made)
            self.first = Difference(
                decision_id=was["decision_id"], domain=was["domain"], field=field, logged=logged, remade=made
            )


def _same(name: str, was: Any, now: Any) -> bool:
    if name not in {"propensity", "slot_propensities"} or was == now:
        return was == now
    x = cast(list[float], was if isinstance(was, list) else [was])
    y = cast(list[float], now if isinstance(was, list) else [now])
    return len(x) == len(y) and all(abs(one - other) <= CLOSE * one for one, other in zip(x, y, strict=True))


class _Named(msgspec.Struct, gc=False):
    decision_id: str
    arm: str = ""


_NAMED: Final = msgspec.json.Decoder(_Named)


def _plain(raw: bytes) -> dict[str, Any]:
    return msgspec.json.decode(raw, type=dict[str, Any])


def _narrowed(field: str, logged: Any, made: Any) -> tuple[str, Any, Any]:
    """The innermost place of a difference, so that it fits on a line."""
    if isinstance(logged, dict) and isinstance(made, dict):
        a, b = cast(dict[str, Any], logged), cast(dict[str, Any], made)
        name = next(name for name in (*a, *b) if a.get(name) != b.get(name))
        return _narrowed(f"{field}.{name}", a.get(name), b.get(name))
    if isinstance(logged, list) and isinstance(made, list):
        x, y = cast(list[Any], logged), cast(list[Any], made)
        if len(x) != len(y):
            return f"{field} (its length)", len(x), len(y)
        at = next(at for at in range(len(x)) if x[at] != y[at])
        return _narrowed(f"{field}[{at}]", x[at], y[at])
    return field, logged, made  # pyright: ignore[reportUnknownVariableType] # what JSON holds


def _cause(was: dict[str, Any], now: dict[str, Any]) -> str:
    if was["policy_hash"] != now["policy_hash"]:
        return "version-swap"
    if was["candidates"] != now["candidates"]:
        return "views"
    if was["domain"] == "recommendation" and _items_differ(was["features"]["phi"], now["features"]["phi"]):
        return "views"
    if was["features"] == now["features"] and was["decided_at"] != now["decided_at"]:
        return "clock"
    return "order-across-topics"


def _items_differ(was: list[list[int]], now: list[list[int]]) -> bool:
    columns = [FEATURES.index(name) for name in _OF_ITEMS]
    return any(a[at] != b[at] for a, b in zip(was, now, strict=False) for at in columns)


def reproduced(history: History, agents: Sequence[Agent], versions: Versions) -> Reproduced:
    """Run the recorded tasks twice from the start of a history in the order of the log, and say what came of it."""
    clues = Clues()
    clues.read(history())
    deciding = [agent for agent in agents if agent.name in DECIDING]
    run = Reproduction(agents=deciding, clues=clues, versions=versions)
    first = run.run(history())
    again = Reproduction(agents=deciding, clues=clues, versions=versions).run(history())
    causes = {cause: count for cause, count in sorted(run.found.items()) if cause}
    return Reproduced(
        decisions=run.found.total(),
        equal=run.found[""],
        identical=run.identical,
        aside=dict(sorted(run.aside.items())),
        causes=causes,
        by_domain={domain: dict(sorted(counts.items())) for domain, counts in sorted(run.by_domain.items())},
        extra=run.extra,
        runs_equal=first == again,
        sha256=first,
        first=run.first,
    )
