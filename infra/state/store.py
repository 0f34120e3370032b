"""One task's entries on disk, in RocksDB: a copy of the changelog up to a mark, to be discarded at any doubt."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
    WriteOptions,
)

from infra.errors import UserError

_MARK: Final = b"\x00mark"  # no entry's key begins with a NUL
_MEMTABLE_BYTES: Final = 16 * 1024 * 1024
_BLOCK_BYTES: Final = 4096
_BLOOM_BITS: Final = 10
_USUAL_TABLES: Final = 20  # unmerged ones, from which on writing is slowed down
_MANY_TABLES: Final = 1_000_000
_CACHE: Final = Cache(64 * 1024 * 1024)  # of all stores of the process; RocksDB's default is far larger, for each

log = logging.getLogger(__name__)


class CorruptStateError(Exception):
    """The store's files are torn or don't hold what was written: discard it, the changelog has everything."""


class Store:
    """Keys to values, and a mark that is written together with them: after a crash both are of the same moment.

    There is no log of writes beside the tables, since the changelog is one: what was written and not flushed is lost
    by a crash, mark and all. `write` and `get` may run in different threads.
    """

    def __init__(self, path: Path) -> None:
        """Open the store, or make it. Raises CorruptStateError, and UserError where the folder can't be written."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = Rdict(str(path), _options())
        except OSError as error:
            raise _unwritable(path, str(error)) from error
        except Exception as error:
            raise self._translated(error) from error
        self._unlogged: Any = WriteOptions()
        self._unlogged.disable_wal = True

    def get(self, key: str) -> bytes | None:
        """The value under `key`. Raises CorruptStateError."""
        return self._get(key.encode())

    def mark(self) -> bytes | None:
        """What the last write was marked with. Raises CorruptStateError."""
        return self._get(_MARK)

    def write(self, changed: Mapping[str, bytes | None], mark: bytes) -> None:
        """Put these entries and the mark, all or nothing; None deletes. Raises UserError where the disk is full."""
        batch = WriteBatch(raw_mode=True)
        for key, value in changed.items():
            if value is None:
                batch.delete(key.encode())
            else:
                batch.put(key.encode(), value)
        batch.put(_MARK, mark)
        try:
            self._db.write(batch, self._unlogged)
        except Exception as error:
            raise self._translated(error) from error

    def compact(self, wanted: bool) -> None:
        """Whether tables are merged as they come; while much is filled in at once it is better done afterwards."""
        limit = _USUAL_TABLES if wanted else _MANY_TABLES
        options = {
            "disable_auto_compactions": "false" if wanted else "true",
            "level0_slowdown_writes_trigger": str(limit),
            "level0_stop_writes_trigger": str(2 * limit),
        }
        try:
            self._db.set_options(options)
        except Exception as error:
            raise self._translated(error) from error

    def flush(self) -> None:
        """Make what was written last through a crash. Raises UserError where the disk won't take it."""
        try:
            self._db.flush()
        except Exception as error:
            raise self._translated(error) from error

    def close(self) -> None:
        """Let go of the files. What a full disk doesn't take any more is in the changelog."""
        try:
            self._db.close()
        except Exception as error:  # noqa: BLE001 # the binding has one type for all
            log.warning("%s: %s", self._path, error)

    def _get(self, key: bytes) -> bytes | None:
        try:
            return self._db.get(key)
        except Exception as error:
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> Exception:
        # The binding has one type for all errors: what kind it is stands at the beginning of its text.
        text = str(error)
        if text.startswith("IO error") and "No such file" not in text:
            return _unwritable(self._path, text)
        return CorruptStateError(f"{self._path}: {text}")


def discard(path: Path) -> None:
    """Remove a store and all its files."""
    shutil.rmtree(path, ignore_errors=True)


def _options() -> Options:
    tables = BlockBasedOptions()
    tables.set_block_cache(_CACHE)
    tables.set_block_size(_BLOCK_BYTES)
    tables.set_bloom_filter(_BLOOM_BITS, False)
    options: Any = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(tables)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_level_compaction_dynamic_level_bytes(True)
    options.set_write_buffer_size(_MEMTABLE_BYTES)
    options.set_max_background_jobs(2)
    options.set_keep_log_file_num(1)
    options.set_max_manifest_file_size(1024 * 1024)
    return options


def _unwritable(path: Path, reason: str) -> UserError:
    return UserError(
        f"state can't be kept in {path}: {reason}. Make room there, or set TRADEWIND_STATE_DIR to another folder; "
        "nothing is lost, what was committed is in the changelog"
    )
