"""What one task knows: its entries, those at hand as values, and how far it has come. Pure steps read it."""

import logging
from pathlib import Path
from uuid import uuid4

from agents.contract import State, Step
from infra.settings import Settings
from infra.state.changelog import catch_up
from infra.state.entries import Entries
from infra.state.hot import Hot
from infra.state.mark import Progress
from infra.state.store import CorruptStateError
from policies.experiments import NONE, Experiments
from streams.views import Views

log = logging.getLogger(__name__)


class Memory:
    """One partition of a changelog, as this worker has it. Nothing is known before `open`."""

    def __init__(self, settings: Settings, topic: str, partition: int, *, folder: Path, hot: Hot) -> None:
        self._settings = settings
        self._where = topic, partition
        self._name = f"{topic}-{partition}"
        self._path = folder / self._name
        self._hot = hot
        self._entries: Entries | None = None

    def __len__(self) -> int:
        """How many entries there are."""
        return 0 if self._entries is None else len(self._entries)

    @property
    def progress(self) -> Progress:
        return Progress() if self._entries is None else self._entries.mark.progress

    @property
    def place(self) -> tuple[int, dict[str, int]]:
        """How far it has come in the changelog, and in the inputs; changes with every commit."""
        return (-1, {}) if self._entries is None else (self._entries.mark.at, self.progress.applied)

    async def open(self) -> None:
        """Take up what lies on this machine's disk, and bring it up to the changelog.

        Call it only once the partition's transactional id is fenced: then nobody else can write to the changelog.
        """
        self._entries = Entries(self._path)
        try:
            await catch_up(self._settings, *self._where, self._entries)
        except CorruptStateError:
            await self.rebuild()

    async def rebuild(self) -> None:
        """Make the entries anew from the changelog: what lies on the disk can't be read."""
        log.error("the state in %s is damaged: it is made anew from the changelog", self._path)
        self._hot.forget(self._name)
        await self._opened.clear()
        await catch_up(self._settings, *self._where, self._opened)

    def entry(self, key: str) -> bytes | None:
        """One entry, as the last commit left it."""
        return self._opened.get(key)

    def state(self, views: Views, experiments: Experiments = NONE) -> State:
        """What a step is given. Raises CorruptStateError from its `entries`, when read."""
        read = {topic: offset + 1 for topic, offset in self.progress.applied.items()}
        return State(self._opened, views, self._hot.of(self._name), read, experiments)

    def after(self, step: Step, applied: dict[str, int]) -> Progress:
        """How far the task will have come once this step is committed."""
        before = self.progress
        return Progress(
            applied=before.applied | applied,
            now=int(max(before.now, step.now)),
            lineage=before.lineage or uuid4().hex,
        )

    async def commit(self, step: Step, progress: Progress, at: int) -> None:
        """Take in a step that was committed, its Progress at offset `at` of the changelog (-1: not known)."""
        try:
            self._opened.apply(step.writes, progress, at)
        except CorruptStateError:
            await self.rebuild()  # the changelog has the step
        else:
            self._hot.keep(self._name, step.opened)

    async def close(self) -> None:
        """Let go of the files. What isn't saved yet will be read from the changelog."""
        self._hot.forget(self._name)
        if self._entries is not None:
            await self._entries.close()
            self._entries = None

    @property
    def _opened(self) -> Entries:
        if self._entries is None:
            raise RuntimeError(f"{self._path} isn't open")
        return self._entries
