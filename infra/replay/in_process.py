"""All agents in one process, fed by hand: the worker's loop with neither broker nor clock. Tests run on it too."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agents.contract import Agent, Input, Output, State, Step
from agents.versions import Serving
from infra.cluster.letters import dead_letter
from infra.history.message import Message
from infra.serving.watch import follow
from policies.experiments import NONE, Experiments
from policies.version import SHIPPED, PolicyVersion
from streams.codec import MalformedRecord, decode, encode
from streams.topics import DEAD_LETTERS, POLICY_VERSIONS
from streams.views import Views


class _Arrived(NamedTuple):
    """One message with its record, ready for whoever reads or watches its topic."""

    given: Input
    logged_at: int


@dataclass(slots=True)
class _Seat:
    """One agent with all it knows: its entries, its time, and its own copy of the topics that it watches."""

    agent: Agent
    entries: dict[str, bytes] = field(default_factory=dict[str, bytes])
    views: Views = field(default_factory=Views)
    now: int = 0
    reads: frozenset[str] = field(init=False)
    watches: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.reads = frozenset(topic.name for topic in self.agent.reads)
        self.watches = frozenset(topic.name for topic in self.agent.watches)

    def step(self, batch: Sequence[Input], policy: PolicyVersion, now: int, experiments: Experiments = NONE) -> Step:
        made = self.agent.step(State(self.entries, self.views, experiments=experiments), batch, policy, now)
        for key, raw in made.writes.items():
            if raw is None:
                self.entries.pop(key, None)
            else:
                self.entries[key] = raw
        self.now = max(self.now, made.now)
        return made


@dataclass(slots=True)
class InProcess:
    """Agents in wiring order, as one partition. The same messages, cut the same way, give the same outputs to the byte.

    A batch runs in rounds. In each, watched topics are applied, then every agent steps over what it reads; what they
    put out on topics that agents read or watch is the next round, until nothing is left. So what an agent sees of a
    watched topic depends on where batches are cut, as it does beside a real log; its own inputs do not.
    """

    agents: Sequence[Agent]
    policy: PolicyVersion = SHIPPED
    experiments: Experiments = NONE
    ignored: Counter[str] = field(default_factory=Counter[str])
    _seats: list[_Seat] = field(init=False)
    _offsets: Counter[str] = field(default_factory=Counter[str])
    watched: frozenset[str] = field(init=False)  # the names of the topics that some agent reads whole
    _wanted: set[str] = field(init=False)
    _serving: Serving = field(init=False)

    def __post_init__(self) -> None:
        self._seats = [_Seat(agent) for agent in self.agents]
        self._serving = Serving(current=self.policy)
        self.watched = frozenset[str]().union(*(seat.watches for seat in self._seats))
        self._wanted = {name for seat in self._seats for name in seat.reads | seat.watches}

    def feed(self, batch: Iterable[Message]) -> list[Message]:
        """Take in one batch and run until quiet. Returns all that was put out, dead letters included, in order."""
        out: list[Message] = []
        arrived = self._read(list(batch), out)
        self._settle(arrived, out)
        return out

    def tick(self, now: int) -> list[Message]:
        """Move every agent's time on to `now` (epoch ms), as an idle partition's does; it never moves back."""
        out: list[Message] = []
        made = [output for seat in self._seats for output in seat.step([], self.policy, now, self.experiments).outputs]
        self._settle(self._put_out(made, now, out), out)
        return out

    def _settle(self, arrived: list[_Arrived], out: list[Message]) -> None:
        while arrived:
            logged_at = max(one.logged_at for one in arrived)
            made = self._round(arrived)
            arrived = self._put_out(made, logged_at, out)

    def _round(self, arrived: list[_Arrived]) -> list[Output]:
        for seat in self._seats:
            for given, logged_at in arrived:
                if given.topic.name in seat.watches:
                    seat.views.apply(given.topic, given.key, given.record, logged_at)
        inputs = [one.given for one in arrived]
        made: list[Output] = []
        for seat in self._seats:
            batch = [given for given in inputs if given.topic.name in seat.reads]
            if batch:
                step = seat.step(batch, self.policy, seat.now, self.experiments)
                self.ignored.update(step.ignored)
                made.extend(step.outputs)
        return made

    def _put_out(self, made: list[Output], logged_at: int, out: list[Message]) -> list[_Arrived]:
        """Append outputs as a log would: encoded, at the next offset. Returns those that an agent is waiting for."""
        fresh = [Message(put.topic, put.topic.key(put.record).encode(), encode(put.record), logged_at) for put in made]
        for output in made:
            if output.topic is POLICY_VERSIONS:
                follow(self._serving, output.record)
                self.policy = self._serving.current
        fresh = [self._placed(message) for message in fresh]
        out.extend(fresh)
        return self._read(fresh, out)

    def _read(self, messages: list[Message], out: list[Message]) -> list[_Arrived]:
        """Decode what an agent is waiting for. What can't be read goes out as a dead letter."""
        arrived: list[_Arrived] = []
        for message in messages:
            if message.topic.name not in self._wanted:
                continue
            placed = self._placed(message)
            try:
                key, record = decode(placed.topic, placed.key, placed.value, placed.timestamp)
            except MalformedRecord as error:
                out.append(self._placed(_returned(placed, error)))
                continue
            given = Input(placed.topic, placed.partition, placed.offset or 0, key, record)
            arrived.append(_Arrived(given, placed.timestamp))
        return arrived

    def _placed(self, message: Message) -> Message:
        if message.offset is not None:
            return message
        offset = self._offsets[message.topic.name]
        self._offsets[message.topic.name] += 1
        return message._replace(offset=offset)


class _Lain(NamedTuple):
    """A message that can't be read, as it lay in the log."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int


def _returned(message: Message, problem: MalformedRecord) -> Message:
    lain = _Lain(message.offset or 0, message.key, message.value, message.timestamp)
    letter = dead_letter(message.topic, message.partition, lain, problem)
    return Message(DEAD_LETTERS, DEAD_LETTERS.key(letter).encode(), encode(letter), message.timestamp)
