"""The entries of one task: what changed lately in memory, the rest in its store. They may outgrow memory."""

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import time
from typing import Final

import msgspec

from infra.state.mark import Mark, Progress
from infra.state.store import CorruptStateError, Store, discard

_SAVE_BYTES: Final = 8 * 1024 * 1024  # of changed entries that are held before they are saved
_LOGGED_BYTES: Final = 64 * 1024 * 1024  # of changelog that a start after a crash may have to read again
_BESIDE: Final = 100  # bytes that an entry takes in memory beside its key and value
_TRUSTED_S: Final = 6 * 86_400.0  # the changelog forgets after 7 days that an entry was removed

Changed = dict[str, bytes | None]


class Entries:
    """Keys to values, as of the last commit. Saving lags: a start after a crash reads the rest from the changelog."""

    mark: Mark

    def __init__(self, path: Path) -> None:
        """Take up what lies at `path`; what can't be trusted is discarded. Raises UserError."""
        self._path = path
        self._changed: Changed = {}
        self._saved: Changed = {}  # by the save under way
        self._saving: asyncio.Task[None] | None = None
        self._held = self._logged = 0  # bytes
        self._filling = False
        try:
            self._store = Store(path)
        except CorruptStateError:
            self._begin_anew()
        if not self._is_trusted():
            self._store.close()
            self._begin_anew()

    def __len__(self) -> int:
        return self.mark.count

    def get(self, key: str, /) -> bytes | None:
        """The value under `key`, or None. Raises CorruptStateError."""
        for recent in (self._changed, self._saved):
            if key in recent:
                return recent[key]
        return self._store.get(key)

    def apply(self, writes: Mapping[str, bytes | None], progress: Progress, at: int) -> None:
        """Take in what was committed, up to the Progress at offset `at` of the changelog; -1 where that isn't known.

        Raises CorruptStateError, and UserError where an earlier save failed.
        """
        for key, value in writes.items():
            self._put(key, value)
        self.mark.progress = progress
        self.mark.at = max(self.mark.at, at)
        if self._saving is not None and self._saving.done():
            self._end_saving()
        if self._saving is None and (self._held > _SAVE_BYTES or self._logged > _LOGGED_BYTES):
            self._begin_saving()

    @contextmanager
    def filling(self) -> Generator[None]:
        """Inside the block much comes in at once, mostly of new keys: one that comes again may be counted again."""
        self._store.compact(False)
        self._filling = self.mark.at < 0
        try:
            yield
        finally:
            self._filling = False
            self._store.compact(True)

    async def settled(self) -> None:
        """Wait until no save is under way. Raises UserError where the disk didn't take it."""
        if self._saving is not None:
            await asyncio.wait([self._saving])
            self._end_saving()

    async def save(self) -> None:
        """Save all that has changed. Raises UserError where the disk won't take it."""
        await self.settled()
        self._begin_saving()
        await self.settled()

    async def close(self) -> None:
        """Wait for the save under way, and let go of the files."""
        if self._saving is not None:
            await asyncio.wait([self._saving])
        self._store.close()

    async def clear(self) -> None:
        """Discard everything."""
        await self.close()
        self._saving = None
        self._begin_anew()

    def _put(self, key: str, value: bytes | None) -> None:
        size = len(value or b"")
        if key in self._changed:
            before = self._changed[key]
            self._held += size - len(before or b"")
        else:
            before = None if self._filling else self.get(key)
            self._held += size + len(key) + _BESIDE
        self.mark.count += (value is not None) - (before is not None)
        self._changed[key] = value
        self._logged += size + len(key)

    def _begin_saving(self) -> None:
        self._saved, self._changed = self._changed, {}
        self._held = self._logged = 0
        mark = msgspec.msgpack.encode(msgspec.structs.replace(self.mark, saved_at=time()))
        self._saving = asyncio.create_task(asyncio.to_thread(self._save, self._saved, mark))

    def _save(self, changed: Changed, mark: bytes) -> None:
        self._store.write(changed, mark)
        self._store.flush()

    def _end_saving(self) -> None:
        saving, self._saving = self._saving, None
        if saving is not None:
            saving.result()
        self._saved = {}

    def _begin_anew(self) -> None:
        discard(self._path)
        self._store = Store(self._path)
        self._changed, self._saved = {}, {}
        self._held = self._logged = 0
        self.mark = Mark(saved_at=time())

    def _is_trusted(self) -> bool:
        """Read the mark. Whether what lies in the store can be built on."""
        try:
            raw = self._store.mark()
            self.mark = Mark(saved_at=time()) if raw is None else msgspec.msgpack.decode(raw, type=Mark)
        except (CorruptStateError, msgspec.DecodeError):
            return False
        return time() - self.mark.saved_at < _TRUSTED_S
