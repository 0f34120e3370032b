"""A whole recorded history through the agents, in batches, with everything counted on the way."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Protocol, Self

import msgspec

from agents.contract import Agent
from infra.errors import UserError
from infra.history.entering import entered
from infra.history.files import files
from infra.history.lines import write
from infra.history.message import Found, Message, Rejected
from infra.history.part import Part
from infra.history.progress import Progress
from infra.history.reading import messages
from infra.mapping.entrance import PLAIN, Entrance
from infra.measures.scoreboard import Scoreboard
from infra.replay.in_process import InProcess
from streams.topics import DEAD_LETTERS, RECOMMENDATIONS, USER_EVENTS, Topic


class Sink(Protocol):
    """Where what is put out goes."""

    def put(self, message: Message) -> None: ...


@dataclass(slots=True)
class Replay:
    """One replay. Only topics of role input are fed; what the history holds of others was put out once, and is counted.

    What was sold, received and won stands in the history: a replay makes decisions again, not their consequences. So
    slates are judged as made now, while stock and auctions are those of the recorded run.

    Messages flow in the order of the history, at most `batch` of them at once. What agents watch (the catalog, stock)
    ends a batch: an item that has sold out is gone for the next event, and not for the one before.
    """

    runner: InProcess
    scoreboard: Scoreboard
    batch: int = 500
    sink: Sink | None = None
    lines: int = 0
    rejected: int = 0
    logged: Counter[str] = field(default_factory=Counter[str])

    def run(self, history: Iterable[Found], on_line: Callable[[], None] = lambda: None) -> None:
        held: list[Message] = []
        for found in history:
            self.lines += 1
            on_line()
            if isinstance(found, Rejected):
                self.rejected += 1
                self._emit(found.letter)
            elif found.topic.role != "input":
                self.logged[found.topic.name] += 1
            else:
                if len(held) >= self.batch or (held and self._cuts(held[-1], found)):
                    self._feed(held)
                    held.clear()
                held.append(found)
        self._feed(held)

    def _cuts(self, before: Message, then: Message) -> bool:
        watched = self.runner.watched
        return then.topic.name in watched and before.topic.name not in watched

    def _feed(self, batch: list[Message]) -> None:
        made = self.runner.feed(batch)
        slates: dict[str, list[Message]] = {}
        for message in made:
            if message.topic is RECOMMENDATIONS:
                slates.setdefault(_event_of(message), []).append(message)
        for message in batch:
            self._score(message)
            if message.topic is USER_EVENTS:  # as it would have been read: the slate after the event that asked for it
                for slate in slates.pop(_event_of(message), ()):
                    self._score(slate)
        for message in made:
            self._emit(message, scored=message.topic is RECOMMENDATIONS)

    def _emit(self, message: Message, *, scored: bool = False) -> None:
        if not scored:
            self._score(message)
        if self.sink is not None:
            self.sink.put(message)

    def _score(self, message: Message) -> None:
        self.scoreboard.observe(message.topic, message.key, message.value, message.timestamp, None)

    def result(self) -> dict[str, Any]:
        """The scoreboard's measures, and what this replay was."""
        return {
            **self.scoreboard.result(),
            "replay": {
                "lines": self.lines,
                "rejected_lines": self.rejected,
                "logged": dict(sorted(self.logged.items())),
                "ignored": dict(sorted(self.runner.ignored.items())),
                "agents": [agent.name for agent in self.runner.agents],
                "batch": self.batch,
                "policy_version": self.runner.policy.number,
                "as_recorded": ["replenishment", "bidding"],  # what these sections judge was decided back then
            },
        }


class _Event(msgspec.Struct):
    """All that is read of a message here."""

    event_id: str


_EVENT: Final = msgspec.json.Decoder(_Event)


def _event_of(message: Message) -> str:
    """The event that a message is, or answers; empty where it can't be read."""
    try:
        return _EVENT.decode(message.value or b"").event_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


class Directory:
    """A file of lines per topic: `<topic>.jsonl`. Those of an earlier run are replaced."""

    def __init__(self, path: Path, topics: Iterable[Topic]) -> None:
        self._files: dict[str, IO[bytes]] = {}
        try:
            path.mkdir(parents=True, exist_ok=True)
            for topic in (*topics, DEAD_LETTERS):
                if topic.name not in self._files:
                    self._files[topic.name] = (path / f"{topic.name}.jsonl").open("wb")
        except OSError as error:
            raise UserError(f"--out: {path} can't be written: {error.strerror or error}") from error

    def put(self, message: Message) -> None:
        self._files[message.topic.name].write(write(message))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.close()


def replayed(
    history: Part | Path,
    agents: Sequence[Agent],
    *,
    batch: int = 500,
    out: Path | None = None,
    entrance: Entrance = PLAIN,
) -> Replay:
    """Replay a history, or a file, with its progress on standard error where that is a terminal. Raises UserError."""
    part = files([history], numbered=bool(entrance.rules.edge)) if isinstance(history, Path) else history
    with ExitStack() as stack:
        sink = None
        if out is not None:
            sink = stack.enter_context(Directory(out, [topic for agent in agents for topic in agent.emits]))
        replay = Replay(InProcess(agents), Scoreboard(), batch, sink)
        found = stack.enter_context(messages(part))
        progress = stack.enter_context(Progress())
        replay.run(entered(found, entrance), progress.watching(found))
    return replay
