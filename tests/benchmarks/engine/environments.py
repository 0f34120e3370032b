"""The peers' own environments, made from their locks: every package by its hash, kept until the lock changes."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Final

from tests.benchmarks.engine.bench import say
from tests.benchmarks.engine.contest import ROOT
from tests.benchmarks.engine.relock import lock_of

FOLDER: Final = ROOT / "build" / "peers"


def ensure(name: str) -> Path:
    """The folder of one peer's environment, installed now unless it is as its lock says."""
    lock, folder = lock_of(name), FOLDER / name
    stamp, wanted = folder / ".lock", sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return folder
    say(f"installing {name} into {folder.relative_to(ROOT)} (some GB with torch; minutes the first time)")
    uv = str(Path(sys.executable).parent / "uv")
    python = str(folder / "bin" / "python")
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
    subprocess.run([uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", str(lock)], check=True)
    stamp.write_text(wanted)
    return folder
