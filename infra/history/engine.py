"""A task over a whole history: by one process or many, here or on Ray, to the same figures.

state = begun(frozen(settings, [DECISIONS, OUTCOMES]).part, Task(job="package.module:Job"), workers=4)
ran = run(state, checkpoint=Path("run.json"), go_on="tradewind … --checkpoint run.json")
ran.job.result()
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple, cast

import msgspec
from msgspec.structs import replace

from infra.history import on_ray, processes
from infra.history.checkpoint import State, save
from infra.history.interrupt import InterruptedRun, Wish
from infra.history.job import Job
from infra.history.processes import Beside, Here, Host
from infra.history.work import Asked, Engine, Kept, Order, Told, answer

_SLICE_S: Final = 0.5  # how long a worker goes on before it says how far it is
_KEEP_S: Final = 10.0  # between two checkpoints

OnProgress = Callable[[int, int, int], None]  # done, total, messages


class Ran(NamedTuple):
    """The merged job, and how many messages all shares took in."""

    job: Job
    messages: int


def run(
    state: State,
    *,
    engine: Engine = "processes",
    checkpoint: Path | None = None,
    go_on: str = "",
    on_progress: OnProgress | None = None,
    slice_s: float = _SLICE_S,
) -> Ran:
    """Work through what is left of a run, one worker a unit, and merge the shares in the order of their numbers.

    With a checkpoint, Ctrl-C and SIGTERM end it resumably: InterruptedRun names `go_on`, the command to go on with. It
    is removed when the run is through. Raises UserError.
    """
    with ExitStack() as stack:
        wish = stack.enter_context(Wish())
        crew = Crew(state, _hosts(state, engine, stack), on_progress, slice_s)
        saved_at = monotonic()
        while not crew.finished:
            is_due = checkpoint is not None and monotonic() - saved_at >= _KEEP_S
            if (wish.came and checkpoint is not None) or is_due:
                save(crew.kept(), cast(Path, checkpoint))
                saved_at = monotonic()
            if wish.came:
                raise InterruptedRun(_stopped(crew.messages, checkpoint, go_on))
            crew.advance()
        ran = _merged(crew.kept())
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return ran


@dataclass(slots=True)
class Crew:
    """The workers of a run, asked in turn."""

    state: State
    hosts: Sequence[Host]
    on_progress: OnProgress | None
    slice_s: float
    _told: dict[int, Told] = field(default_factory=dict[int, Told])
    _busy: set[int] = field(default_factory=set[int])

    @property
    def finished(self) -> bool:
        return len(self._told) == len(self.hosts) and all(told.finished for told in self._told.values())

    @property
    def messages(self) -> int:
        before = {number: kept.messages for number, kept in enumerate(self.state.units)}
        return sum((before | {number: told.messages for number, told in self._told.items()}).values())

    def advance(self) -> None:
        """Have every worker that isn't through go on, and hear those that have answered."""
        for number, host in enumerate(self.hosts):
            told = self._told.get(number)
            if number not in self._busy and not (told is not None and told.finished):
                self._ask(number, host, Asked(seconds=self.slice_s))
        for number in self._ready():
            self._hear(number)
        if self.on_progress is not None:
            all_told = self._told.values()
            total = sum(told.total for told in all_told) if len(all_told) == len(self.hosts) else 0
            self.on_progress(sum(told.done for told in all_told), total, self.messages)

    def kept(self) -> State:
        """Where all of them stand."""
        for number in sorted(self._busy):
            self._hear(number)
        units: list[Kept] = []
        for number, host in enumerate(self.hosts):
            told = self._told.get(number)
            if told is None or told.kept is None:
                self._ask(number, host, Asked(seconds=0, keep=True))
                told = self._hear(number)
            units.append(cast(Kept, told.kept))
            if not told.finished:
                self._told[number] = replace(told, kept=None)  # what was kept is old with the next message
        return replace(self.state, units=tuple(units))

    def _ask(self, number: int, host: Host, asked: Asked) -> None:
        host.ask(msgspec.json.encode(asked))
        self._busy.add(number)

    def _hear(self, number: int) -> Told:
        self._busy.discard(number)
        told = self._told[number] = answer(self.hosts[number].answer())
        return told

    def _ready(self) -> list[int]:
        busy = {id(self.hosts[number]): number for number in sorted(self._busy)}
        asked = [self.hosts[number] for number in sorted(self._busy)]
        if asked and isinstance(asked[0], on_ray.Actor):
            found: Sequence[Host] = on_ray.ready(cast(list[on_ray.Actor], asked))
        else:
            found = processes.ready(asked)
        return [busy[id(host)] for host in found]


def _hosts(state: State, engine: Engine, stack: ExitStack) -> list[Host]:
    orders = [msgspec.json.encode(Order(task=state.task, kept=kept)) for kept in state.units]
    if engine == "ray":
        ray = on_ray.library()
        kind: Callable[[bytes], Host] = lambda order: on_ray.Actor(ray, order, len(orders))  # noqa: E731
    else:
        kind = Here if len(orders) == 1 else Beside
    hosts: list[Host] = []
    for order in orders:
        host = kind(order)
        stack.callback(host.close)
        hosts.append(host)
    return hosts


def _merged(state: State) -> Ran:
    """The shares' jobs as one. Sums of floats depend on their order: it is that of the shares' numbers."""
    dumps = {share: dump for kept in state.units for share, dump in zip(kept.unit.shares, kept.dumps, strict=True)}
    job = state.task.make()
    for place, share in enumerate(sorted(dumps)):
        if place == 0:
            job.load(dumps[share])
        else:
            job.merge(dumps[share])
    return Ran(job, state.messages)


def _stopped(messages: int, checkpoint: Path | None, go_on: str) -> str:
    if checkpoint is None:
        return f"stopped after {messages:,} messages; nothing was kept of them"
    return f"stopped after {messages:,} messages, kept in {checkpoint}; to go on: {go_on}"
