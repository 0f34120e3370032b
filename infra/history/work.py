"""One worker's work on its shares, a while at a time; and how it is asked for, in bytes. No process."""

import traceback
from itertools import islice
from time import monotonic
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from infra.errors import UserError
from infra.history.dealing import Unit
from infra.history.job import Job, Task
from infra.history.reading import Reading, messages

_LOOK: Final = 256  # messages between two looks at the clock


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """How far the work on a unit is: what is left of it, and what each share has gathered, in their order."""

    unit: Unit
    dumps: tuple[bytes, ...] = ()  # none yet, or one a share
    messages: int = 0
    finished: bool = False


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How far a worker says it is. `done` of `total` counts from where this process began."""

    done: int = 0
    total: int = 0
    messages: int = 0
    finished: bool = False
    kept: Kept | None = None  # where it was asked for
    wrong: str = ""  # a sentence for the user
    broken: str = ""  # the traceback of a bug


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Go on for so many seconds; with `keep` say what has been gathered."""

    seconds: float
    keep: bool = False


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is started with."""

    task: Task
    kept: Kept


class Work:
    """The jobs of a unit's shares, fed from one reading of its part."""

    def __init__(self, order: Order) -> None:
        self._unit = order.kept.unit
        self._before = order.kept.messages
        self._read = 0
        self._finished = order.kept.finished
        self._jobs: dict[int, Job] = {share: order.task.make() for share in self._unit.shares}
        for job, dump in zip(self._jobs.values(), order.kept.dumps, strict=False):
            job.load(dump)
        self._reading: Reading = messages(self._unit.part)

    def advance(self, seconds: float) -> None:
        """Take in messages for about so long, or to the end."""
        until = monotonic() + seconds
        jobs, share_of, found = self._jobs, self._unit.share_of, self._reading
        only = next(iter(jobs.values())) if self._unit.of == 1 else None
        while not self._finished:
            some = 0
            for one in islice(found, _LOOK):
                some += 1
                job = only or jobs.get(share_of(one))
                if job is not None:
                    job.add(one)
                    self._read += 1
            self._finished = some < _LOOK
            if monotonic() >= until:
                return

    def told(self, *, keep: bool) -> Told:
        reading = self._reading
        kept = self._kept() if keep or self._finished else None
        return Told(
            done=reading.done,
            total=reading.total,
            messages=self._before + self._read,
            finished=self._finished,
            kept=kept,
        )

    def _kept(self) -> Kept:
        return Kept(
            unit=replace(self._unit, part=self._reading.rest()),
            dumps=tuple(job.dump() for job in self._jobs.values()),
            messages=self._before + self._read,
            finished=self._finished,
        )

    def close(self) -> None:
        self._reading.close()


_ASKED: Final = msgspec.json.Decoder(Asked)
_ORDER: Final = msgspec.json.Decoder(Order)
_TOLD: Final = msgspec.json.Decoder(Told)


class Served:
    """A worker that is asked, and answers, in bytes."""

    def __init__(self, order: bytes) -> None:
        self._order = order
        self._work: Work | None = None

    def ask(self, request: bytes) -> bytes:
        """The answer to one request. What goes wrong is told, not raised."""
        asked = _ASKED.decode(request)
        try:
            if self._work is None:
                self._work = Work(_ORDER.decode(self._order))
            self._work.advance(asked.seconds)
            answer = self._work.told(keep=asked.keep)
        except UserError as error:
            answer = Told(wrong=str(error))
        except Exception:  # noqa: BLE001 # it is raised again where the run was started
            answer = Told(broken=traceback.format_exc())
        return msgspec.json.encode(answer)

    def close(self) -> None:
        if self._work is not None:
            self._work.close()


def answer(raw: bytes) -> Told:
    """What a worker said. Raises what went wrong there."""
    told = _TOLD.decode(raw)
    if told.wrong:
        raise UserError(told.wrong)
    if told.broken:
        raise RuntimeError(f"a worker of the history failed:\n{told.broken}")
    return told


Engine = Literal["processes", "ray"]
