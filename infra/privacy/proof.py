"""What the logs show of a request to forget: read off the changelogs, record by record. No client, no clock."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from agents.erased import unlearning_id
from infra.cluster.clients import Partition, Raw
from infra.state.changelog import PROGRESS, progress_of
from streams.records import Erasure
from streams.topics import ERASURES, EXPERIENCES

Fate = Literal["removed", "nothing was kept", "removed, and begun anew by a later event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A request as it lies in the log."""

    request: Erasure
    partition: int
    offset: int


@dataclass(slots=True, kw_only=True)
class Proof:
    """How far a request has come: what became of each agent's entry; None as long as that isn't known."""

    recorded: Recorded
    recommendation: Fate | None = None
    learner: Fate | None = None
    worker_seen: bool = False  # whether anything was committed to that partition of the state since the request

    @property
    def waits_for(self) -> str | None:
        """The agent whose turn it is."""
        if self.recommendation is None:
            return "recommendation"
        return "learner" if self.learner is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where to look: the user's partition of the state, the experiences, and the learner's state."""

    state: Partition
    told: Partition
    learned: Partition


class Watch:
    """Reads the three logs from where they ended before the request, in whatever order their records come in.

    A transaction ends with its progress, so what an entry is there is what the transaction left of it.
    """

    def __init__(self, where: Places, recorded: Recorded, say: Callable[[str], None]) -> None:
        self.proof = Proof(recorded=recorded)
        self._where = where
        self._say = say
        self._user = recorded.request.user_id
        self._kept_under = {f"{kind}/{self._user}".encode() for kind in ("individual", "history")}
        self._entry: Fate = "nothing was kept"
        self._individual: Fate = "nothing was kept"
        self._told_at: int | None = None  # the offset at which the learner is told
        self._learned: list[tuple[int, Fate]] = []  # how far the learner was, and what had become of its entry then

    def read(self, place: Partition, rows: Iterable[Raw]) -> None:
        """Take in records of one of the logs."""
        if place == self._where.state:
            self._read_state(rows)
        elif place == self._where.told:
            self._read_told(rows)
        else:
            self._read_learned(rows)
        self._settle()

    def _read_state(self, rows: Iterable[Raw]) -> None:
        for row in rows:
            if self.proof.recommendation is not None:
                return
            if row.key == f"user/{self._user}".encode():
                self._entry = _fate(row)
            elif row.key == PROGRESS.encode():
                self.proof.worker_seen = True
                if progress_of(row).applied.get(ERASURES.name, -1) >= self.proof.recorded.offset:
                    self.proof.recommendation = self._entry
                    self._say(f"the recommendation agent has done it: {self._entry}")

    def _read_told(self, rows: Iterable[Raw]) -> None:
        sought = unlearning_id(self.proof.recorded.request).encode()
        for row in rows:
            if self._told_at is None and sought in (row.value or b""):
                self._told_at = row.offset

    def _read_learned(self, rows: Iterable[Raw]) -> None:
        for row in rows:
            if row.key in self._kept_under:
                self._individual = _fate(row)
            elif row.key == PROGRESS.encode():
                self._learned.append((progress_of(row).applied.get(EXPERIENCES.name, -1), self._individual))

    def _settle(self) -> None:
        if self._told_at is None or self.proof.learner is not None:
            return
        self.proof.learner = next((fate for applied, fate in self._learned if applied >= self._told_at), None)
        self._learned.clear()
        if self.proof.learner is not None:
            self._say(f"the learner has done it: {self.proof.learner}")


def _fate(row: Raw) -> Fate:
    return "removed" if row.value is None else "removed, and begun anew by a later event"
