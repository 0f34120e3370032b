"""Keeps the prepared input in the user's cache folder, so that the second run starts at once. Safe to delete."""

import os
import zipfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

import numpy as np

from infra.demo.journey import Journey, Subset
from infra.demo.prepare import prepare, read_tables
from infra.demo.raw import data_version

FORMAT: Final = 1  # raise it whenever the preparation changes what it gives


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/tradewind`, by default `~/.cache/tradewind`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tradewind"


def load(subset: Subset, folder: Path | None = None) -> Journey:
    """The prepared input: from the cache, or prepared now and kept. Raises UserError."""
    path = (folder or cache_folder()) / f"journey-{_key(subset)}.npz"
    found = _read(path)
    if found is None:
        found = prepare(subset, read_tables())
        _write(path, found)
    return found


def _key(subset: Subset) -> str:
    return sha256(f"{FORMAT}/{data_version()}/{subset}".encode()).hexdigest()[:16]


def _read(path: Path) -> Journey | None:
    """None where there is nothing, or nothing whole: it is then made again."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return Journey(**{name: stored[name] for name in stored.files})
    except (OSError, ValueError, TypeError, zipfile.BadZipFile):
        return None


def _write(path: Path, journey: Journey) -> None:
    """Whole or not at all; a cache that can't be written only costs time."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
            try:
                np.savez_compressed(file, allow_pickle=False, **journey.arrays())
                Path(file.name).replace(path)
            finally:
                Path(file.name).unlink(missing_ok=True)
